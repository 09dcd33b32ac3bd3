// Content by chunks, in every way that its bytes may arrive: sizes, extensions,
// trailers, and limits.

import { assertEquals } from "@std/assert";
import { byteByByte, someFeedings, text, whole } from "../_feeding.ts";
import { assertContent, assertRefused, bodyOf } from "./_bodies.ts";

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
