// Content out of its framing: what a length or chunks delimit, in every way the
// bytes may arrive; malformed framing, limits, and trailers. A body that was
// refused stays refused: nothing behind the fault is taken for content.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { HttpError } from "../../src/http/http_error.ts";
import { DEFAULT_LIMITS, type RequestLimits } from "../../src/http/limits.ts";
import { RequestBody } from "../../src/http1/request_body.ts";
import type { BodyFraming } from "../../src/http1/connection_fields.ts";
import { ByteReader } from "../../src/streams/byte_reader.ts";
import {
  byteByByte,
  everyFeeding,
  type Feeding,
  Random,
  randomSplit,
  someFeedings,
  streamOf,
  text,
  whole,
} from "../_feeding.ts";

type Limits = Partial<RequestLimits>;

interface Content {
  readonly content: string;
  readonly trailers: readonly (readonly [string, string])[];
  /** What is left behind the body. */
  readonly rest: string;
}

function bodyOf(
  { chunks }: Feeding,
  framing: BodyFraming,
  limits: Limits = {},
): { body: RequestBody; reader: ByteReader } {
  const reader = new ByteReader(streamOf(chunks));
  const all = { ...DEFAULT_LIMITS, ...limits };
  return { body: new RequestBody(reader, framing, all), reader };
}

/** Reads all content, or says which status it is refused with. */
async function read(
  feeding: Feeding,
  framing: BodyFraming,
  limits?: Limits,
): Promise<Content | number> {
  const { body, reader } = bodyOf(feeding, framing, limits);
  try {
    let content = "";
    for (let chunk; (chunk = await body.read()) !== null;) {
      content += text(chunk);
    }
    while (await reader.fill());
    const rest = text(reader.take(Infinity) ?? new Uint8Array(0));
    return { content, trailers: body.trailers, rest };
  } catch (error) {
    assertInstanceOf(error, HttpError);
    return error.status;
  }
}

async function assertContent(
  wire: string,
  framing: BodyFraming,
  expected: Partial<Content>,
  limits?: Limits,
  feedings = everyFeeding(wire),
): Promise<void> {
  const all: Content = { content: "", trailers: [], rest: "", ...expected };
  for (const feeding of feedings) {
    const message = `${JSON.stringify(wire.slice(0, 200))}, ${feeding.name}`;
    assertEquals(await read(feeding, framing, limits), all, message);
  }
}

async function assertRefused(
  wire: string,
  status: number,
  limits?: Limits,
  feedings = everyFeeding(wire),
): Promise<void> {
  for (const feeding of feedings) {
    const message = `${JSON.stringify(wire.slice(0, 200))}, ${feeding.name}`;
    assertEquals(await read(feeding, "chunked", limits), status, message);
  }
}

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

// By chunks.

Deno.test("Chunks are put together", async () => {
  await assertContent("0\r\n\r\n", "chunked", {});
  await assertContent("5\r\nhello\r\n0\r\n\r\n", "chunked", {
    content: "hello",
  });
  await assertContent("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET", "chunked", {
    content: "hello world",
    rest: "GET",
  });
  await assertContent("4\r\n\r\n\x00\n\r\n0\r\n\r\n", "chunked", {
    content: "\r\n\x00\n",
  });
});

Deno.test("A chunk's size has 1 to 15 hexadecimal digits", async () => {
  const sizes: [string, number][] = [
    ["1", 1],
    ["a", 10],
    ["A", 10],
    ["0a", 10],
    ["00000000000000F", 15],
    ["1e", 30],
  ];
  for (const [size, length] of sizes) {
    const content = "x".repeat(length);
    await assertContent(`${size}\r\n${content}\r\n0\r\n\r\n`, "chunked", {
      content,
    });
  }
  for (const last of ["0", "000", "000000000000000"]) {
    await assertContent(`${last}\r\n\r\n`, "chunked", {});
  }
});

Deno.test("Any other size is refused with 400", async () => {
  const sizes = [
    "",
    " ",
    "-5",
    "+5",
    "0x5",
    "5h",
    "5_0",
    "5.",
    " 5",
    "5 ",
    "\t5",
    "5\t",
    "5 5",
    "5,",
    "g",
    "\xb2",
    "0000000000000005",
    "0000000000000000",
    "ffffffffffffffff",
    "10000000000000005",
  ];
  for (const size of sizes) {
    await assertRefused(`${size}\r\nhello\r\n0\r\n\r\n`, 400);
  }
});

Deno.test("The largest size is read without losing count", async () => {
  const { body } = bodyOf(whole("fffffffffffffff\r\nhello"), "chunked");
  assertEquals(text(body.take() ?? new Uint8Array(0)), "");
  assertEquals(text((await body.read())!), "hello");
  assertEquals(body.complete, false);
});

Deno.test("Chunk framing with a bare LF or CR is refused with 400", async () => {
  const wires = [
    "5\nhello\r\n0\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
    "5\r\r\nhello\r\n0\r\n\r\n",
    "\n5\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\r0\r\n\r\n",
    "5\r\nhello\n\n0\r\n\r\n",
    "5\r\nhello\r\r0\r\n\r\n",
    "5\r\nhello\r\n0\n\r\n",
    "5\r\nhello\r\n0\r\n\n",
    "5\r\nhello\r\n0\r\n\rX",
  ];
  for (const wire of wires) await assertRefused(wire, 400);
});

