// The shapes of the events that applications send: what is accepted, in which
// form the rest of the server gets it, and how a faulty event is refused.

import { assertEquals, assertThrows } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import { checkEvent } from "../../src/asgi/http_events.ts";
import type { HttpSendEvent } from "../../src/asgi/types.ts";
import { bytes, FakeFile } from "./_fake_wire.ts";

/** Checks what an application in plain JavaScript may send. */
function check(event: unknown): ReturnType<typeof checkEvent> {
  return checkEvent(event as HttpSendEvent);
}

/** What `headers` become. */
function checkHeaders(headers: unknown): unknown {
  const event = check({ type: "http.response.start", status: 200, headers });
  return event.type === "http.response.start" ? event.headers : undefined;
}

const file = new FakeFile("content");

Deno.test("checkEvent() fills the defaults of http.response.start", () => {
  assertEquals(check({ type: "http.response.start", status: 200 }), {
    type: "http.response.start",
    status: 200,
    headers: [],
    trailers: false,
    contentLength: undefined,
  });
});

Deno.test("checkEvent() accepts every status from 200 to 999", () => {
  for (const status of [200, 299, 404, 599, 600, 999]) {
    const event = check({ type: "http.response.start", status });
    assertEquals("status" in event && event.status, status);
  }
});

Deno.test("checkEvent() takes names and values as strings and as bytes", () => {
  const headers = [
    ["X-Text", "caf\xe9"],
    [bytes("X-Bytes"), Uint8Array.of(0x63, 0xe9)],
    ["x-mixed", bytes("b")],
    [bytes("x-mixed"), "t"],
  ];
  assertEquals(checkHeaders(headers), [
    ["x-text", "caf\xe9"],
    ["x-bytes", "c\xe9"],
    ["x-mixed", "b"],
    ["x-mixed", "t"],
  ]);
});

Deno.test("checkEvent() keeps the order of headers, and repeated ones apart", () => {
  const headers = [["set-cookie", "a=1"], ["b", "2"], ["Set-Cookie", "c=3"]];
  assertEquals(checkHeaders(headers), [
    ["set-cookie", "a=1"],
    ["b", "2"],
    ["set-cookie", "c=3"],
  ]);
});

Deno.test("checkEvent() takes headers from any iterable of pairs", () => {
  const expected = [["a", "1"], ["b", "2"]];
  assertEquals(checkHeaders(new Map([["a", "1"], ["b", "2"]])), expected);
  assertEquals(checkHeaders(new Headers([["A", "1"], ["B", "2"]])), expected);
  assertEquals(checkHeaders(pairs()), expected);
});

Deno.test("checkEvent() accepts every character of a token in a name", () => {
  const name = "!#$%&'*+-.^_`|~09azAZ";
  assertEquals(checkHeaders([[name, ""]]), [[name.toLowerCase(), ""]]);
});

Deno.test("checkEvent() accepts tabs, spaces and high bytes in a value", () => {
  const value = "a\tb c\x80\xff";
  assertEquals(checkHeaders([["a", value]]), [["a", value]]);
});

Deno.test("checkEvent() keeps names that plain objects know", () => {
  const headers = [["__proto__", "1"], ["constructor", "2"]];
  assertEquals(checkHeaders(headers), headers);
});

Deno.test("checkEvent() copies headers, so that changes come too late", () => {
  const headers: [string, string][] = [["a", "1"]];
  const checked = checkHeaders(headers);
  headers[0][1] = "changed";
  headers.push(["b", "2"]);
  assertEquals(checked, [["a", "1"]]);
});

for (const [value, length] of [["0", 0], ["5", 5], ["007", 7]] as const) {
  Deno.test(`checkEvent() understands content-length ${value}`, () => {
    const event = check({
      type: "http.response.start",
      status: 200,
      headers: [["Content-Length", value]],
    });
    assertEquals("contentLength" in event && event.contentLength, length);
  });
}

Deno.test("checkEvent() understands a content-length beyond 4 GiB", () => {
  const event = check({
    type: "http.response.start",
    status: 200,
    headers: [[bytes("content-length"), bytes("999999999999999")]],
  });
  assertEquals("contentLength" in event && event.contentLength, 1e15 - 1);
});

