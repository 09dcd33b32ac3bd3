// httpx with HTTP/2, from Python: its wire is the package h2.

import { assertEquals } from "@std/assert";
import { http2Test, LARGE } from "./_http2_server.ts";
import { benchmarkPackages, peerPath, runWell, succeeds } from "./_peer.ts";

/** One that has both packages, if there is any. */
const PYTHON = ["python3", `${benchmarkPackages()}/venv/bin/python`]
  .find((program) => succeeds(program, "-c", "import httpx, h2"));

http2Test("httpx gets and sends all that it asks for", async (server) => {
  const output = await runWell(PYTHON!, [
    ...[peerPath("httpx_http2.py"), server.origin],
    ...server.secure ? [server.certificate] : [],
  ]);
  assertEquals(JSON.parse(output), {
    versions: ["HTTP/2"],
    hellos: 50,
    hinted: "Hinted",
    version: "2",
    query: "a=b",
    connections: 1,
    upload: String(LARGE),
    head: String(LARGE),
    large: LARGE,
    cut: "an error",
    after: "Hello",
  });
}, {
  permissions: ["run", "read", "write", "env"],
  lacks: PYTHON === undefined
    ? 'no Python has httpx and h2 (pip install "httpx[http2]")'
    : undefined,
});
