// What a request may weigh, and how many there may be: what is too much is
// answered, and the application is not called.

import { assertEquals } from "@std/assert";
import { respond } from "../../mod.ts";
import { http } from "../e2e/_apps.ts";
import { start, wireTest } from "./_wires.ts";
import type { WireRequest } from "./_wire.ts";

const TOO_LARGE: Record<string, [request: WireRequest, status: number]> = {
  "a long path": [{ path: `/${"a".repeat(200)}` }, 414],
  "a long field": [{ headers: [["x", "a".repeat(2000)]] }, 431],
  "many fields": [
    { headers: [..."abcdefghi"].map((name) => [name, "1"]) },
    431,
  ],
  "much content": [{ method: "POST", content: "a".repeat(101) }, 413],
};

for (const [what, [request, status]] of Object.entries(TOO_LARGE)) {
  wireTest(`a request with ${what} is answered ${status}`, async (wire) => {
    const called: string[] = [];
    const app = http(async (scope, _receive, send) => {
      called.push(scope.path);
      await respond(send, 200);
    });
    await using server = start(wire, app, {
      maxRequestLineBytes: 100,
      maxHeaderBytes: 1000,
      maxHeaders: 8,
      maxBodyBytes: 100,
    });
    await using client = await wire.connect(server);
    assertEquals((await client.fetch(request)).status, status);
    assertEquals(called, []);
  });
}

wireTest(
  "past maxConcurrentRequests, a request is answered 503",
  async (wire) => {
    const entered = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    const handled: string[] = [];
    const app = http(async (scope, _receive, send) => {
      handled.push(scope.path);
      if (scope.path === "/wait") {
        entered.resolve();
        await opened.promise;
      }
      await respond(send, 200, { body: scope.path });
    });
    await using server = start(wire, app, { maxConcurrentRequests: 1 });
    await using busy = await wire.connect(server);
    const waiting = await busy.request({ path: "/wait" });
    await entered.promise;
    await using other = await wire.connect(server);
    const { status, headers } = await other.fetch({
      method: "POST",
      path: "/refused",
      content: "content",
    });
    assertEquals([status, headers.get("retry-after")], [503, "1"]);
    assertEquals(handled, ["/wait"]);

    opened.resolve();
    assertEquals((await waiting.response()).content, "/wait");
    assertEquals((await other.fetch({ path: "/served" })).content, "/served");
  },
);

wireTest(
  "idle connections do not count for maxConcurrentRequests",
  async (wire) => {
    const app = http((_scope, _receive, send) => respond(send, 200));
    await using server = start(wire, app, { maxConcurrentRequests: 1 });
    await using first = await wire.connect(server);
    await using second = await wire.connect(server);
    for (const client of [first, second, first, second]) {
      assertEquals((await client.fetch()).status, 200);
    }
  },
);
