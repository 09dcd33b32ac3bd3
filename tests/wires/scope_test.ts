// What an application learns of a request, whatever version of HTTP it came by.

import { assertEquals } from "@std/assert";
import type { HttpScope } from "../../mod.ts";
import { http } from "../e2e/_apps.ts";
import { respond } from "../../mod.ts";
import { start, wireTest } from "./_wires.ts";
import type { Wire, WireRequest } from "./_wire.ts";

/** The scope that a request gets, and the ports of both ends. */
async function scopeOf(
  wire: Wire,
  request: WireRequest,
): Promise<{ scope: HttpScope; client: number; server: number }> {
  const scopes: HttpScope[] = [];
  await using server = start(
    wire,
    http(async (scope, _receive, send) => {
      scopes.push(scope);
      await respond(send, 200);
    }),
  );
  await using client = await wire.connect(server);
  assertEquals((await client.fetch(request)).status, 200);
  return { scope: scopes[0], client: client.port, server: server.port };
}

wireTest("the scope of a request holds what ASGI asks for", async (wire) => {
  const { scope, client, server } = await scopeOf(wire, {
    method: "PUT",
    path: "/caf%C3%A9%2Fau%20lait?a=%20&b",
    headers: [["x-one", "1"], ["x-two", "2"], ["x-one", "3"]],
  });
  const { extensions: _, ...rest } = scope;
  assertEquals(rest as unknown, {
    type: "http",
    asgi: { version: "3.0", spec_version: "2.5" },
    http_version: wire.httpVersion,
    method: "PUT",
    scheme: wire.scheme,
    path: "/café/au lait",
    raw_path: "/caf%C3%A9%2Fau%20lait",
    query_string: "a=%20&b",
    root_path: "",
    headers: [["host", "test"], ["x-one", "1"], ["x-two", "2"], ["x-one", "3"]],
    client: ["127.0.0.1", client],
    server: ["127.0.0.1", server],
  });
});

wireTest(
  "the extensions of a request are the same on all wires",
  async (wire) => {
    const { scope } = await scopeOf(wire, { headers: [["te", "trailers"]] });
    assertEquals(Object.keys(scope.extensions).sort(), [
      "http.response.pathsend",
      "http.response.trailers",
      "http.response.zerocopysend",
      "server.shutdown",
    ]);
  },
);

wireTest("a method in lowercase is what it is in uppercase", async (wire) => {
  assertEquals((await scopeOf(wire, { method: "put" })).scope.method, "PUT");
});

wireTest("OPTIONS * has the path *", async (wire) => {
  const { scope } = await scopeOf(wire, { method: "OPTIONS", path: "*" });
  assertEquals([scope.path, scope.raw_path], ["*", "*"]);
});

wireTest(
  "each request has its own copy of the lifespan's state",
  async (wire) => {
    const seen: unknown[] = [];
    await using server = start(wire, async (scope, receive, send) => {
      if (scope.type === "lifespan") {
        scope.state!.shared = { count: 0 };
        await receive();
        await send({ type: "lifespan.startup.complete" });
        await receive();
        return await send({ type: "lifespan.shutdown.complete" });
      }
      const state = scope.state!;
      const shared = state.shared as { count: number };
      seen.push([shared.count++, state.own]);
      state.own = "of one request";
      await respond(send, 200);
    });
    await using client = await wire.connect(server);
    for (let round = 0; round < 2; round++) await client.fetch();
    assertEquals(seen, [[0, undefined], [1, undefined]]);
  },
);
