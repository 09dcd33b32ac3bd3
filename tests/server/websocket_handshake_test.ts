// What a request for a WebSocket asks for, in each version of HTTP.

import { assert, assertEquals } from "@std/assert";
import { readWebSocketRequest } from "../../src/server/websocket_handshake.ts";
import { exampleRequest, HANDSHAKE } from "./_fake_exchange.ts";

Deno.test("A handshake over HTTP/1.1 says what it offers, and how it is accepted", () => {
  const request = readWebSocketRequest(exampleRequest({
    headers: [
      ...HANDSHAKE,
      ["sec-websocket-protocol", "a, b"],
      ["sec-websocket-extensions", "c"],
    ],
  }));
  assert(request?.type === "request");
  assertEquals(request.subprotocols, ["a", "b"]);
  assertEquals(request.extensions, [{ name: "c", parameters: [] }]);
  assertEquals(request.acceptHeaders({ subprotocol: "b" }), [
    ["upgrade", "websocket"],
    ["sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
    ["sec-websocket-protocol", "b"],
  ]);
});

Deno.test("Other protocols are no WebSocket, and a bad handshake is refused", () => {
  const other = exampleRequest({ headers: [["upgrade", "h2c"]] });
  assertEquals(readWebSocketRequest(other), undefined);
  const bad = readWebSocketRequest(exampleRequest({ method: "POST" }));
  assert(bad?.type === "refusal");
  assertEquals(bad.status, 400);
});