Deno.test("checkEvent() fills the defaults of http.response.body", () => {
  assertEquals(check({ type: "http.response.body" }), {
    type: "http.response.body",
    body: new Uint8Array(0),
    more_body: false,
  });
});

Deno.test("checkEvent() encodes a body of text as UTF-8", () => {
  const event = check({ type: "http.response.body", body: "é🦕" });
  assertEquals(
    "body" in event && event.body,
    Uint8Array.of(0xc3, 0xa9, 0xf0, 0x9f, 0xa6, 0x95),
  );
});

Deno.test("checkEvent() takes a part of a buffer as that part alone", () => {
  const body = bytes("abcdef").subarray(2, 4);
  const event = check({ type: "http.response.body", body, more_body: true });
  assertEquals(event, {
    type: "http.response.body",
    body: bytes("cd"),
    more_body: true,
  });
});

Deno.test("checkEvent() fills the defaults of http.response.trailers", () => {
  assertEquals(check({ type: "http.response.trailers" }), {
    type: "http.response.trailers",
    headers: [],
    more_trailers: false,
  });
});

Deno.test("checkEvent() makes Link fields of the links of early hints", () => {
  const links = ["</a>; rel=preload", bytes("</b>")];
  for (const iterable of [links, new Set(links)]) {
    assertEquals(
      check({ type: "http.response.early_hint", links: iterable }),
      {
        type: "http.response.early_hint",
        headers: [["link", "</a>; rel=preload"], ["link", "</b>"]],
      },
    );
  }
});

for (const path of ["/srv/a.txt", "C:\\a.txt", "c:/a.txt", "\\\\host\\a"]) {
  Deno.test(`checkEvent() takes the absolute path ${path}`, () => {
    const event = check({ type: "http.response.pathsend", path });
    assertEquals("path" in event && event.path, path);
  });
}

Deno.test("checkEvent() takes a file with and without offset and count", () => {
  const type = "http.response.zerocopysend";
  for (
    const event of [
      { type, file },
      { type, file, offset: 0, count: 0, more_body: true },
      { type, file, offset: 5 },
      { type, file: { read: () => Promise.resolve(null) }, count: 5 },
    ]
  ) assertEquals(check(event).type, type);
});

Deno.test("checkEvent() ignores keys that it does not know", () => {
  const extra = { extra: 1, headers_: null, toString: 2 };
  assertEquals(
    check({ type: "http.response.body", body: "a", ...extra }),
    check({ type: "http.response.body", body: "a" }),
  );
  assertEquals(
    check({ type: "http.response.start", status: 200, ...extra }),
    check({ type: "http.response.start", status: 200 }),
  );
});

type Refusal = readonly [what: string, event: unknown, message: string];

const NO_EVENTS: Refusal[] = [
  ["undefined", undefined, "unknown type undefined"],
  ["null", null, "unknown type undefined"],
  ["a string", "http.response.start", "unknown type undefined"],
  ["an object without a type", {}, "unknown type undefined"],
  ["an unknown type", { type: "http.response.push" }, '"http.response.push"'],
  ["a type of the other direction", { type: "http.request" }, "http.request"],
  ["a type that is no string", { type: 1 }, "unknown type 1"],
  ["a type that is a symbol", { type: Symbol("a") }, "Symbol(a)"],
  ["an endless type", { type: "x".repeat(1000) }, `${"x".repeat(60)}…"`],
];

const STATUS = "status must be an integer 200–999";
const PAIR = "each header must be a pair";
const TOKEN = "a header's name must be a token";
const VALUE = "the value of a must be a byte string without controls";
const LENGTH = "content-length must be one number";

