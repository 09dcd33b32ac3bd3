// The client of `net/http` of Go.

import { assertEquals } from "@std/assert";
import { TestFolder } from "../e2e/_other_clients.ts";
import { http2Test, LARGE } from "./_http2_server.ts";
import { peerPath, runWell, succeeds } from "./_peer.ts";

/** The first build makes Go's own packages. */
const BUILD_TIMEOUT_MS = 120_000;

http2Test("Go gets and sends all that it asks for", async (server) => {
  using folder = new TestFolder();
  const client = `${folder.path}/client`;
  const build = ["build", "-o", client, peerPath("go_http2.go")];
  await runWell("go", build, { timeoutMs: BUILD_TIMEOUT_MS });
  const certificate = server.secure ? [server.certificate] : [];
  const output = await runWell(client, [server.origin, ...certificate]);
  assertEquals(JSON.parse(output), {
    many: 50,
    hints: [103, 200],
    upload: String(LARGE),
    large: LARGE,
    trailers: { "X-Sum": ["1"] },
    cutAfter: "half",
    after: "Hello",
  });
}, {
  permissions: ["run", "read", "write"],
  lacks: hasGo() ? undefined : "there is no Go here, or one before 1.24",
  timeoutMs: BUILD_TIMEOUT_MS,
});

function hasGo(): boolean {
  return succeeds("go", "doc", "net/http.Protocols.SetUnencryptedHTTP2");
}
