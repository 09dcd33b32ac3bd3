// The scope of a request: every key, how paths are decoded, and that two scopes
// share nothing that an application could change.

import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  type ConnectionInfo,
  decodePath,
  httpScope,
  type ScopedRequest,
  webSocketScope,
} from "../../src/asgi/http_scope.ts";

const REQUEST: ScopedRequest = {
  version: "1.1",
  method: "GET",
  target: { path: "/caf%C3%A9/a%2Fb", query: "q=%C3%A9&r" },
  headers: [["host", "example.org"], ["x-a", "1"], ["x-a", "\xe9"]],
};
const CONNECTION: ConnectionInfo = {
  scheme: "http",
  client: ["192.0.2.1", 50000],
  server: ["192.0.2.2", 8000],
};

Deno.test("httpScope() fills every key of the specification", () => {
  assertEquals(httpScope(REQUEST, CONNECTION), {
    type: "http",
    asgi: { version: "3.0", spec_version: "2.5" },
    http_version: "1.1",
    method: "GET",
    scheme: "http",
    path: "/café/a/b",
    raw_path: "/caf%C3%A9/a%2Fb",
    query_string: "q=%C3%A9&r",
    root_path: "",
    headers: [["host", "example.org"], ["x-a", "1"], ["x-a", "\xe9"]],
    client: ["192.0.2.1", 50000],
    server: ["192.0.2.2", 8000],
    extensions: {
      "http.response.pathsend": {},
      "http.response.zerocopysend": {},
      "http.response.trailers": {},
    },
  });
});

Deno.test("httpScope() offers what is known of TLS, and so does webSocketScope()", () => {
  const tls = Object.freeze({
    server_cert: "-----BEGIN CERTIFICATE-----",
    client_cert_chain: Object.freeze([]),
    client_cert_name: null,
    client_cert_error: null,
    tls_version: 0x0304,
    cipher_suite: 0x1301,
  });
  const connection: ConnectionInfo = { ...CONNECTION, scheme: "https", tls };
  assertEquals(httpScope(REQUEST, connection).extensions.tls, tls);
  assertEquals(webSocketScope(REQUEST, connection, []).extensions.tls, tls);
  assertFalse("tls" in httpScope(REQUEST, CONNECTION).extensions);
  assertFalse("tls" in webSocketScope(REQUEST, CONNECTION, []).extensions);
});

Deno.test("httpScope() has no state unless lifespan gave one", () => {
  assert(!("state" in httpScope(REQUEST, CONNECTION)));
});

Deno.test("httpScope() says the version that the request came by", () => {
  for (const version of ["1.0", "1.1", "2", "3"] as const) {
    const scope = httpScope({ ...REQUEST, version }, CONNECTION);
    assertEquals(scope.http_version, version);
  }
});

Deno.test("httpScope() offers early hints where the wire can send them", () => {
  for (const version of ["1.1", "2", "3"] as const) {
    for (const earlyHints of [true, false]) {
      const request = { ...REQUEST, version };
      const { extensions } = httpScope(request, CONNECTION, { earlyHints });
      assertEquals("http.response.early_hint" in extensions, earlyHints);
    }
  }
});

Deno.test("httpScope() offers no trailers to HTTP/1.0", () => {
  const scope = httpScope({ ...REQUEST, version: "1.0" }, CONNECTION);
  assertEquals(Object.keys(scope.extensions).sort(), [
    "http.response.pathsend",
    "http.response.zerocopysend",
  ]);
});

Deno.test("httpScope() gives the scheme, and addresses that are unknown or a unix socket's", () => {
  const scope = httpScope(REQUEST, {
    scheme: "https",
    client: null,
    server: ["/run/app.sock", null],
  });
  assertEquals(scope.scheme, "https");
  assertEquals(scope.client, null);
  assertEquals(scope.server, ["/run/app.sock", null]);
  const unknown = httpScope(REQUEST, { ...CONNECTION, server: null });
  assertEquals(unknown.server, null);
});

