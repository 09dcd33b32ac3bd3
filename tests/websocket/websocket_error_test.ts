import { assertEquals } from "@std/assert";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";

Deno.test("A WebSocketError carries the close code, and its cause", () => {
  const cause = new RangeError("cause");
  const error = new WebSocketError(1009, "Cannot read message", { cause });
  assertEquals(error.code, 1009);
  assertEquals(error.cause, cause);
  assertEquals(`${error}`, "WebSocketError: Cannot read message");
});
