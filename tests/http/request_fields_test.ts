// Fields become a request, or are malformed, or get a status.

import { assertEquals, assertThrows } from "@std/assert";
import { MalformedError } from "../../src/http/field_section.ts";
import type { Field } from "../../src/http/fields.ts";
import { HttpError } from "../../src/http/http_error.ts";
import { DEFAULT_LIMITS } from "../../src/http/limits.ts";
import { readRequestFields } from "../../src/http/request_fields.ts";

const GET: Record<string, string> = {
  ":method": "GET",
  ":scheme": "https",
  ":authority": "a.b:8443",
  ":path": "/x?y",
};

/** GET with other pseudo-fields (`undefined`: none), and with fields. */
function request(
  pseudo: Record<string, string | undefined> = {},
  fields: Field[] = [],
): Field[] {
  const all = Object.entries({ ...GET, ...pseudo })
    .filter((field): field is [string, string] => field[1] !== undefined);
  return [...all, ...fields];
}

function read(fields: Field[], hasContent = true, limits = DEFAULT_LIMITS) {
  return readRequestFields(fields, hasContent, limits);
}

Deno.test("A request is read", () => {
  assertEquals(read(request({}, [["a", "b"]])), {
    method: "GET",
    target: { path: "/x", query: "y" },
    headers: [["host", "a.b:8443"], ["a", "b"]],
    protocol: undefined,
    contentLength: undefined,
    expectsContinue: false,
    priority: undefined,
  });
});

Deno.test("Pseudo-fields come in any order; the method is in uppercase", () => {
  const { method } = read(request({ ":method": "get" }).reverse());
  assertEquals(method, "GET");
});

const CONNECT = {
  ":method": "CONNECT",
  ":scheme": undefined,
  ":path": undefined,
  ":authority": "a.b:443",
};
const EXTENDED = { ":method": "CONNECT", ":protocol": "websocket" };

Deno.test("CONNECT has an authority for its target, and no content", () => {
  const fields = request(CONNECT, [["content-length", "5"]]);
  const { method, target, headers, contentLength } = read(fields);
  assertEquals([method, target.path, target.authority, contentLength], [
    "CONNECT",
    "a.b:443",
    "a.b:443",
    undefined,
  ]);
  assertEquals(headers[0], ["host", "a.b:443"]);
});

Deno.test("An extended CONNECT has a path, and a protocol", () => {
  const { method, target, protocol } = read(request(EXTENDED));
  assertEquals([method, target, protocol], [
    "CONNECT",
    { path: "/x", query: "y" },
    "websocket",
  ]);
});

Deno.test("OPTIONS may ask for *, no other method may", () => {
  const { target } = read(request({ ":method": "OPTIONS", ":path": "*" }));
  assertEquals(target, { path: "*", query: "" });
  assertThrows(() => read(request({ ":path": "*" })), MalformedError);
});

Deno.test("Host stands in for :authority, and must not differ from it", () => {
  const host: Field = ["host", "A.b:8443"];
  const both = read(request({}, [["a", "b"], host]));
  assertEquals(both.headers, [["host", "a.b:8443"], ["a", "b"]]);
  const alone = read(request({ ":authority": undefined }, [["a", "b"], host]));
  assertEquals(alone.headers, [host, ["a", "b"]]);
});

const MALFORMED: [what: string, fields: Field[]][] = [
  ["no fields", []],
  ["no :method", request({ ":method": undefined })],
  ["a method that is no token", request({ ":method": "G T" })],
  ["a method of 33 letters", request({ ":method": "A".repeat(33) })],
  ["no :scheme", request({ ":scheme": undefined })],
  ["another :scheme", request({ ":scheme": "ftp" })],
  ["no :path", request({ ":path": undefined })],
  ["a relative :path", request({ ":path": "x" })],
  ["an absolute :path", request({ ":path": "https://a.b/" })],
  ["a :path with a space", request({ ":path": "/a b" })],
  ["a :path with a fragment", request({ ":path": "/a#b" })],
  ["a :path that is not ASCII", request({ ":path": "/\xe4" })],
  ["no authority", request({ ":authority": undefined })],
  ["a user in :authority", request({ ":authority": "u@a.b" })],
  ["a :authority that is no host", request({ ":authority": "a/b" })],
  ["a Host that differs", request({}, [["host", "a.c"]])],
  ["an empty Host", request({ ":authority": undefined }, [["host", ""]])],
  ["two Hosts", request({}, [["host", "a.b:8443"], ["host", "a.b:8443"]])],
  ["CONNECT with :path", request({ ...CONNECT, ":path": "/" })],
  ["CONNECT with :scheme", request({ ...CONNECT, ":scheme": "https" })],
  [
    "CONNECT without :authority",
    request({ ...CONNECT, ":authority": undefined }),
  ],
  ["CONNECT without a port", request({ ...CONNECT, ":authority": "a.b" })],
  ["GET with :protocol", request({ ":protocol": "websocket" })],
  [
    "a :protocol that is no token",
    request({ ...EXTENDED, ":protocol": "a b" }),
  ],
  ["extended CONNECT, no :path", request({ ...EXTENDED, ":path": undefined })],
  [
    "extended CONNECT, no :scheme",
    request({ ...EXTENDED, ":scheme": undefined }),
  ],
  [
    "extended CONNECT, only Host",
    request({ ...EXTENDED, ":authority": undefined }, [["host", "a.b"]]),
  ],
  [
    "Content-Length twice",
    request({}, [["content-length", "1"], ["content-length", "1"]]),
  ],
  ["Content-Length of two", request({}, [["content-length", "1, 1"]])],
  ["a negative Content-Length", request({}, [["content-length", "-1"]])],
  ["an empty Content-Length", request({}, [["content-length", ""]])],
  ["16 digits", request({}, [["content-length", "1000000000000000"]])],
  ["Transfer-Encoding", request({}, [["transfer-encoding", "chunked"]])],
];

for (const [what, fields] of MALFORMED) {
  Deno.test(`A request is malformed: ${what}`, () => {
    assertThrows(() => read(fields), MalformedError);
  });
}

Deno.test("A request without content has a Content-Length of 0, or none", () => {
  assertEquals(read(request(), false).contentLength, 0);
  const zero = request({}, [["content-length", "0"]]);
  assertEquals(read(zero, false).contentLength, 0);
  const one = request({}, [["content-length", "1"]]);
  assertThrows(() => read(one, false), MalformedError);
  assertEquals(read(one).contentLength, 1);
});

const REFUSED: [status: number, fields: Field[]][] = [
  [413, request({}, [["content-length", "11"]])],
  [414, request({ ":path": "/" + "a".repeat(20) })],
  [417, request({}, [["expect", "a miracle"]])],
];

for (const [status, fields] of REFUSED) {
  Deno.test(`A request that is not served has the status ${status}`, () => {
    const limits = {
      ...DEFAULT_LIMITS,
      maxBodyBytes: 10,
      maxRequestLineBytes: 20,
    };
    const error = assertThrows(() => read(fields, true, limits), HttpError);
    assertEquals(error.status, status);
  });
}

Deno.test("A client waits for a 100 if it has content", () => {
  const fields = request({}, [["expect", "100-Continue"]]);
  assertEquals(read(fields).expectsContinue, true);
  assertEquals(read(fields, false).expectsContinue, false);
});

Deno.test("Fields of Priority are one list", () => {
  const { priority } = read(
    request({}, [["priority", "u=1"], ["priority", "i"]]),
  );
  assertEquals(priority, "u=1, i");
});