Deno.test("Data that is longer or shorter than its size is refused with 400", async () => {
  await assertRefused("5\r\nhelloo\r\n0\r\n\r\n", 400);
  await assertRefused("5\r\nhell\r\n0\r\n\r\n", 400);
  await assertRefused("5\r\nhello0\r\n\r\n", 400);
  await assertRefused("0\r\nhello\r\n\r\n", 400);
});

Deno.test("A stream that ends within chunks is refused with 400", async () => {
  const wire = "5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n";
  for (let length = 0; length < wire.length; length++) {
    const part = wire.slice(0, length);
    await assertRefused(part, 400, {}, [whole(part), byteByByte(part)]);
  }
});

// Extensions.

Deno.test("Extensions are checked, and ignored", async () => {
  const extensions = [
    ";a",
    ";a=b",
    ";a=b;c;d=e",
    ';a="b"',
    ';a=""',
    ';a="b c;d\t\\"\\\\\xe9"',
    ";!#$%&'*+-.^_`|~=1",
    ";a ;b",
    "; a; b=c",
    ' ; a = b ; c\t=\t"d"',
  ];
  for (const extension of extensions) {
    await assertContent(
      `5${extension}\r\nhello\r\n0${extension}\r\n\r\n`,
      "chunked",
      { content: "hello" },
    );
  }
});

Deno.test("Malformed extensions are refused with 400", async () => {
  const extensions = [
    ";",
    ";;",
    ";a;",
    ";=b",
    ";a=",
    ";a=;b",
    ";a=b c",
    ';a="b',
    ';a="b"c',
    ';a=b"',
    ';a="\\',
    ";a=\xe9",
    " a",
    " ;",
    ";a ",
    ";a=b ",
    ";a\x00",
    ";a=\x7f",
    ';a="\x01"',
    ';a="\x0b"',
    ";a\n",
    ";a\r;b",
    ";a=b\n0\r\n",
  ];
  for (const extension of extensions) {
    await assertRefused(`5${extension}\r\nhello\r\n0\r\n\r\n`, 400);
  }
});

Deno.test("Extensions of a whole body share a budget of 4 KiB", async () => {
  const half = `1;${"a".repeat(2047)}\r\nx\r\n`;
  const fits = `${half}${half}0\r\n\r\n`;
  const feedings = someFeedings(fits, 10);
  await assertContent(fits, "chunked", { content: "xx" }, {}, feedings);
  for (const wire of [`${half}${half}0;a\r\n\r\n`, `1;${"a".repeat(4096)}`]) {
    await assertRefused(wire, 400, {}, someFeedings(wire, 10));
  }
  const many = "1;a\r\nx\r\n".repeat(2049) + "0\r\n\r\n";
  await assertRefused(many, 400, {}, someFeedings(many, 3));
});

Deno.test("A size line that never ends is refused with 400", async () => {
  for (const wire of ["0".repeat(8192), `1;a="${" ".repeat(8192)}`]) {
    await assertRefused(wire, 400, {}, someFeedings(wire, 5));
  }
});

// Trailers.

Deno.test("Trailers are parsed as fields are", async () => {
  await assertContent(
    "1\r\nx\r\n0\r\nVary: *\r\nX-Sum:\t1 \r\nx-sum: 2\r\n\r\nGET",
    "chunked",
    {
      content: "x",
      trailers: [["vary", "*"], ["x-sum", "1"], ["x-sum", "2"]],
      rest: "GET",
    },
  );
});

Deno.test("Malformed trailers are refused with 400", async () => {
  const trailers = [
    "X : a",
    " X: a",
    "X",
    ": a",
    "X: a\r\n b",
    "X: a\x00",
    "X: a\nY: b",
    "X: a\rY: b",
    "X\xe9: a",
    "GET / HTTP/1.1",
  ];
  for (const trailer of trailers) {
    await assertRefused(`0\r\n${trailer}\r\n\r\n`, 400);
  }
});

Deno.test("Trailers past a limit are refused with 431, at it accepted", async () => {
  const two = "0\r\na: 1\r\nb: 2\r\n\r\n";
  const trailers = [["a", "1"], ["b", "2"]] as const;
  await assertContent(two, "chunked", { trailers }, { maxHeaders: 2 });
  await assertRefused(two, 431, { maxHeaders: 1 });
  await assertContent(two, "chunked", { trailers }, { maxHeaderBytes: 12 });
  await assertRefused(two, 431, { maxHeaderBytes: 11 });
  await assertRefused("0\r\nabc: def\r\n\r\n", 431, { maxHeaderBytes: 9 });
  await assertRefused("0\r\n" + "a".repeat(20), 431, { maxHeaderBytes: 12 });
});

// Limits of the content.

Deno.test("Chunks past maxBodyBytes are refused with 413, at it accepted", async () => {
  const limits = { maxBodyBytes: 10 };
  const ten = "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";
  await assertContent(ten, "chunked", { content: "helloworld" }, limits);
  await assertRefused("5\r\nhello\r\n6\r\n world\r\n", 413, limits);
  await assertRefused("b\r\nhello", 413, limits);
  await assertRefused("fffffffffffffff\r\nhello", 413, limits);
  await assertRefused("5\r\nhello\r\n5\r\nworld\r\n1\r\n!\r\n", 413, limits);
});

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
