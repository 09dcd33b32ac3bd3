// The rules for lines and request lines, as tables of what is accepted and what
// is refused, and with which status. Each sample is fed whole, byte by byte and
// split at every offset: the result is always the same.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { HttpError } from "../../src/http/http_error.ts";
import { RequestHeadParser } from "../../src/http1/request_head.ts";
import { ByteReader } from "../../src/streams/byte_reader.ts";
import {
  byteByByte,
  everyFeeding,
  someFeedings,
  streamOf,
  text,
  utf8,
  whole,
} from "../_feeding.ts";
import {
  assertAccepted,
  assertRefused,
  parserOf,
  read,
  request,
  startingWith,
} from "./_heads.ts";

// Rule 1: lines.

Deno.test("A request head is read from CRLF lines", async () => {
  const head = await assertAccepted(
    "GET /a/b?c=d&e HTTP/1.1\r\nHost: example.com\r\nX-One: 1\r\nx-one:2\r\n\r\n",
  );
  assertEquals(head, {
    method: "GET",
    target: { path: "/a/b", query: "c=d&e" },
    version: "1.1",
    headers: [["host", "example.com"], ["x-one", "1"], ["x-one", "2"]],
    framing: 0,
    keepAlive: true,
    expectsContinue: false,
    acceptsTrailers: false,
    protocol: undefined,
  });
});

Deno.test("A bare LF or a bare CR in a head is refused with 400", async () => {
  const wires = [
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\rHost: a\r\r",
    "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\rX",
    "GET\r/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\n HTTP/1.1\r\nHost: a\r\n\r\n",
    "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
  ];
  for (const wire of wires) await assertRefused(wire, 400);
});

Deno.test("One empty line is tolerated before each request line", async () => {
  await assertAccepted("\r\n" + startingWith("GET / HTTP/1.1"));
  const two = "\r\n" + startingWith("GET /1 HTTP/1.1") + "\r\n" +
    startingWith("GET /2 HTTP/1.1");
  for (const feeding of everyFeeding(two)) {
    const parser = parserOf(feeding);
    assertEquals((await parser.read())?.target.path, "/1", feeding.name);
    assertEquals((await parser.read())?.target.path, "/2", feeding.name);
    assertEquals(await parser.read(), null, feeding.name);
  }
});

Deno.test("A second empty line before a request line is refused with 400", async () => {
  await assertRefused("\r\n\r\n" + startingWith("GET / HTTP/1.1"), 400);
  await assertRefused(" \r\n" + startingWith("GET / HTTP/1.1"), 400);
});

Deno.test("A stream that ends before a request is no fault, within one it is", async () => {
  for (const wire of ["", "\r\n"]) {
    for (const feeding of everyFeeding(wire)) {
      assertEquals(await read(feeding), null);
    }
  }
  const wire = startingWith("GET / HTTP/1.1");
  for (let length = 1; length < wire.length; length++) {
    await assertRefused(wire.slice(0, length), 400, {}, [
      whole(wire.slice(0, length)),
      byteByByte(wire.slice(0, length)),
    ]);
  }
});

Deno.test("Bytes after a head stay in the reader", async () => {
  const wire = request("Content-Length: 4") + "\x00\n\r\xff";
  for (const feeding of everyFeeding(wire)) {
    const reader = new ByteReader(streamOf(feeding.chunks));
    await new RequestHeadParser(reader).read();
    while (await reader.fill());
    assertEquals(text(reader.take(100)!), "\x00\n\r\xff", feeding.name);
  }
});

// Rule 2: request lines.

Deno.test("A request line has exactly one space between its parts", async () => {
  const lines = [
    "GET",
    "GET /",
    "GET ",
    "GET  HTTP/1.1",
    "GET /  HTTP/1.1",
    "GET  / HTTP/1.1",
    " GET / HTTP/1.1",
    "GET / HTTP/1.1 ",
    "GET /a b HTTP/1.1",
    "GET\t/ HTTP/1.1",
    "GET /\tHTTP/1.1",
    "GET / HTTP/1.1\t",
    "GET/ HTTP/1.1",
    "/ HTTP/1.1",
    "HTTP/1.1",
  ];
  for (const line of lines) await assertRefused(startingWith(line), 400);
});

Deno.test("A method is a token of at most 32 bytes, and is brought into uppercase", async () => {
  const methods = [
    "GET",
    "get",
    "Head",
    "M-SEARCH",
    "!#$%&'*+-.^_`|~1",
    "x".repeat(32),
  ];
  for (const method of methods) {
    const head = await assertAccepted(startingWith(`${method} / HTTP/1.1`));
    assertEquals(head.method, method.toUpperCase());
  }
  for (const method of ["G:T", "G\xcbT", "G(T", '"GET"', "", "g@t"]) {
    await assertRefused(startingWith(`${method} / HTTP/1.1`), 400);
  }
});

