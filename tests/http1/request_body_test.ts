// Content out of any framing. A body that was refused stays refused: nothing
// after the fault is taken for content.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { HttpError } from "../../src/http/http_error.ts";
import { RequestBody } from "../../src/http1/request_body.ts";
import { ByteReader } from "../../src/streams/byte_reader.ts";
import { everyFeeding, Random, randomSplit } from "../_feeding.ts";
import { assertContent, bodyOf, type Limits } from "./_bodies.ts";

// What was refused stays refused.

Deno.test("A body that was refused is refused again, and never completes", async () => {
  const cases: [wire: string, status: number, limits?: Limits][] = [
    ["5x\r\n0\r\n\r\n", 400],
    ["5;\r\n0\r\n\r\n", 400],
    ["2\r\nhi!!0\r\n\r\n0\r\n\r\n", 400],
    ["0\r\nX : a\r\n\r\n\r\n", 400],
    ["0\r\na: 1\r\nb: 2\r\n\r\n\r\n", 431, { maxHeaders: 1 }],
    ["5\r\n0\r\n\r\n0\r\n\r\n", 413, { maxBodyBytes: 4 }],
    ["5\nhello\r\n0\r\n\r\n", 400],
  ];
  for (const [wire, status, limits] of cases) {
    for (const feeding of everyFeeding(wire)) {
      const { body } = bodyOf(feeding, "chunked", limits);
      for (let refused = 0; refused < 3;) {
        const error = await body.read().catch((error) => error);
        if (error instanceof Uint8Array && refused === 0) continue;
        const message = `${JSON.stringify(wire)}, ${feeding.name}`;
        assertInstanceOf(error, HttpError, message);
        assertEquals(error.status, status, message);
        assertEquals(body.complete, false, message);
        refused++;
      }
    }
  }
});

Deno.test("Random content in random chunks arrives whole", async () => {
  const random = new Random(23);
  for (let round = 0; round < 300; round++) {
    let content = "";
    let wire = "";
    for (let chunks = random.below(6); chunks > 0; chunks--) {
      const chunk = random.bytes(50) + "\n";
      content += chunk;
      wire += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
    }
    const framed = `${wire}0\r\n\r\n`;
    await assertContent(
      framed + "next",
      "chunked",
      { content, rest: "next" },
      {},
      [
        randomSplit(framed + "next", 12, random),
      ],
    );
  }
});

Deno.test("take() knows the last chunk if the end of the body has come with it", async () => {
  const reader = new ByteReader(
    new Blob(["5\r\nHello\r\n0\r\n\r\n"]).stream(),
  );
  const body = new RequestBody(reader, "chunked");
  await reader.fill();
  assertEquals(body.take(), new TextEncoder().encode("Hello"));
  assert(body.complete);
});

Deno.test("take() refuses a chunk whose end has come with it and is malformed", async () => {
  const reader = new ByteReader(new Blob(["5\r\nHello0\r\n\r\n"]).stream());
  const body = new RequestBody(reader, "chunked");
  await reader.fill();
  assertThrows(() => body.take(), HttpError, "does not end in CRLF");
});
