// Access records of what only HTTP/1 has, and of bytes that are no request. What
// holds for all versions is in tests/wires.

import { assertEquals } from "@std/assert";
import type { AccessRecord, AsgiApp } from "../../mod.ts";
import { LifespanCycle } from "../../src/asgi/lifespan_cycle.ts";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import { DEFAULT_OPTIONS } from "../../src/server/options.ts";
import { within } from "../http/_memory_transport.ts";
import { serveInMemory } from "../http1/_memory_transport.ts";
import { startRecorded } from "./_access_records.ts";
import { echoApp, pathApp } from "./_apps.ts";
import { request, WEBSOCKET_FIELDS } from "./_raw_client.ts";
import { netTest, start } from "./_testing.ts";

netTest("Each request of a connection is recorded once, in order", async () => {
  await using server = startRecorded(pathApp);
  using client = await server.connect();
  await client.send(["/a", "/b", "/c"].map((p) => request("GET", p)).join(""));
  for (const body of ["/a", "/b", "/c"]) {
    assertEquals((await client.readResponse()).body, body);
  }
  assertEquals(
    (await server.end()).map(({ target }) => target),
    ["/a", "/b", "/c"],
  );
});

netTest(
  "Bytes that are no request are recorded without method and target",
  async () => {
    await using server = startRecorded(pathApp);
    using client = await server.connect();
    await client.send("GET  / HTTP/1.1\r\n\r\n");
    const { status, body } = await client.readResponse();
    assertEquals(status, 400);
    const [record] = await server.end();
    assertEquals(record, {
      method: "",
      target: "",
      status: 400,
      bytesSent: body.length,
      aborted: false,
    });
    assertEquals(server.access[0].client, ["127.0.0.1", client.port]);
    assertEquals(server.access.length, 1);
  },
);

netTest(
  "A request whose content is malformed is recorded with its refusal",
  async () => {
    await using server = startRecorded(echoApp);
    using client = await server.connect();
    await client.send(request("POST", "/x", "transfer-encoding: chunked"), "?");
    await client.send("\r\n");
    await client.waitForClose();
    const [record, ...more] = await server.end();
    assertEquals([record.method, record.target], ["POST", "/x"]);
    assertEquals(more, []);
  },
);

const greeting: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "websocket") throw new TypeError(`No ${scope.type} here`);
  await send({ type: "websocket.accept" });
};

netTest(
  "A handshake that is malformed is recorded with its refusal",
  async () => {
    await using server = startRecorded(greeting);
    using client = await server.connect();
    await client.get("/", ...WEBSOCKET_FIELDS.slice(0, 3));
    assertEquals((await client.readResponse()).status, 400);
    await server.end();
    const [{ type, status, aborted }] = server.access;
    assertEquals([type, status, aborted], ["websocket", 400, false]);
  },
);

netTest(
  "An access log that throws harms neither responses nor connections",
  async () => {
    await using server = start(pathApp, {
      accessLog: () => {
        throw new Error("Thrown by the access log");
      },
    });
    using client = await server.connect();
    for (const path of ["/first", "/second"]) {
      await client.get(path);
      assertEquals((await client.readResponse()).body, path);
    }
    await server.server.shutdown({ timeout: 0 });
    const messages = server.errors.map((error) => (error as Error).message);
    assertEquals(new Set(messages), new Set(["Thrown by the access log"]));
  },
);

Deno.test("A handshake whose refusal finds no client is recorded as aborted", async () => {
  const access: AccessRecord[] = [];
  const lifespan = new LifespanCycle(greeting, "off", () => {});
  const dispatcher = new Dispatcher(greeting, {
    options: DEFAULT_OPTIONS,
    lifespan,
    openFile: () => Promise.reject(new Error("There are no files here")),
    log: () => {},
    accessLog: (record) => void access.push(record),
  });
  const info = { scheme: "http", client: null, server: null } as const;
  const { transport, done } = serveInMemory(async (exchange) => {
    transport.lose();
    await dispatcher.dispatch(exchange, info);
  });
  transport.push(request("GET", "/", ...WEBSOCKET_FIELDS.slice(0, 3)));
  await within(done.catch(() => {}));
  const outcomes = access.map(({ type, aborted }) => [type, aborted]);
  assertEquals(outcomes, [["websocket", true]]);
});

netTest("Requests are served where nobody wants their records", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  await client.get("/");
  assertEquals((await client.readResponse()).body, "/");
  assertEquals(server.records.filter(({ level }) => level !== "debug"), []);
});
