// Which application gets which path, and what it sees of it.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { AsgiApp, Scope } from "../../src/asgi/types.ts";
import { mount } from "../../src/middleware/mount.ts";
import { rootPath } from "../../src/middleware/root_path.ts";
import {
  eventsOf,
  headOf,
  httpScopeOf,
  seenThrough,
  webSocketScopeOf,
} from "./_calls.ts";

/** Which application gets a path, and the root path that it sees. */
async function routed(target: string, paths: string[], prefix = "") {
  const calls: unknown[] = [];
  const apps = Object.fromEntries(paths.map((path): [string, AsgiApp] => [
    path,
    (scope) => {
      assert(scope.type === "http");
      calls.push([path, scope.root_path, scope.path, scope.raw_path]);
    },
  ]));
  const app = rootPath(mount(apps), prefix);
  const events = await eventsOf(app, httpScopeOf({ target }));
  return calls[0] ?? headOf(events).status;
}

const PATHS = ["/", "/api", "/api/v2", "/a b", "/café"];

for (
  const [target, path, root, decoded] of [
    ["/", "/", "", "/"],
    ["/other/x", "/", "", "/other/x"],
    ["/api", "/api", "/api", "/api"],
    ["/api/", "/api", "/api", "/api/"],
    ["/api/users", "/api", "/api", "/api/users"],
    ["/apis", "/", "", "/apis"],
    ["/API", "/", "", "/API"],
    ["/api/v2", "/api/v2", "/api/v2", "/api/v2"],
    ["/api/v2/x", "/api/v2", "/api/v2", "/api/v2/x"],
    ["/api/v22", "/api", "/api", "/api/v22"],
    ["/%61pi/x", "/api", "/api", "/api/x"],
    ["/a%20b/c", "/a b", "/a b", "/a b/c"],
    ["/caf%C3%A9/x", "/café", "/café", "/café/x"],
    ["//api", "/", "", "//api"],
    ["*", "/", "", "*"],
  ]
) {
  Deno.test(`mount() gives ${target} to ${path}, with the root path "${root}"`, async () => {
    for (const paths of [PATHS, PATHS.toReversed()]) {
      assertEquals(await routed(target, paths), [path, root, decoded, target]);
    }
  });
}

Deno.test("mount() answers what nothing takes with a 404", async () => {
  assertEquals(await routed("/", ["/api"]), 404);
  assertEquals(await routed("/apis", ["/api"]), 404);
  assertEquals(await routed("/api", []), 404);
  assertEquals(await routed("*", ["/api"]), 404);
});

Deno.test("mount() denies a WebSocket that nothing takes with a 404, or closes it", async () => {
  const app = mount({ "/api": () => {} });
  const scope = webSocketScopeOf();
  const { type, status } = headOf(await eventsOf(app, scope));
  assertEquals([type, status], ["websocket.http.response.start", 404]);
  delete scope.extensions["websocket.http.response"];
  assertEquals(await eventsOf(app, scope), [{ type: "websocket.close" }]);
});

Deno.test("mount() mounts below the root path that is there", async () => {
  assertEquals(
    await routed("/api/x", PATHS, "/outer"),
    ["/api", "/outer/api", "/outer/api/x", "/api/x"],
  );
  const inner = (app: AsgiApp) => mount({ "/a": mount({ "/b": app }) });
  const scope = await seenThrough(inner, httpScopeOf({ target: "/a/b/c" }));
  assert(scope?.type === "http");
  assertEquals([scope.root_path, scope.path], ["/a/b", "/a/b/c"]);
});

Deno.test("mount() answers a path that is not below its root path with a 404", async () => {
  const scope = {
    ...httpScopeOf({ target: "/outer2/x" }),
    root_path: "/outer",
  };
  const events = await eventsOf(mount({ "/": () => {} }), scope);
  assertEquals(headOf(events).status, 404);
});

Deno.test("mount() leaves the scope that it was given as it was", async () => {
  const scope = httpScopeOf({ target: "/api/x" });
  const copy = structuredClone(scope);
  await seenThrough((app) => mount({ "/api": app }), scope);
  assertEquals<Scope>(scope, copy);
});

for (
  const path of [
    "",
    "api",
    "/api/",
    "//",
    "/a//b",
    "/a?b",
    "/a%20b",
    "/..",
    "/a/.",
  ]
) {
  Deno.test(`mount() refuses to mount at "${path}"`, () => {
    assertThrows(
      () => mount({ [path]: () => {} }),
      TypeError,
      `Cannot mount at "${path}"`,
    );
  });
}
