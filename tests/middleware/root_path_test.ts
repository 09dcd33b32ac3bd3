// The prefix that a proxy takes off the path, and how it is put back.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { AsgiApp } from "../../src/asgi/types.ts";
import { isRootPath, rootPath } from "../../src/middleware/root_path.ts";
import { httpScopeOf, seenThrough, webSocketScopeOf } from "./_calls.ts";

Deno.test("rootPath() puts the prefix before the path, and leaves raw_path alone", async () => {
  const wrap = (app: AsgiApp) => rootPath(app, "/outer");
  for (
    const scope of [
      httpScopeOf({ target: "/a%20b?q" }),
      webSocketScopeOf({ target: "/a%20b?q" }),
    ]
  ) {
    assertEquals(await seenThrough(wrap, scope), {
      ...scope,
      root_path: "/outer",
      path: "/outer/a b",
    });
    assertEquals(scope.root_path, "");
  }
});

Deno.test("rootPath() puts the prefix before a path that begins with it as well, because a proxy took it off", async () => {
  const wrap = (app: AsgiApp) => rootPath(app, "/outer");
  const scope = await seenThrough(wrap, httpScopeOf({ target: "/outer/x" }));
  assert(scope?.type === "http");
  assertEquals(scope.path, "/outer/outer/x");
});

Deno.test("rootPath() changes nothing without a prefix", () => {
  const app: AsgiApp = () => {};
  assert(rootPath(app, "") === app);
});

Deno.test("rootPath() refuses what is no prefix", () => {
  for (const prefix of ["/", "api", "/api/", "https://a.test/api"]) {
    assertThrows(
      () => rootPath(() => {}, prefix),
      TypeError,
      `Cannot use root path "${prefix}"`,
    );
  }
});

Deno.test("isRootPath() accepts what rootPath() does", () => {
  for (const prefix of ["", "/api", "/api/v2"]) assert(isRootPath(prefix));
  for (const value of ["/", "api", "/api/", 1, null, undefined]) {
    assert(!isRootPath(value));
  }
});