Deno.test("httpScope() keeps headers in a list, whatever clients call them", () => {
  const headers = [["__proto__", "1"], ["constructor", "2"]] as const;
  const scope = httpScope({ ...REQUEST, headers }, CONNECTION);
  assertEquals(scope.headers, [["__proto__", "1"], ["constructor", "2"]]);
});

Deno.test("Two scopes share nothing that can be changed", () => {
  const first = httpScope({ ...REQUEST, headers: [["a", "b"]] }, CONNECTION);
  const second = httpScope({ ...REQUEST, headers: [["a", "b"]] }, CONNECTION);
  const parts = objectsIn(first);
  const shared = [...objectsIn(second)].filter((part) => parts.has(part));
  assertEquals(shared.filter((part) => !Object.isFrozen(part)), []);
  assert(parts.size > 5);
});

Deno.test("Changes to a scope do not reach the connection's addresses", () => {
  const connection: ConnectionInfo = {
    scheme: "http",
    client: ["192.0.2.1", 1],
    server: ["192.0.2.2", 2],
  };
  const scope = httpScope(REQUEST, connection);
  scope.client![0] = "changed";
  scope.server![0] = "changed";
  assertEquals(connection.client, ["192.0.2.1", 1]);
  assertEquals(connection.server, ["192.0.2.2", 2]);
});

const PATHS: readonly [what: string, raw: string, path: string][] = [
  ["nothing to decode", "/a/b-c", "/a/b-c"],
  ["the asterisk", "*", "*"],
  ["an empty path", "", ""],
  ["ASCII", "/%41%62", "/Ab"],
  ["lowercase and uppercase digits", "/%c3%A9%C3%a9", "/éé"],
  ["four bytes", "/%F0%9F%A6%95", "/🦕"],
  ["an encoded slash", "/a%2Fb", "/a/b"],
  ["an encoded question mark", "/a%3Fb", "/a?b"],
  ["an encoded percent sign, once", "/%2541", "/%41"],
  ["a plus sign, which is no space", "/a+b", "/a+b"],
  ["NUL", "/%00", "/\0"],
  ["no UTF-8", "/%FF", "/\uFFFD"],
  ["a sequence that breaks off", "/%C3", "/\uFFFD"],
  ["a sequence that text interrupts", "/%C3x%A9", "/\uFFFDx\uFFFD"],
  ["an encoded surrogate", "/%ED%A0%80", "/\uFFFD\uFFFD\uFFFD"],
  ["an overlong slash", "/%C0%AF", "/\uFFFD\uFFFD"],
  ["what is no escape", "/%zz", "/%zz"],
  ["an escape that breaks off", "/%4", "/%4"],
  ["a lone percent sign", "/%", "/%"],
  ["escapes beside what is none", "/%41%zz%42", "/A%zzB"],
  ["an escape of which the second digit is none", "/%4g%41", "/%4gA"],
  ["a byte order mark", "/%EF%BB%BFa", "/\uFEFFa"],
  ["two byte order marks apart", "/%EF%BB%BFa%EF%BB%BF", "/\uFEFFa\uFEFF"],
];

for (const [what, raw, path] of PATHS) {
  Deno.test(`decodePath() of ${what}: ${raw}`, () => {
    assertEquals(decodePath(raw), path);
  });
}

Deno.test("decodePath() never throws, whatever two escapes hold", () => {
  for (let code = 0; code < 0x10000; code++) {
    const [high, low] = [code >> 8, code & 0xff].map(hex);
    const path = decodePath(`%${high}%${low}`);
    assert(path.length === 1 || path.length === 2, `%${high}%${low}`);
  }
});

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** All objects that can be reached from a value. */
function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== "object" || value === null) return found;
  found.add(value);
  for (const part of Object.values(value)) objectsIn(part, found);
  return found;
}
