// What a client gets whose request is refused.

import { assertEquals } from "@std/assert";
import { errorPage } from "../../src/http/error_page.ts";

Deno.test("An error page says the reason, and how long it is", () => {
  const { headers, content } = errorPage(404, [["retry-after", "1"]]);
  assertEquals(new TextDecoder().decode(content), "Not Found\n");
  assertEquals(headers, [
    ["retry-after", "1"],
    ["content-type", "text/plain; charset=utf-8"],
    ["content-length", "10"],
  ]);
});

Deno.test("A status without a phrase has a page as well", () => {
  const { content } = errorPage(599, []);
  assertEquals(new TextDecoder().decode(content), "Error\n");
});