const STARTS: Refusal[] = [
  ["no status", {}, `${STATUS}, not undefined`],
  ["a status of text", { status: "200" }, `${STATUS}, not "200"`],
  ["a null status", { status: null }, `${STATUS}, not null`],
  ["a fraction as status", { status: 200.5 }, `${STATUS}, not 200.5`],
  ["NaN as status", { status: NaN }, `${STATUS}, not NaN`],
  ["an interim status", { status: 100 }, `${STATUS}, not 100`],
  ["a switching status", { status: 101 }, `${STATUS}, not 101`],
  ["status 199", { status: 199 }, `${STATUS}, not 199`],
  ["status 1000", { status: 1000 }, `${STATUS}, not 1000`],
  ["status 0", { status: 0 }, `${STATUS}, not 0`],
  ["a negative status", { status: -200 }, `${STATUS}, not -200`],
  ["trailers of text", { trailers: "yes" }, "trailers must be a boolean"],
  ["null trailers", { trailers: null }, "trailers must be a boolean, not null"],
  ["null headers", { headers: null }, "headers must be a list of pairs"],
  ["headers in an object", { headers: { a: "1" } }, "must be a list of pairs"],
  ["headers of text", { headers: "a: 1" }, "must be a list of pairs, not"],
  ["a header of text", { headers: ["ab"] }, `${PAIR}, not "ab"`],
  ["a header of one part", { headers: [["a"]] }, PAIR],
  ["a header of three parts", { headers: [["a", "1", "2"]] }, PAIR],
  ["a header of two bytes", { headers: [Uint8Array.of(97, 98)] }, PAIR],
  ["an empty name", { headers: [["", "1"]] }, `${TOKEN}, not ""`],
  ["a name with a space", { headers: [["a b", "1"]] }, TOKEN],
  ["a name with a colon", { headers: [["a:", "1"]] }, TOKEN],
  ["a pseudo-header", { headers: [[":status", "200"]] }, TOKEN],
  ["a name with CR LF", { headers: [["a\r\nb", "1"]] }, TOKEN],
  ["a name with LF at its end", { headers: [["a\n", "1"]] }, TOKEN],
  ["a name with NUL", { headers: [["a\0", "1"]] }, TOKEN],
  ["a name beyond ASCII", { headers: [["é", "1"]] }, TOKEN],
  ["a name of bytes with LF", { headers: [[bytes("a\n"), "1"]] }, TOKEN],
  ["a name that is a number", { headers: [[1, "1"]] }, `${TOKEN}, not 1`],
  ["a value with CR", { headers: [["a", "1\r"]] }, VALUE],
  ["a value with LF", { headers: [["a", "1\nb: 2"]] }, VALUE],
  ["a value with LF at its end", { headers: [["a", "1\n"]] }, VALUE],
  ["a value with CR LF", { headers: [["a", "1\r\nb: 2"]] }, VALUE],
  ["a value with NUL", { headers: [["a", "1\0"]] }, VALUE],
  ["a value with DEL", { headers: [["a", "\x7f"]] }, VALUE],
  ["a value of bytes with LF", { headers: [["a", bytes("1\n2")]] }, VALUE],
  ["a value beyond a byte", { headers: [["a", "€"]] }, VALUE],
  ["a value that hides LF in two bytes", { headers: [["a", "\u010a"]] }, VALUE],
  ["a value that is a number", { headers: [["a", 1]] }, `${VALUE}, not 1`],
  ["a null value", { headers: [["a", null]] }, `${VALUE}, not null`],
  ["an empty length", { headers: [["content-length", ""]] }, LENGTH],
  ["a signed length", { headers: [["content-length", "+5"]] }, LENGTH],
  ["a negative length", { headers: [["content-length", "-5"]] }, LENGTH],
  ["a length with a space", { headers: [["content-length", " 5"]] }, LENGTH],
  ["a hexadecimal length", { headers: [["content-length", "0x5"]] }, LENGTH],
  ["a list of lengths", { headers: [["content-length", "5, 5"]] }, LENGTH],
  ["a fraction as length", { headers: [["content-length", "5.0"]] }, LENGTH],
  ["a length of 16 digits", {
    headers: [["content-length", "1234567890123456"]],
  }, LENGTH],
  ["two lengths", {
    headers: [["content-length", "5"], ["Content-Length", "5"]],
  }, LENGTH],
];

const BODY = "body must be a Uint8Array or a string";