Deno.test("A method that is longer is refused with 501, one that is no token with 400", async () => {
  await assertRefused(startingWith(`${"X".repeat(33)} / HTTP/1.1`), 501);
  await assertRefused(startingWith(`${"x".repeat(500)} * HTTP/1.0`), 501);
  await assertRefused(startingWith(`${"X".repeat(33)}( / HTTP/1.1`), 400);
});

Deno.test("The target has the form that its method allows, in any case", async () => {
  const all = await assertAccepted(startingWith("options * HTTP/1.1"));
  assertEquals(all.target.path, "*");
  const tunnel = await assertAccepted(startingWith("Connect b:443 HTTP/1.1"));
  assertEquals(tunnel.headers, [["host", "a"]]);
  await assertRefused(startingWith("connect / HTTP/1.1"), 400);
});

Deno.test("Another well-formed version is refused with 505", async () => {
  for (const version of ["0.9", "1.2", "2.0", "3.0", "9.9"]) {
    await assertRefused(startingWith(`GET / HTTP/${version}`), 505);
  }
});

Deno.test("A malformed version is refused with 400", async () => {
  const versions = [
    "HTTP/1",
    "HTTP/2",
    "HTTP/1.",
    "HTTP/.1",
    "HTTP/1.10",
    "HTTP/11.1",
    "HTTP/1.1x",
    "HTTP/1,1",
    "http/1.1",
    "Http/1.1",
    "HTTPS/1.1",
    "ICE/1.0",
    "HTTP 1.1",
    "HTTP/+1.1",
    "HTTP/\xb9.1",
  ];
  for (const version of versions) {
    await assertRefused(startingWith(`GET / ${version}`), 400);
  }
});

Deno.test("A target of a wrong form is refused with 400", async () => {
  const lines = [
    "GET a HTTP/1.1",
    "GET * HTTP/1.1",
    "GET a:80 HTTP/1.1",
    "GET /# HTTP/1.1",
    "GET /\x7f HTTP/1.1",
    "GET /\xe9 HTTP/1.1",
    "CONNECT / HTTP/1.1",
    "CONNECT a HTTP/1.1",
    "CONNECT [:]:1 HTTP/1.1",
    "OPTIONS ** HTTP/1.1",
  ];
  for (const line of lines) await assertRefused(startingWith(line), 400);
});

Deno.test("The authority of an absolute target replaces Host", async () => {
  const head = await assertAccepted(
    "GET http://b:81/c?d HTTP/1.1\r\nX: 1\r\nHost: a\r\nY: 2\r\n\r\n",
  );
  assertEquals(head.target, { path: "/c", query: "d", authority: "b:81" });
  assertEquals(head.headers, [["host", "b:81"], ["x", "1"], ["y", "2"]]);
});

Deno.test("The authority of a CONNECT leaves Host as it is", async () => {
  const head = await assertAccepted(
    "CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n",
  );
  assertEquals(head.target.path, "b:443");
  assertEquals(head.headers, [["host", "a"]]);
});

Deno.test("A request line past its limit is refused with 414, at it accepted", async () => {
  const line = "GET /456789 HTTP/1.1";
  const limits = { maxRequestLineBytes: line.length };
  await assertAccepted(startingWith(line), limits);
  await assertRefused(startingWith("GET /4567890 HTTP/1.1"), 414, limits);
  await assertRefused("GET /" + "x".repeat(20), 414, limits);
});

Deno.test("The default limit of a request line is 8 KiB", async () => {
  const frame = "GET / HTTP/1.1".length;
  const atLimit = `GET /${"x".repeat(8192 - frame)} HTTP/1.1`;
  const fits = startingWith(atLimit);
  await assertAccepted(fits, {}, someFeedings(fits, 20));
  const tooLong = startingWith(atLimit.replace("xx", "xxx"));
  await assertRefused(tooLong, 414, {}, someFeedings(tooLong, 20));
});

Deno.test("A target in raw UTF-8 is refused, a percent-encoded one kept as it is", async () => {
  await assertRefused(startingWith(`GET /${utf8("é")} HTTP/1.1`), 400);
  const head = await assertAccepted(startingWith("GET /%C3%A9%2f%zz HTTP/1.1"));
  assertEquals(head.target.path, "/%C3%A9%2f%zz");
});

Deno.test("The message of a refusal shows no control that came from the wire", async () => {
  const wires = [
    startingWith("GET /\x7f\x80\x9b31m\xff HTTP/1.1"),
    request("X\x85\x9b2J: a"),
    request('Transfer-Encoding: "\\\x9b'),
    startingWith("GET /" + "\x9b".repeat(200) + " HTTP/1.1"),
  ];
  for (const wire of wires) {
    const error = await parserOf(whole(wire)).read().catch((error) => error);
    assertInstanceOf(error, HttpError);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f\x7f-\x9f]/.test(error.message), error.message);
    assert(error.message.length < 500, error.message);
  }
});
