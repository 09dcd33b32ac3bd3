// Applications that fail, where HTTP/1 has more to say than all versions do:
// without chunks, amid pipelined requests; and in a process that must live on.

import { assertEquals, assertRejects } from "@std/assert";
import type { AsgiApp } from "../../mod.ts";
import { http, type HttpApp, pathApp } from "./_apps.ts";
import { request } from "./_raw_client.ts";
import { netTest, start } from "./_testing.ts";
import { ServerProcess } from "./_server_process.ts";

const FAILED = new Error("Out of order");

/** Ways to fail in the middle. */
const LATE: Record<string, HttpApp> = {
  "throws": () => {
    throw FAILED;
  },
  "returns": () => {},
};

for (const [fault, fail] of Object.entries(LATE)) {
  netTest(
    `HTTP/1.0: a response is truncated if its app ${fault}`,
    async () => {
      const app: HttpApp = async (scope, receive, send) => {
        const headers: [string, string][] = [["content-length", "8"]];
        const body = "half";
        await send({ type: "http.response.start", status: 200, headers });
        await send({ type: "http.response.body", body, more_body: true });
        return fail(scope, receive, send);
      };
      await using server = start(failOn(app));
      using client = await server.connect();
      await client.send("GET /fail HTTP/1.0\r\nhost: test\r\n\r\n");
      await assertRejects(
        () => client.readResponse(),
        Error,
        "The response is truncated",
      );
      assertEquals(server.errors.length, 1);
      await assertServes(server);
    },
  );
}

netTest(
  "a fault amid pipelined requests does not touch those before",
  async () => {
    await using server = start(failOn(() => {
      throw FAILED;
    }));
    using client = await server.connect();
    const paths = ["/1", "/2", "/fail"];
    await client.send(paths.map((path) => request("GET", path)).join(""));
    assertEquals((await client.readResponse()).body, "/1");
    assertEquals((await client.readResponse()).body, "/2");
    assertEquals((await client.readResponse()).status, 500);
  },
);

netTest("sends that reject unawaited do not end the process", async () => {
  await using server = await ServerProcess.start();
  for (const path of ["/unawaited/order", "/unawaited/disconnect"]) {
    using client = await server.connect();
    await client.get(path);
    await client.readOneByte();
  }
  using client = await server.connect();
  await client.get("/count");
  assertEquals((await client.readResponse()).body, "0");
  assertEquals(await server.stop(), true);
}, { permissions: ["run", "read"] });

/** Serves "/fail" by an app, and everything else by one that works. */
function failOn(app: HttpApp): AsgiApp {
  return http((scope, receive, send) => {
    const chosen = scope.path === "/fail" ? app : pathApp;
    return chosen(scope, receive, send);
  });
}

async function assertServes(server: ReturnType<typeof start>): Promise<void> {
  using client = await server.connect();
  await client.get("/works");
  assertEquals((await client.readResponse()).body, "/works");
}