const BODIES: Refusal[] = [
  ["null", { body: null }, `${BODY}, not null`],
  ["a number", { body: 5 }, `${BODY}, not 5`],
  [
    "an ArrayBuffer",
    { body: new ArrayBuffer(1) },
    "an instance of ArrayBuffer",
  ],
  ["a view of words", { body: new Uint16Array(1) }, "instance of Uint16Array"],
  ["a list", { body: [1, 2] }, "an instance of Array"],
  ["an object without a prototype", { body: Object.create(null) }, "Object"],
  ["a stream", { body: new Blob().stream() }, "an instance of ReadableStream"],
  ["a flag of text", { more_body: "no" }, "more_body must be a boolean"],
  ["a flag of 0", { more_body: 0 }, "more_body must be a boolean, not 0"],
  ["a null flag", { more_body: null }, "more_body must be a boolean, not null"],
];

const TRAILERS: Refusal[] = [
  ["a flag of 1", { more_trailers: 1 }, "more_trailers must be a boolean"],
  ["null headers", { headers: null }, "headers must be a list of pairs"],
  ["a value with CR LF", { headers: [["a", "1\r\nb: 2"]] }, VALUE],
  ["a name with a space", { headers: [["a b", "1"]] }, TOKEN],
];

const LINKS: Refusal[] = [
  ["nothing", {}, "links must be a list, not undefined"],
  ["one link of text", { links: "</a>" }, 'links must be a list, not "</a>"'],
  ["a number", { links: [1] }, "the value of link must be a byte string"],
  ["CR LF", { links: ["</a>\r\nb: 2"] }, "the value of link must be"],
  ["LF in bytes", { links: [bytes("</a>\n")] }, "the value of link must be"],
];

const PATHSENDS: Refusal[] = [
  ["nothing", {}, "path must be an absolute path, not undefined"],
  ["an empty path", { path: "" }, 'path must be an absolute path, not ""'],
  ["a relative path", { path: "a/b" }, "path must be an absolute path"],
  ["a path from here", { path: "./a" }, "path must be an absolute path"],
  ["a path upwards", { path: "../a" }, "path must be an absolute path"],
  ["a drive without a path", { path: "C:a" }, "path must be an absolute path"],
  ["NUL", { path: "/a\0.txt" }, "path must be an absolute path"],
  ["a URL", { path: new URL("file:///a") }, "not an instance of URL"],
];

const FILES: Refusal[] = [
  ["nothing", {}, "file must be an open file, not undefined"],
  ["null", { file: null }, "file must be an open file, not null"],
  ["a file descriptor", { file: 3 }, "file must be an open file, not 3"],
  ["a path", { file: "/a" }, 'file must be an open file, not "/a"'],
  ["an offset, but no seek()", {
    file: { read: () => Promise.resolve(null) },
    offset: 1,
  }, "file must have seek() for an offset"],
  ["a negative offset", { file, offset: -1 }, "offset must be a number of"],
  ["half a byte", { file, offset: 0.5 }, "offset must be a number of bytes"],
  ["an offset of text", { file, offset: "1" }, 'number of bytes, not "1"'],
  ["a negative count", { file, count: -1 }, "count must be a number of bytes"],
  ["an endless count", { file, count: Infinity }, "count must be a number of"],
  ["a null count", { file, count: null }, "count must be a number of bytes"],
  ["a flag of text", { file, more_body: "" }, "more_body must be a boolean"],
];

refuses("no event", "Cannot send event: ", NO_EVENTS);
refusesEach("http.response.start", STARTS, { status: 200 });
refusesEach("http.response.body", BODIES);
refusesEach("http.response.trailers", TRAILERS);
refusesEach("http.response.early_hint", LINKS);
refusesEach("http.response.pathsend", PATHSENDS);
refusesEach("http.response.zerocopysend", FILES);

function refusesEach(type: string, refusals: Refusal[], valid = {}): void {
  const events = refusals.map(([what, event, message]): Refusal => [
    what,
    what === "no status" ? { type } : { type, ...valid, ...event as object },
    message,
  ]);
  refuses(type, `Cannot send ${type}: `, events);
}

function refuses(where: string, opening: string, refusals: Refusal[]): void {
  for (const [what, event, message] of refusals) {
    Deno.test(`checkEvent() refuses in ${where}: ${what}`, () => {
      const error = assertThrows(
        () => check(event),
        InvalidEventError,
        message,
      );
      assertEquals(error.message.slice(0, opening.length), opening);
    });
  }
}

function* pairs(): Generator<[string, string]> {
  yield ["a", "1"];
  yield ["b", "2"];
}
