// Status lines and reason phrases.

import { assertEquals } from "@std/assert";
import { reasonPhrase, statusLine } from "../../src/http/status.ts";

Deno.test("statusLine() has the phrase of a registered code", () => {
  assertEquals(statusLine(200), "HTTP/1.1 200 OK\r\n");
  assertEquals(statusLine(200), "HTTP/1.1 200 OK\r\n");
  assertEquals(statusLine(404), "HTTP/1.1 404 Not Found\r\n");
});

Deno.test("statusLine() keeps the space before an empty phrase", () => {
  assertEquals(statusLine(299), "HTTP/1.1 299 \r\n");
  assertEquals(statusLine(999), "HTTP/1.1 999 \r\n");
});

Deno.test("reasonPhrase() is empty for an unregistered code", () => {
  assertEquals(reasonPhrase(413), "Content Too Large");
  assertEquals(reasonPhrase(299), "");
});
