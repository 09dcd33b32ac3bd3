// h2load, the load generator of nghttp2: many streams on a few connections, and
// what becomes of them when the server shuts down.

import { assert, assertEquals } from "@std/assert";
import type { AsgiApp } from "../../mod.ts";
import { TestFolder } from "../e2e/_other_clients.ts";
import { until } from "../e2e/_testing.ts";
import {
  type Http2Server,
  http2Test,
  LARGE,
  peerApp,
} from "./_http2_server.ts";
import { run, succeeds } from "./_peer.ts";

const H2LOAD = {
  permissions: ["run", "read", "write"],
  lacks: succeeds("h2load", "--version")
    ? undefined
    : "there is no h2load (nghttp2-client) here",
} as const;

http2Test("h2load gets all of many small responses", async (server) => {
  const flags = ["-n3000", "-c4", "-m25"];
  const figures = await h2load(server, "/hello", ...flags);
  assertEquals(figures.succeeded, 3000);
  assertEquals(figures.bytes, 3000 * "Hello".length);
}, H2LOAD);

http2Test(
  "h2load gets large responses through small windows",
  async (server) => {
    const flags = ["-n8", "-c1", "-m4", "-w14", "-W16"];
    const figures = await h2load(server, "/large", ...flags);
    assertEquals(figures.succeeded, 8);
    assertEquals(figures.bytes, 8 * LARGE);
  },
  H2LOAD,
);

http2Test("h2load uploads on many streams", async (server) => {
  using folder = new TestFolder();
  const file = folder.file("some", "x".repeat(300_000));
  const flags = ["-n100", "-c2", "-m10", "-d", file];
  const figures = await h2load(server, "/count", ...flags);
  assertEquals(figures.succeeded, 100);
  assertEquals(figures.bytes, 100 * "300000".length);
}, H2LOAD);

/** Calls that have begun, and those of them that have returned. */
let calls = { begun: 0, ended: 0 };

const countedApp: AsgiApp = async (scope, receive, send) => {
  const isRequest = scope.type === "http";
  if (isRequest) calls.begun++;
  await peerApp(scope, receive, send);
  if (isRequest) calls.ended++;
};

http2Test(
  "h2load loses no request that was accepted, across a shutdown",
  async (server) => {
    calls = { begun: 0, ended: 0 };
    const flags = ["-n1000000", "-c4", "-m25"];
    const loading = h2load(server, "/slow", ...flags);
    await until(() => calls.ended >= 1000);
    await server.server.shutdown({ timeout: 10_000 });
    assertEquals(calls.ended, calls.begun);
    const figures = await loading;
    assert(figures.succeeded < 1_000_000, "The load ended before");
    assertEquals(figures.succeeded, calls.ended);
  },
  { ...H2LOAD, app: countedApp },
);

/** What h2load counts. */
interface Figures {
  readonly succeeded: number;
  /** Bytes of content. */
  readonly bytes: number;
}

async function h2load(
  server: Http2Server,
  path: string,
  ...flags: string[]
): Promise<Figures> {
  const args = [...flags, server.origin + path];
  const { stdout, stderr } = await run("h2load", args);
  const figures = /(\d+) succeeded,[^]*\((\d+)\) data/.exec(stdout);
  assert(figures !== null, `h2load counts nothing: ${stdout}${stderr}`);
  return { succeeded: Number(figures[1]), bytes: Number(figures[2]) };
}
