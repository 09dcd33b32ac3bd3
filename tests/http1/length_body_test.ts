// Content by a length, in every way that its bytes may arrive.

import { assertEquals } from "@std/assert";
import type { BodyFraming } from "../../src/http1/connection_fields.ts";
import { everyFeeding, text, whole } from "../_feeding.ts";
import { assertContent, bodyOf, read } from "./_bodies.ts";

// By a length.

Deno.test("A length delimits that many bytes, whatever they are", async () => {
  await assertContent("hello", 5, { content: "hello" });
  await assertContent("\r\n\x00\xff\n", 5, { content: "\r\n\x00\xff\n" });
  await assertContent("helloGET /", 5, { content: "hello", rest: "GET /" });
  await assertContent("GET /", 0, { rest: "GET /" });
  await assertContent("", 0, {});
});

Deno.test("A stream that ends before its length is refused with 400", async () => {
  for (const wire of ["", "h", "hell"]) {
    for (const feeding of everyFeeding(wire)) {
      assertEquals(await read(feeding, 5), 400);
    }
  }
});

Deno.test("A body knows when it is complete", async () => {
  const { body } = bodyOf({ name: "", chunks: ["he", "llo"] }, 5);
  assertEquals(body.complete, false);
  assertEquals(text((await body.read())!), "he");
  assertEquals(body.complete, false);
  assertEquals(body.take(), undefined);
  assertEquals(text((await body.read())!), "llo");
  assertEquals(body.complete, true);
  assertEquals(await body.read(), null);
  assertEquals(body.take(), undefined);
  assertEquals(bodyOf(whole(""), 0).body.complete, true);
});

Deno.test("One read hands out no more than 64 KiB", async () => {
  const content = "x".repeat(200_000);
  const framed = `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`;
  const bodies: [string, BodyFraming][] = [
    [content, content.length],
    [framed, "chunked"],
  ];
  for (const [wire, framing] of bodies) {
    const { body } = bodyOf(whole(wire), framing);
    const sizes: number[] = [];
    for (let chunk; (chunk = await body.read()) !== null;) {
      sizes.push(chunk.length);
    }
    assertEquals(Math.max(...sizes), 65_536);
    assertEquals(sizes.reduce((a, b) => a + b), 200_000);
  }
});
