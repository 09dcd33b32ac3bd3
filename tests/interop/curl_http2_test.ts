// curl over HTTP/2: by prior knowledge in clear, by ALPN over TLS.

import { assert, assertEquals } from "@std/assert";
import { TestFolder } from "../e2e/_other_clients.ts";
import { netTest } from "../e2e/_testing.ts";
import {
  assertInOrder,
  type Http2Server,
  http2Test,
  LARGE,
  withServer,
} from "./_http2_server.ts";
import { type Ran, run, succeeds } from "./_peer.ts";

/** What curl exits with when a stream was reset. */
const STREAM_ERROR = 92;

const CURL = {
  permissions: ["run", "read", "write"],
  lacks: hasCurl() ? undefined : "there is no curl with HTTP/2 here",
} as const;

http2Test("curl asks by HTTP/2", async (server) => {
  const output = await curl(
    server,
    ...["-w", "\n%{http_version} %{http_code}"],
    `${server.origin}/seen?a=%20b`,
  );
  const [body, end] = output.split("\n");
  assertEquals(end, "2 200");
  const { port: _port, ...seen } = JSON.parse(body);
  assertEquals(seen, {
    version: "2",
    method: "GET",
    scheme: server.secure ? "https" : "http",
    path: "/seen",
    query: "a=%20b",
    host: `127.0.0.1:${server.port}`,
  });
}, CURL);

netTest("curl's Upgrade: h2c is answered by HTTP/1.1", async () => {
  await withServer(false, {}, async ({ origin }) => {
    const { stdout } = await run("curl", [
      ...["-q", "--silent", "--http2", "-w", "\n%{http_version}"],
      `${origin}/hello`,
    ]);
    assertEquals(stdout, "Hello\n1.1");
  });
}, CURL);

http2Test("curl asks for a HEAD", async (server) => {
  const head = await curl(server, "-I", `${server.origin}/large`);
  assertInOrder(head, "HTTP/2 200", `content-length: ${LARGE}`);
}, CURL);

http2Test("curl uploads a file, and one of no known length", async (server) => {
  using folder = new TestFolder();
  const path = folder.file("large", "x".repeat(LARGE));
  const url = `${server.origin}/count`;
  assertEquals(await curl(server, "-T", path, url), String(LARGE));
  const chunked = ["-T", path, "-H", "content-length:"];
  assertEquals(await curl(server, ...chunked, url), String(LARGE));
}, CURL);

http2Test("curl uploads and downloads at the same time", async (server) => {
  using folder = new TestFolder();
  const path = folder.file("large", "x".repeat(LARGE));
  const output = await curl(
    server,
    ...["-T", path, "-o", `${folder.path}/back`, "-w", "%{size_download}"],
    `${server.origin}/echo`,
  );
  assertEquals(output, String(LARGE));
}, CURL);

http2Test("curl downloads more than all windows hold", async (server) => {
  using folder = new TestFolder();
  const path = `${folder.path}/large`;
  await curl(server, "-o", path, `${server.origin}/large`);
  const content = await Deno.readFile(path);
  assertEquals(content.length, LARGE);
  assert(content.every((byte) => byte === 0x78), "Another byte has come");
}, CURL);

http2Test("curl uploads after a 100 Continue", async (server) => {
  using folder = new TestFolder();
  const path = folder.file("some", "x".repeat(100_000));
  // A wait in vain would end in the time limit, not in an upload.
  const output = await curl(
    server,
    ...["-i", "--expect100-timeout", "1000", "-H", "expect: 100-continue"],
    ...["-T", path, `${server.origin}/count`],
  );
  assertInOrder(output, "HTTP/2 100", "HTTP/2 200", "100000");
}, CURL);

http2Test("curl sees early hints before the response", async (server) => {
  const output = await curl(server, "-i", `${server.origin}/hints`);
  assertInOrder(output, "HTTP/2 103", "link: </style", "HTTP/2 200", "Hinted");
}, CURL);

http2Test("curl sees trailers after the content", async (server) => {
  using folder = new TestFolder();
  const output = await curl(
    server,
    ...["-D", "-", "-o", `${folder.path}/content`],
    `${server.origin}/trailers`,
  );
  assertInOrder(output, "HTTP/2 200", "x-sum: 1");
}, CURL);

secureTest("curl runs many requests on one connection", async (server) => {
  const urls = Array.from({ length: 50 }, () => `${server.origin}/slow`);
  const output = await curl(
    server,
    // All wait for the first connection to show whether it is HTTP/2.
    ...["--parallel", "--parallel-max", "50", "-w", " %{num_connects} "],
    ...urls,
  );
  assertEquals(output.match(/Slow/g)?.length, 50);
  const connects = output.match(/ \d+ /g)!.map(Number);
  assertEquals(connects.reduce((sum, count) => sum + count), 1, output);
});

http2Test("curl sees a truncated response as an error", async (server) => {
  const { code, stdout } = await ask(server, `${server.origin}/cut`);
  // What came with the reset, some versions drop.
  assert("half".startsWith(stdout), stdout);
  assertEquals(code, STREAM_ERROR);
}, CURL);

http2Test("curl does not hang where its upload is not read", async (server) => {
  using folder = new TestFolder();
  const path = folder.file("large", "x".repeat(LARGE));
  const { code } = await ask(server, "-T", path, `${server.origin}/hello`);
  // Some versions drop what comes with a reset; but they know that it is over.
  assert(code === 0 || code === STREAM_ERROR, `curl exited with ${code}`);
}, CURL);

http2Test("curl sees a 413 while it uploads", async (server) => {
  using folder = new TestFolder();
  const path = folder.file("large", "x".repeat(LARGE));
  const flags = ["-w", "%{http_code}", "-T", path];
  const output = await curl(server, ...flags, `${server.origin}/count`);
  assertEquals(output, "Content Too Large\n413");
}, { ...CURL, server: { maxBodyBytes: 100_000 } });

secureTest("curl uses its connection again after a 404", async (server) => {
  const flags = ["-w", " %{http_code} %{num_connects}\n"];
  const urls = [`${server.origin}/missing`, `${server.origin}/hello`];
  assertEquals(await curl(server, ...flags, ...urls), " 404 1\nHello 200 0\n");
});

/**
 * Declares a test over TLS only: older versions of curl cannot use a connection
 * by prior knowledge again.
 */
function secureTest(
  name: string,
  fn: (server: Http2Server) => Promise<void>,
): void {
  netTest(`${name}, over TLS`, () => withServer(true, {}, fn), CURL);
}

/** Runs curl, and returns what it wrote; an error exit throws. */
async function curl(server: Http2Server, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ask(server, ...args);
  assertEquals(code, 0, `curl exited with ${code}: ${stdout}${stderr}`);
  return stdout;
}

function ask(server: Http2Server, ...args: string[]): Promise<Ran> {
  return run("curl", [
    ...["-q", "--silent", "--show-error", "--max-time", "20"],
    ...protocolFlags(server),
    ...args,
  ]);
}

function protocolFlags({ secure, certificate }: Http2Server): string[] {
  return secure
    ? ["--http2", "--cacert", certificate]
    : ["--http2-prior-knowledge"];
}

/** One without HTTP/2 refuses the flag. */
function hasCurl(): boolean {
  return succeeds("curl", "--http2", "--version");
}
