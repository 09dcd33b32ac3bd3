// What `fetch` can't carry is refused before it reaches the cycle.

import { assertEquals, assertThrows } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import type { HttpScope, SendEvent } from "../../src/asgi/types.ts";
import { refuseHttp, refuseWebSocket } from "../../src/fetch/_guard.ts";

const check = refuseHttp({
  extensions: { "http.response.pathsend": {} },
} as unknown as HttpScope);

const REFUSED: [
  event: object,
  message: string,
  check: typeof refuseWebSocket,
][] = [
  [{ type: "http.response.early_hint" }, "the scope offers it not", check],
  [{ type: "http.response.start", trailers: true }, "trailers", check],
  [{ type: "http.response.start", status: 600 }, "200–599, not 600", check],
  [
    { type: "websocket.accept", headers: [["a", "b"]] },
    "headers of a handshake",
    refuseWebSocket,
  ],
  [
    { type: "websocket.http.response.start", status: 999 },
    "200–599, not 999",
    refuseWebSocket,
  ],
];

for (const [event, message, check] of REFUSED) {
  Deno.test(`fetch can't carry ${JSON.stringify(event)}`, () => {
    assertThrows(() => check(event as SendEvent), InvalidEventError, message);
  });
}

Deno.test("fetch carries all other events, faulty ones are for the cycle", () => {
  const events = [
    { type: "http.response.start", status: 200 },
    { type: "http.response.start", status: "no status" },
    { type: "http.response.pathsend", path: "/a" },
    { type: "http.response.body" },
    null,
  ];
  for (const event of events) {
    assertEquals(check(event as unknown as SendEvent), undefined);
  }
  refuseWebSocket({ type: "websocket.accept", headers: [] });
});
