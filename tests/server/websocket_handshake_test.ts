// What a request for a WebSocket asks for, in each version of HTTP.

import { assert, assertEquals } from "@std/assert";
import { readWebSocketRequest } from "../../src/server/websocket_handshake.ts";
import {
  exampleRequest,
  extendedConnect,
  HANDSHAKE,
} from "./_fake_exchange.ts";

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

Deno.test("An extended CONNECT says what it offers, and is accepted without a key", () => {
  for (const version of ["2", "3"] as const) {
    const request = readWebSocketRequest(extendedConnect({
      version,
      headers: [
        ["sec-websocket-version", "13"],
        ["sec-websocket-protocol", "a, b"],
      ],
    }));
    assert(request?.type === "request");
    assertEquals([request.subprotocols, request.extensions], [["a", "b"], []]);
    assertEquals(request.acceptHeaders({}), []);
    assertEquals(request.acceptHeaders({ subprotocol: "b", extensions: "c" }), [
      ["sec-websocket-protocol", "b"],
      ["sec-websocket-extensions", "c"],
    ]);
  }
});

Deno.test("An extended CONNECT for another protocol, or a bad one, is refused", () => {
  const other = readWebSocketRequest(extendedConnect({ protocol: "other" }));
  assertEquals(other, { type: "refusal", status: 501, headers: [] });
  const bad = readWebSocketRequest(extendedConnect({ headers: [] }));
  assert(bad?.type === "refusal");
  assertEquals(bad.status, 400);
});
