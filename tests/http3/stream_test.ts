import { assertEquals, assertThrows } from "@std/assert";
import type { Field } from "../../src/http/fields.ts";
import { bytes } from "../_feeding.ts";
import { echo, readResponse, requestFields, Serving } from "./_serving.ts";

const LARGE: Field[] = [["x", "y".repeat(200)]];

Deno.test("A client gets no fields that are larger than it accepts", async () => {
  const serving = new Serving(async (exchange) => {
    assertThrows(() => exchange.head(200, LARGE), RangeError, "accepts 100");
    await echo(exchange);
  }).begin(0x06, 100);
  await serving.settled();
  const stream = serving.request();
  await serving.settled();
  assertEquals(readResponse(stream).frames, [[[":status", "200"]], "GET / "]);
  await serving.leave();
});

Deno.test("Trailers that are too large cut the response", async () => {
  const serving = new Serving(async (exchange) => {
    if (exchange.request.target.path === "/other") {
      return await new Promise(() => {});
    }
    exchange.head(200, []);
    await exchange.data(bytes("a"), false);
    assertThrows(() => exchange.trailers(LARGE), RangeError, "accepts 100");
  }).begin(0x06, 100);
  await serving.settled();
  serving.request(requestFields("GET", "/other"));
  const stream = serving.request();
  await serving.settled();
  assertEquals(readResponse(stream), {
    frames: [[[":status", "200"]], "a", [[":status", "500"]]],
    ended: true,
  });
  await serving.leave();
});
