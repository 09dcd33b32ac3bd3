// Prefixes of paths: whole segments, and nothing that a browser reads otherwise.

import { assertEquals } from "@std/assert";
import {
  isBelow,
  isPrefix,
  pathBelowRoot,
  withPrefix,
} from "../../src/middleware/_prefix.ts";
import { httpScopeOf } from "./_calls.ts";

Deno.test("isPrefix() accepts one or several segments", () => {
  const good = ["/api", "/api/v2", "/a b", "/.well-known", "/..."];
  assertEquals(good.filter(isPrefix), good);
  const bad = ["", "/", "api", "/api/", "//a", "/a//b", "/..", "/a/./b"];
  const worse = ["/a?b", "/a#b", "/a%20b", "/a\\b", "/a\nb"];
  assertEquals([...bad, ...worse].filter(isPrefix), []);
});

Deno.test("isBelow() counts whole segments", () => {
  assertEquals(isBelow("/api", "/api"), true);
  assertEquals(isBelow("/api/x", "/api"), true);
  assertEquals(isBelow("/apis", "/api"), false);
  assertEquals(isBelow("/x", ""), true);
});

Deno.test("withPrefix() puts a prefix before root_path and path", () => {
  const scope = { ...httpScopeOf({ target: "/x" }), root_path: "/b" };
  const { root_path, path, raw_path } = withPrefix(scope, "/a");
  assertEquals([root_path, path, raw_path], ["/a/b", "/a/x", "/x"]);
  assertEquals(scope.root_path, "/b");
  assertEquals(withPrefix({ ...scope, path: "*" }, "/a").path, "*");
});

Deno.test("pathBelowRoot() is undefined for a path that is not below the root", () => {
  const scope = { ...httpScopeOf({ target: "/a/x" }), root_path: "/a" };
  assertEquals(pathBelowRoot(scope), "/x");
  assertEquals(pathBelowRoot({ ...scope, path: "/ax" }), undefined);
});
