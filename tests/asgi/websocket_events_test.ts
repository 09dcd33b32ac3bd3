// The shape of what an application sends for a WebSocket: what each key may be,
// what it is by default, and which rule a refusal names.

import { assertEquals, assertThrows } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import type { WebSocketCommand } from "../../src/asgi/types.ts";
import { checkWebSocketEvent } from "../../src/asgi/websocket_events.ts";

const BYTES = new Uint8Array([1, 2]);

/** As plain JavaScript may send it. */
function check(event: unknown): unknown {
  return checkWebSocketEvent(event as WebSocketCommand);
}

const GOOD: [what: string, event: unknown, action: unknown][] = [
  ["accept alone", { type: "websocket.accept" }, {
    type: "websocket.accept",
    subprotocol: null,
    headers: [],
  }],
  ["accept with null for no subprotocol", {
    type: "websocket.accept",
    subprotocol: null,
  }, { type: "websocket.accept", subprotocol: null, headers: [] }],
  ["accept with all keys, and one that is unknown", {
    type: "websocket.accept",
    subprotocol: "v2.chat",
    headers: new Map([["X-A", "1"]]),
    extra: 1,
  }, {
    type: "websocket.accept",
    subprotocol: "v2.chat",
    headers: [["x-a", "1"]],
  }],
  ["text", { type: "websocket.send", text: "a" }, {
    type: "websocket.send",
    message: "a",
  }],
  ["empty text, with null for bytes", {
    type: "websocket.send",
    text: "",
    bytes: null,
  }, { type: "websocket.send", message: "" }],
  ["bytes, with null for text", {
    type: "websocket.send",
    text: null,
    bytes: BYTES,
  }, { type: "websocket.send", message: BYTES }],
  ["empty bytes", { type: "websocket.send", bytes: new Uint8Array(0) }, {
    type: "websocket.send",
    message: new Uint8Array(0),
  }],
  ["close alone", { type: "websocket.close" }, {
    type: "websocket.close",
    code: 1000,
    reason: "",
  }],
  ["close with null for no reason", { type: "websocket.close", reason: null }, {
    type: "websocket.close",
    code: 1000,
    reason: "",
  }],
  ["close with a reason of 123 bytes", {
    type: "websocket.close",
    code: 4999,
    reason: "é".repeat(61) + "e",
  }, {
    type: "websocket.close",
    code: 4999,
    reason: "é".repeat(61) + "e",
  }],
  ["the head of a denial", {
    type: "websocket.http.response.start",
    status: 401,
    headers: [["WWW-Authenticate", "Basic"]],
  }, {
    type: "websocket.http.response.start",
    status: 401,
    headers: [["www-authenticate", "Basic"]],
  }],
  ["content of a denial, by default the last and empty", {
    type: "websocket.http.response.body",
  }, {
    type: "websocket.http.response.body",
    body: new Uint8Array(0),
    more_body: false,
  }],
  ["text as content of a denial", {
    type: "websocket.http.response.body",
    body: "é",
    more_body: true,
  }, {
    type: "websocket.http.response.body",
    body: new Uint8Array([0xc3, 0xa9]),
    more_body: true,
  }],
];

for (const [what, event, action] of GOOD) {
  Deno.test(`checkWebSocketEvent() takes ${what}`, () => {
    assertEquals(check(event), action);
  });
}

const ACCEPT = { type: "websocket.accept" };
const SEND = { type: "websocket.send" };
const CLOSE = { type: "websocket.close" };
const START = { type: "websocket.http.response.start", status: 401 };
const BODY = { type: "websocket.http.response.body" };

const BAD: [what: string, event: unknown, rule: string][] = [
  ["no event", undefined, "unknown type undefined"],
  ["null", null, "unknown type undefined"],
  ["a string", "websocket.accept", "unknown type undefined"],
  ["no type", {}, "unknown type undefined"],
  ["an event to be received", { type: "websocket.connect" }, "unknown type"],
  ["an event of HTTP", { type: "http.response.body" }, "unknown type"],
  ["a subprotocol that is no string", { ...ACCEPT, subprotocol: 1 }, "token"],
  ["an empty subprotocol", { ...ACCEPT, subprotocol: "" }, "token"],
  ["a list of subprotocols", { ...ACCEPT, subprotocol: "a, b" }, "token"],
  ["a subprotocol with a line break", {
    ...ACCEPT,
    subprotocol: "a\r\nx-b: 1",
  }, "token"],
  ["headers that are no list", { ...ACCEPT, headers: 5 }, "list of pairs"],
  ["a header's value with a line break", {
    ...ACCEPT,
    headers: [["x-a", "1\r\nx-b: 2"]],
  }, "the value of x-a"],
  ["a message of nothing", SEND, "exactly one of text and bytes"],
  ["a message of two nulls", { ...SEND, text: null, bytes: null }, "exactly"],
  ["a message of text and bytes", { ...SEND, text: "", bytes: BYTES }, "exact"],
  ["text that is no string", { ...SEND, text: 5 }, "text must be a string"],
  ["bytes that are a string", { ...SEND, bytes: "a" }, "bytes must be a"],
  ["bytes that are a list", { ...SEND, bytes: [1] }, "bytes must be a"],
  ["a reason that is no string", { ...CLOSE, reason: 5 }, "reason must be"],
  ["a reason of 124 bytes", { ...CLOSE, reason: "é".repeat(62) }, "123 bytes"],
  ["an interim status", { ...START, status: 101 }, "status must be"],
  ["no status", { ...START, status: undefined }, "status must be"],
  ["a denial's headers that are no pairs", {
    ...START,
    headers: [["x-a"]],
  }, "each header must be a pair"],
  ["content that is no bytes", { ...BODY, body: 5 }, "body must be"],
  ["a flag that is no boolean", { ...BODY, more_body: 1 }, "more_body must be"],
];

for (const [what, event, rule] of BAD) {
  Deno.test(`checkWebSocketEvent() refuses ${what}`, () => {
    assertThrows(() => check(event), InvalidEventError, rule);
  });
}

for (
  const name of [
    "Sec-WebSocket-Protocol",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "connection",
    "upgrade",
    "content-length",
    "transfer-encoding",
  ]
) {
  Deno.test(`checkWebSocketEvent() refuses accept with a header ${name}`, () => {
    assertThrows(
      () => check({ ...ACCEPT, headers: [["x-a", "1"], [name, "1"]] }),
      InvalidEventError,
      `must not contain "${name.toLowerCase()}": the server sets it`,
    );
  });
}

Deno.test("checkWebSocketEvent() takes the close codes that may be sent, and no others", () => {
  const codes = Array.from({ length: 6000 }, (_, code) => code);
  const taken = codes.filter((code) => isTaken({ ...CLOSE, code }));
  assertEquals(taken.filter((code) => code < 3000), [
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011],
    ...[1012, 1013, 1014],
  ]);
  assertEquals(taken.filter((code) => code >= 3000), codes.slice(3000, 5000));
  for (const code of [-1000, 1000.5, NaN, Infinity, "1000", null, {}]) {
    assertThrows(
      () => check({ ...CLOSE, code }),
      InvalidEventError,
      "code must be a close code",
    );
  }
});

function isTaken(event: unknown): boolean {
  try {
    check(event);
    return true;
  } catch (error) {
    if (error instanceof InvalidEventError) return false;
    throw error;
  }
}
