// The four forms of a target: which method may use which, and into what they
// are taken apart.

import { assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../src/http/http_error.ts";
import { isHost, parseRequestTarget } from "../../src/http/request_target.ts";

function assertInvalid(method: string, target: string): void {
  const error = assertThrows(
    () => parseRequestTarget(method, target),
    HttpError,
    "Cannot parse request target",
  );
  assertEquals(error.status, 400);
}

Deno.test("parseRequestTarget() splits origin-form at the first question mark", () => {
  const targets: [string, string, string][] = [
    ["/", "/", ""],
    ["/a/b", "/a/b", ""],
    ["/a?b", "/a", "b"],
    ["/?", "/", ""],
    ["/a?b?c=d", "/a", "b?c=d"],
    ["//a//b", "//a//b", ""],
    ["/../a/./b", "/../a/./b", ""],
    ["/%00%0d%0a%zz", "/%00%0d%0a%zz", ""],
    ["/http://a/", "/http://a/", ""],
    ['/"<>[\\]^`{|}', '/"<>[\\]^`{|}', ""],
    ["/a;b@c:d", "/a;b@c:d", ""],
  ];
  for (const [target, path, query] of targets) {
    assertEquals(parseRequestTarget("GET", target), { path, query });
  }
});

Deno.test("parseRequestTarget() takes absolute-form apart, for any method but CONNECT", () => {
  const targets: [string, string, string, string][] = [
    ["http://a/", "a", "/", ""],
    ["http://a", "a", "/", ""],
    ["http://a?b", "a", "/", "b"],
    ["HTTPS://A.b:8443/c?d?e", "A.b:8443", "/c", "d?e"],
    ["http://[::1]:80/c", "[::1]:80", "/c", ""],
    ["http://a/http://b/", "a", "/http://b/", ""],
  ];
  for (const [target, authority, path, query] of targets) {
    for (const method of ["GET", "POST", "PURGE"]) {
      const expected = { path, query, authority };
      assertEquals(parseRequestTarget(method, target), expected);
    }
  }
});

Deno.test("parseRequestTarget() takes * for OPTIONS only", () => {
  assertEquals(parseRequestTarget("OPTIONS", "*"), { path: "*", query: "" });
  for (const method of ["GET", "options", "CONNECT"]) {
    assertInvalid(method, "*");
  }
  for (const target of ["**", "*?a", "*/"]) assertInvalid("OPTIONS", target);
});

Deno.test("parseRequestTarget() reads an OPTIONS of a bare authority as *", () => {
  const authority = "a:80";
  assertEquals(parseRequestTarget("OPTIONS", "http://a:80"), {
    path: "*",
    query: "",
    authority,
  });
  assertEquals(parseRequestTarget("OPTIONS", "http://a:80/").path, "/");
});

Deno.test("parseRequestTarget() takes authority-form with a port for CONNECT only", () => {
  for (const target of ["a:443", "[::1]:443", "a_b.c:1", "127.0.0.1:65535"]) {
    assertEquals(parseRequestTarget("CONNECT", target), {
      path: target,
      query: "",
      authority: target,
    });
    assertInvalid("GET", target);
  }
  const bad = ["a", "a:", ":443", "/", "http://a:443", "u@a:443", "a:443/", ""];
  for (const target of bad) assertInvalid("CONNECT", target);
});

Deno.test("parseRequestTarget() refuses what has none of the forms", () => {
  const targets = [
    "",
    "a",
    "?a",
    "http:",
    "http:/a",
    "http:///a",
    "http://",
    "http://?a",
    "http://a b/",
    "http://user@a/",
    "http://user:pw@a/",
    "http://a:b/",
    "http://[::1/",
    "ftp://a/",
    "s://]ufd/:",
    "javascript:alert(1)",
  ];
  for (const target of targets) assertInvalid("GET", target);
});

Deno.test("parseRequestTarget() refuses controls, spaces, # and bytes above 0x7E", () => {
  for (let code = 0; code < 256; code++) {
    const allowed = code > 0x20 && code < 0x7f && code !== 0x23;
    for (const prefix of ["/", "/a?", "http://a/"]) {
      const target = `${prefix}${String.fromCharCode(code)}b`;
      if (allowed) parseRequestTarget("GET", target);
      else assertInvalid("GET", target);
    }
  }
});

Deno.test("isHost() accepts a name or an address, with or without a port", () => {
  for (const host of ["a", "a.b-c_d~", "1.2.3.4:5", "[::ffff:1.2.3.4]", "a:"]) {
    assertEquals(isHost(host), true, host);
  }
  for (const host of ["a:1x", "a:-1", "[::1]x", "[a]b", "a\n", "a/", "a@b"]) {
    assertEquals(isHost(host), false, host);
  }
});
