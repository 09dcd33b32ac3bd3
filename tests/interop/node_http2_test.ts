// The client of Node's `node:http2`, in Node.

import { assertEquals } from "@std/assert";
import { type Http2Server, http2Test, LARGE } from "./_http2_server.ts";
import { peerPath, runWell, succeeds } from "./_peer.ts";

const NODE = {
  permissions: ["run", "read", "write"],
  lacks: succeeds("node", "--version") ? undefined : "there is no Node here",
} as const;

const TEXT_FRAME = 0x81;
const CLOSE_FRAME = 0x88;

nodeTest("runs many requests at a time", "many", {
  texts: ["Hello", "Slow"],
  count: 100,
});
nodeTest("uploads", "upload", { text: String(LARGE) });
nodeTest("uploads and downloads at the same time", "echo", { bytes: LARGE });
nodeTest("sees early hints", "hints", {
  informational: [{
    ":status": 103,
    link: "</style.css>; rel=preload; as=style",
  }],
  trailers: {},
  bytes: 6,
  text: "Hinted",
  status: 200,
});
nodeTest("waits for a 100 Continue", "expects", { text: "5" });
nodeTest("gets trailers, and sends some", "trailers", {
  trailers: { "x-sum": "1" },
  text: "5",
});
nodeTest("resets a response, and goes on", "reset", { text: "Hello" });
nodeTest("sees that a response is cut", "cut", {
  code: "ERR_HTTP2_STREAM_ERROR",
  rst: 2,
  text: "Hello",
});
nodeTest("opens a WebSocket by an extended CONNECT", "websocket", {
  status: 200,
  echo: [TEXT_FRAME, 5, ...new TextEncoder().encode("Hello")],
  close: [CLOSE_FRAME, 2, 0x03, 0xe8],
  rst: 0,
});

/** Runs a scenario, and compares what the client saw. */
function nodeTest(
  name: string,
  scenario: string,
  expected: Record<string, unknown>,
): void {
  http2Test(`node:http2 ${name}`, async (server) => {
    const { enableConnectProtocol, ...seen } = await ask(server, scenario);
    assertEquals(seen, expected);
    assertEquals(enableConnectProtocol, true);
  }, NODE);
}

async function ask(
  { origin, secure, certificate }: Http2Server,
  scenario: string,
): Promise<Record<string, unknown>> {
  return JSON.parse(
    await runWell("node", [
      ...[peerPath("node_http2.mjs"), scenario, origin],
      ...secure ? [certificate] : [],
    ]),
  );
}
