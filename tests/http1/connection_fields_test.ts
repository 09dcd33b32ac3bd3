// What the fields of a request say of its framing and of its connection: Host,
// Content-Length, Transfer-Encoding, Connection, Expect, TE and Upgrade.

import { assertEquals } from "@std/assert";
import { assertAccepted, assertRefused, request } from "./_heads.ts";

// Rule 4: Host.

Deno.test("HTTP/1.1 takes exactly one Host of valid grammar, else 400", async () => {
  const hosts = [
    "example.com",
    "example.com:8080",
    "EXAMPLE.com:",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:8080",
    "[2001:DB8::ffff:192.0.2.1]",
    "a%20b",
    "0.0.0.0=5000",
    "under_score",
  ];
  for (const host of hosts) {
    const head = await assertAccepted(
      `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    );
    assertEquals(head.headers, [["host", host]]);
  }
  const bad = [
    "a b",
    "a/b",
    "a?b",
    "a#b",
    "user@a",
    "a:b",
    "a:80:80",
    "a, b",
    "http://a",
    "[::1",
    "::1",
    "[]",
    "[g::1]",
    "[1::2::3]",
    "[...]",
    "[1:2:3:4:5:6:7:8:9]",
    "a%2",
    "a%zz",
    "caf\xe9",
    "a\\b",
  ];
  for (const host of bad) {
    await assertRefused(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400);
  }
  await assertRefused("GET / HTTP/1.1\r\n\r\n", 400);
  await assertRefused("GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", 400);
  await assertRefused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400);
  await assertRefused("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", 400);
});

Deno.test("An absolute target does not excuse a missing or a bad Host", async () => {
  await assertRefused("GET http://a/ HTTP/1.1\r\n\r\n", 400);
  await assertRefused("GET http://a/ HTTP/1.1\r\nHost: b c\r\n\r\n", 400);
});

Deno.test("HTTP/1.0 needs no Host, but takes no bad one", async () => {
  const head = await assertAccepted("GET / HTTP/1.0\r\n\r\n");
  assertEquals([head.version, head.headers], ["1.0", []]);
  await assertRefused("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400);
  await assertRefused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400);
});

// Rules 5 and 6: framing.

Deno.test("A Content-Length has 1 to 15 digits", async () => {
  const lengths: [string, number][] = [
    ["0", 0],
    ["1", 1],
    ["003", 3],
    ["000000000000042", 42],
    ["999999999999999", 999_999_999_999_999],
  ];
  for (const [value, framing] of lengths) {
    const head = await assertAccepted(request(`Content-Length: ${value}`));
    assertEquals(head.framing, framing);
  }
});

Deno.test("Any other Content-Length is refused with 400", async () => {
  const values = [
    "",
    "-1",
    "-0",
    "+1",
    "1.0",
    "1e3",
    "0x10",
    "1_000",
    "1 2",
    "1, 1",
    "1,2",
    "1;",
    "one",
    "Infinity",
    "NaN",
    "\xb2",
    "1\xa0",
    "0000000000000001",
    "9007199254740993",
    "18446744073709551616",
  ];
  for (const value of values) {
    await assertRefused(request(`Content-Length: ${value}`), 400);
  }
});

Deno.test("A repeated Content-Length is refused with 400, even an equal one", async () => {
  await assertRefused(request("Content-Length: 1", "Content-Length: 2"), 400);
  await assertRefused(request("Content-Length: 1", "content-length: 1"), 400);
  await assertRefused(request("Content-Length: 0", "Content-Length: 0"), 400);
});

Deno.test("Transfer-Encoding is chunked, in any case", async () => {
  for (const value of ["chunked", "Chunked", "CHUNKED", "\t chunked \t"]) {
    const head = await assertAccepted(request(`Transfer-Encoding: ${value}`));
    assertEquals(head.framing, "chunked");
  }
});

/** Codings whose content has no end that is known. */
const UNFRAMED_CODINGS = [
  "",
  ",",
  "identity",
  "gzip",
  "chunked, gzip",
  "chunked, identity",
  "chunked, chunked",
  "chunked, gzip, chunked",
  "gzip, chunked, chunked",
  "chunked;q=1, chunked",
  "gzip chunked",
  "gzip;chunked",
  "chunked,",
  ",chunked",
  "gzip,,chunked",
  "gzip, ;q=1, chunked",
  "g@p, chunked",
  "xchunked",
  "chunk",
  "chunked;q=1",
  "chunked;",
  "gzip, chunked;q=1",
  '"chunked"',
  "chunked\xa0",
  "\xa0chunked",
];

/** Codings that a final `chunked` frames, and that nobody here can decode. */
const FRAMED_CODINGS = [
  "gzip, chunked",
  "GZip\t,\tChunked",
  "identity, chunked",
  "deflate, gzip, chunked",
  "x;a=1; b=2, chunked",
];

Deno.test("Transfer-Encoding that does not end in one chunked is refused with 400", async () => {
  for (const value of UNFRAMED_CODINGS) {
    await assertRefused(request(`Transfer-Encoding: ${value}`), 400);
  }
});

Deno.test("Another transfer coding in front of chunked is refused with 501", async () => {
  for (const value of FRAMED_CODINGS) {
    await assertRefused(request(`Transfer-Encoding: ${value}`), 501);
  }
});

Deno.test("Transfer-Encoding beside Content-Length is refused with 400, whatever it is", async () => {
  for (const value of [...UNFRAMED_CODINGS, ...FRAMED_CODINGS, "chunked"]) {
    const field = `Transfer-Encoding: ${value}`;
    await assertRefused(request(field, "Content-Length: 3"), 400);
    await assertRefused(request("Content-Length: 3", field), 400);
    await assertRefused(request("Content-Length: x", field), 400);
    await assertRefused(`POST / HTTP/1.0\r\n${field}\r\n\r\n`, 400);
  }
});

Deno.test("A control in Transfer-Encoding is refused with 400", async () => {
  for (const value of ["\x0bchunked", "chunked\x0c", "chun\x00ked"]) {
    await assertRefused(request(`Transfer-Encoding: ${value}`), 400);
  }
});

Deno.test("A repeated Transfer-Encoding is refused with 400", async () => {
  const chunked = "Transfer-Encoding: chunked";
  await assertRefused(request(chunked, chunked), 400);
  await assertRefused(request("Transfer-Encoding: gzip", chunked), 400);
  await assertRefused(request(chunked, "Content-Length: 0"), 400);
});

Deno.test("A Content-Length past maxBodyBytes is refused with 413, at it accepted", async () => {
  const limits = { maxBodyBytes: 10 };
  const head = await assertAccepted(request("Content-Length: 10"), limits);
  assertEquals(head.framing, 10);
  await assertRefused(request("Content-Length: 11"), 413, limits);
});

// What else a head says.

Deno.test("Connection says whether another request may follow", async () => {
  const cases: [version: string, connection: string[], boolean][] = [
    ["1.1", [], true],
    ["1.1", ["keep-alive"], true],
    ["1.1", ["close"], false],
    ["1.1", ["Close"], false],
    ["1.1", ["x, CLOSE\t, y"], false],
    ["1.1", ["close, keep-alive"], false],
    ["1.1", ["keep-alive", "close"], false],
    ["1.1", ["close", "keep-alive"], false],
    ["1.1", ["closed"], true],
    ["1.0", [], false],
    ["1.0", ["keep-alive"], true],
    ["1.0", ["Keep-Alive"], true],
    ["1.0", ["x, keep-alive"], true],
    ["1.0", ["keep-alive, close"], false],
    ["1.0", ["close"], false],
  ];
  for (const [version, values, expected] of cases) {
    const fields = values.map((value) => `Connection: ${value}\r\n`).join("");
    const wire = `GET / HTTP/${version}\r\nHost: a\r\n${fields}\r\n`;
    const { keepAlive } = await assertAccepted(wire);
    assertEquals(keepAlive, expected, wire);
  }
});

Deno.test("Expect takes 100-continue, and refuses anything else with 417", async () => {
  const length = "Content-Length: 1";
  for (const value of ["100-continue", "100-Continue"]) {
    const head = await assertAccepted(request(`Expect: ${value}`, length));
    assertEquals(head.expectsContinue, true);
  }
  for (const value of ["", "200-ok", "100-continue, x", "100-continue=1"]) {
    await assertRefused(request(`Expect: ${value}`, length), 417);
  }
});

Deno.test("No 100 is expected without content, or on HTTP/1.0", async () => {
  const bodyless = await assertAccepted(request("Expect: 100-continue"));
  assertEquals(bodyless.expectsContinue, false);
  const old = await assertAccepted(
    "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
  );
  assertEquals(old.expectsContinue, false);
});

Deno.test("TE says whether trailers are accepted, on HTTP/1.1", async () => {
  const cases: [string, boolean][] = [
    ["1.1\r\nTE: trailers", true],
    ["1.1\r\nTE: gzip, Trailers", true],
    ["1.1\r\nTE: gzip\r\nTE: trailers", true],
    ["1.1\r\nTE: trailers\r\nTE: gzip", true],
    ["1.1\r\nTE: gzip", false],
    ["1.1\r\nTE:", false],
    ["1.1", false],
    ["1.0\r\nTE: trailers", false],
  ];
  for (const [rest, expected] of cases) {
    const wire = `GET / HTTP/${rest}\r\nHost: a\r\n\r\n`;
    assertEquals((await assertAccepted(wire)).acceptsTrailers, expected, wire);
  }
});

Deno.test("An upgrade is asked for by both of its fields, on HTTP/1.1", async () => {
  const cases: [string, string | undefined][] = [
    ["1.1\r\nConnection: Upgrade\r\nUpgrade: websocket", "websocket"],
    [
      "1.1\r\nUpgrade: a/1\r\nConnection: close, upgrade\r\nUpgrade: b",
      "a/1, b",
    ],
    ["1.1\r\nUpgrade: websocket", undefined],
    ["1.1\r\nConnection: upgrade", undefined],
    ["1.0\r\nConnection: upgrade\r\nUpgrade: websocket", undefined],
  ];
  for (const [rest, expected] of cases) {
    const wire = `GET / HTTP/${rest}\r\nHost: a\r\n\r\n`;
    assertEquals((await assertAccepted(wire)).protocol, expected, wire);
  }
});
