// How middleware answers in place of the application.

import { assertEquals } from "@std/assert";
import type { AsgiApp, HttpScope } from "../../src/asgi/types.ts";
import { refuse } from "../../src/middleware/_refusal.ts";
import { eventsOf, headOf, httpScopeOf, webSocketScopeOf } from "./_calls.ts";

const REFUSAL = {
  status: 400,
  text: "No",
  headers: [["x-reason", "test"]],
} as const;

const app: AsgiApp = (scope, receive, send) =>
  refuse({ scope: scope as HttpScope, receive, send }, REFUSAL);

Deno.test("refuse() answers a request with text", async () => {
  const { status, headers } = headOf(await eventsOf(app, httpScopeOf()));
  assertEquals(status, 400);
  assertEquals(headers.get("x-reason"), "test");
  assertEquals(headers.get("content-length"), "3");
});

Deno.test("refuse() denies a WebSocket with the same response", async () => {
  const events = await eventsOf(app, webSocketScopeOf());
  const { type, status, headers } = headOf(events);
  assertEquals([type, status], ["websocket.http.response.start", 400]);
  assertEquals(headers.get("content-length"), "3");
});

Deno.test("refuse() closes a WebSocket where no response can be sent", async () => {
  const scope = webSocketScopeOf();
  delete scope.extensions["websocket.http.response"];
  assertEquals(await eventsOf(app, scope), [{ type: "websocket.close" }]);
});
