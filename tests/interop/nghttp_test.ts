// nghttp, the client of nghttp2: it prints each frame, and is strict about what
// it gets.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { TestFolder } from "../e2e/_other_clients.ts";
import {
  assertInOrder,
  type Http2Server,
  http2Test,
  LARGE,
} from "./_http2_server.ts";
import { runWell, succeeds } from "./_peer.ts";

const NGHTTP = {
  permissions: ["run", "read", "write"],
  lacks: succeeds("nghttp", "--version")
    ? undefined
    : "there is no nghttp (nghttp2-client) here",
} as const;

http2Test("nghttp sees a connection as it should be", async (server) => {
  const output = await nghttp(server, "-v", `${server.origin}/hello`);
  assertMatch(output, /recv SETTINGS frame <length=0, flags=0x01/);
  assertMatch(output, /SETTINGS_MAX_CONCURRENT_STREAMS\(0x03\):100/);
  assertMatch(output, /UNKNOWN\(0x08\):1|ENABLE_CONNECT_PROTOCOL\(0x08\):1/);
  assertInOrder(output, ":status: 200", "recv DATA frame", "; END_STREAM");
  assert(!/recv RST_STREAM|recv GOAWAY|Some requests/.test(output), output);
}, NGHTTP);

http2Test("nghttp asks for many things with priorities", async (server) => {
  const urls = ["hello", "slow", "seen", "large"]
    .map((path) => `${server.origin}/${path}`);
  const weights = ["-p", "1", "-p", "256", "-p", "16", "-p", "1"];
  const stats = await nghttp(server, "-ns", ...weights, ...urls);
  assertEquals(statuses(stats), [200, 200, 200, 200]);
  for (const value of ["u=0", "u=7, i", "u=3, i=?0, x;y=1", "not a list;;"]) {
    const priority = ["-H", `priority: ${value}`];
    const stats = await nghttp(server, "-ns", ...priority, ...urls);
    assertEquals(statuses(stats), [200, 200, 200, 200], value);
  }
}, NGHTTP);

http2Test("nghttp posts a file", async (server) => {
  using folder = new TestFolder();
  const data = `--data=${folder.file("some", "x".repeat(LARGE))}`;
  const url = `${server.origin}/count`;
  assertEquals(await nghttp(server, data, url), String(LARGE));
  const unknown = await nghttp(server, data, "--no-content-length", url);
  assertEquals(unknown, String(LARGE));
}, NGHTTP);

http2Test("nghttp posts a file in padded frames", async (server) => {
  using folder = new TestFolder();
  const data = `--data=${folder.file("some", "x".repeat(LARGE))}`;
  const padded = await nghttp(server, data, "-b255", `${server.origin}/count`);
  assertEquals(padded, String(LARGE));
}, NGHTTP);

http2Test("nghttp waits for a 100 Continue", async (server) => {
  using folder = new TestFolder();
  const data = `--data=${folder.file("some", "x".repeat(1000))}`;
  const flags = ["-v", "--expect-continue", data];
  const output = await nghttp(server, ...flags, `${server.origin}/count`);
  assertInOrder(output, ":status: 100", "send DATA frame", ":status: 200");
}, NGHTTP);

http2Test("nghttp sends trailers, and gets some", async (server) => {
  using folder = new TestFolder();
  const data = `--data=${folder.file("some", "Hello")}`;
  const trailer = ["--trailer", "x-sum: 1"];
  const url = `${server.origin}/count`;
  assertEquals(await nghttp(server, data, ...trailer, url), "5");
  const got = await nghttp(server, "-v", `${server.origin}/trailers`);
  assertInOrder(got, ":status: 200", "recv DATA frame", "x-sum: 1");
}, NGHTTP);

http2Test("nghttp sees early hints before the response", async (server) => {
  const output = await nghttp(server, "-nv", `${server.origin}/hints`);
  assertInOrder(output, ":status: 103", "link: </style", ":status: 200");
}, NGHTTP);

http2Test("nghttp downloads through small windows", async (server) => {
  for (const windows of [["-w14"], ["-W16"], ["-w10", "-W16"]]) {
    const flags = ["-ns", ...windows, "-m3", `${server.origin}/large`];
    assertEquals(statuses(await nghttp(server, ...flags)), [200, 200, 200]);
  }
}, NGHTTP);

http2Test("nghttp gets heads without a table for fields", async (server) => {
  const flags = ["-ns", "--header-table-size=0", "-m20"];
  const stats = await nghttp(server, ...flags, `${server.origin}/seen`);
  assertEquals(statuses(stats), Array.from({ length: 20 }, () => 200));
}, NGHTTP);

/** Runs nghttp, which does not verify certificates. */
function nghttp(_server: Http2Server, ...args: string[]): Promise<string> {
  return runWell("nghttp", ["--no-verify-peer", "-t20", ...args]);
}

/** The statuses in the statistics that `-s` prints. */
function statuses(stats: string): number[] {
  const lines = stats.matchAll(/^ +\d+ .* (\d{3}) +\S+ \/\S*$/gm);
  return [...lines].map(([, status]) => Number(status));
}
