// Each request, whatever becomes of it, leaves one access record, when its
// response is complete or cut short; and the record says what the client saw.

import { assert, assertEquals } from "@std/assert";
import {
  type AccessRecord,
  type AsgiApp,
  respond,
  type ServeOptions,
} from "../../mod.ts";
import { LifespanCycle } from "../../src/asgi/lifespan_cycle.ts";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import { DEFAULT_OPTIONS } from "../../src/server/options.ts";
import { serveInMemory, within } from "../http1/_memory_transport.ts";
import { echoApp, http, pathApp } from "./_apps.ts";
import { request } from "./_raw_client.ts";
import { reset } from "./_reset.ts";
import { bounded, netTest, start, type TestServer, until } from "./_testing.ts";

/** A server and what it has recorded. */
interface Recorded extends TestServer {
  readonly access: AccessRecord[];
  /** Shuts down, so that nothing is recorded any more; then what there is. */
  end(): Promise<Partial<AccessRecord>[]>;
}

function startRecorded(app: AsgiApp, options: ServeOptions = {}): Recorded {
  const access: AccessRecord[] = [];
  const accessLog = (record: AccessRecord) => void access.push(record);
  const server = start(app, { accessLog, ...options });
  return Object.assign(server, {
    access,
    async end() {
      await bounded(server.server.shutdown({ timeout: 0 }), "the shutdown");
      return access.map(outcome);
    },
  });
}

/** What most tests are about. */
function outcome(record: AccessRecord): Partial<AccessRecord> {
  const { method, target, status, bytesSent, aborted } = record;
  return { method, target, status, bytesSent, aborted };
}

function gone(path: string): Partial<AccessRecord> {
  return { method: "GET", target: path, aborted: true };
}

/** Begins a response, and lets the test say how it goes on. */
function begun(then: () => Promise<void> | void): AsgiApp {
  return http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "begun", more_body: true });
    await then();
  });
}

netTest("A record holds the request as it came, and its times", async () => {
  await using server = startRecorded(pathApp);
  using client = await server.connect();
  const before = Date.now();
  await client.get("/caf%C3%A9?a=%20", "x-name: one", "x-name: \x7e");
  assertEquals((await client.readResponse()).status, 200);
  await server.end();
  const [{ time, duration, ...record }] = server.access;
  assertEquals(record, {
    type: "http",
    client: ["127.0.0.1", client.port],
    scheme: "http",
    httpVersion: "1.1",
    method: "GET",
    target: "/caf%C3%A9?a=%20",
    headers: [["host", "test"], ["x-name", "one"], ["x-name", "~"]],
    status: 200,
    bytesSent: 6,
    aborted: false,
  });
  assert(before <= time && time <= Date.now(), `${time}`);
  assert(duration >= 0 && duration <= Date.now() - before + 1, `${duration}`);
});

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

netTest("A response to HEAD is recorded with no bytes", async () => {
  await using server = startRecorded(pathApp);
  using client = await server.connect();
  await client.send(request("HEAD", "/long"));
  await client.readResponse({ method: "HEAD" });
  assertEquals(await server.end(), [{
    method: "HEAD",
    target: "/long",
    status: 200,
    bytesSent: 0,
    aborted: false,
  }]);
});

netTest(
  "The content of a streamed response is counted without its framing",
  async () => {
    await using server = startRecorded(echoApp);
    using client = await server.connect();
    await client.send(
      request("POST", "/", "transfer-encoding: chunked"),
      "5\r\nfirst\r\n",
      "6\r\nsecond\r\n0\r\n\r\n",
    );
    assertEquals((await client.readResponse()).body, "firstsecond");
    assertEquals(await server.end(), [{
      method: "POST",
      target: "/",
      status: 200,
      bytesSent: 11,
      aborted: false,
    }]);
  },
);

netTest(
  "A response is recorded when it is complete, not before or when the app returns",
  async () => {
    const sendRest = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const app = http(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "one", more_body: true });
      await sendRest.promise;
      await send({ type: "http.response.body", body: "two" });
      await goOn.promise;
    });
    await using server = startRecorded(app);
    using client = await server.connect();
    try {
      await client.get("/");
      await client.readHead();
      assertEquals(await client.readChunk(), "one");
      assertEquals(server.access, []);
      sendRest.resolve();
      assertEquals(await client.readChunk(), "two");
      await until(() => server.access.length > 0);
      assertEquals(server.access[0].bytesSent, 6);
    } finally {
      sendRest.resolve();
      goOn.resolve();
    }
    assertEquals((await server.end()).length, 1);
  },
);

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

netTest(
  "An app that throws before it has begun is recorded with its 500",
  async () => {
    await using server = startRecorded(http(() => {
      throw new Error("Thrown by the test");
    }));
    using client = await server.connect();
    await client.get("/");
    const { status, body } = await client.readResponse();
    assertEquals(status, 500);
    assertEquals(await server.end(), [{
      method: "GET",
      target: "/",
      status: 500,
      bytesSent: body.length,
      aborted: false,
    }]);
  },
);

netTest(
  "An app that throws amid its response is recorded as aborted",
  async () => {
    await using server = startRecorded(begun(() => {
      throw new Error("Thrown by the test");
    }));
    using client = await server.connect();
    await client.get("/");
    await client.waitForClose();
    assertEquals(await server.end(), [{
      ...gone("/"),
      status: 200,
      bytesSent: 5,
    }]);
  },
);

netTest(
  "A client that resets amid its response is recorded as aborted",
  async () => {
    const never = Promise.withResolvers<void>();
    await using server = startRecorded(begun(() => never.promise));
    await reset(server.port, request("GET", "/download"));
    await until(() => server.access.length > 0);
    never.resolve();
    assertEquals(await server.end(), [{
      ...gone("/download"),
      status: 200,
      bytesSent: 5,
    }]);
  },
);

netTest(
  "A client that closes amid a download is recorded as aborted",
  async () => {
    const body = new Uint8Array(64 * 1024);
    await using server = startRecorded(http(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      for (;;) {
        await send({ type: "http.response.body", body, more_body: true });
      }
    }));
    using client = await server.connect();
    await client.get("/download");
    await client.readHead();
    client.close();
    await until(() => server.access.length > 0);
    const [{ bytesSent, ...record }] = await server.end();
    assertEquals(record, { ...gone("/download"), status: 200 });
    assert(bytesSent! > 0);
  },
);

netTest(
  "A client that leaves before it is answered is recorded as aborted",
  async () => {
    const app = http(async (_scope, receive) => {
      while ((await receive()).type !== "http.disconnect");
    });
    await using server = startRecorded(app);
    using client = await server.connect();
    await client.get("/slow");
    client.close();
    await until(() => server.access.length > 0);
    assertEquals((await server.end()).map(({ aborted }) => aborted), [true]);
  },
);

netTest("A response that a shutdown cuts is recorded as aborted", async () => {
  const never = Promise.withResolvers<void>();
  const cut = begun(() => never.promise);
  const silent = http(() => never.promise);
  await using server = startRecorded((scope, receive, send) => {
    const app = scope.type === "http" && scope.path === "/silent"
      ? silent
      : cut;
    return app(scope, receive, send);
  });
  using first = await server.connect();
  await first.get("/begun");
  await first.readHead();
  using second = await server.connect();
  await second.get("/silent");
  await first.readChunk();
  const records = await server.end();
  never.resolve();
  assertEquals(records.find(({ target }) => target === "/begun"), {
    ...gone("/begun"),
    status: 200,
    bytesSent: 5,
  });
});

const HANDSHAKE = [
  "connection: upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
];

const greeting: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "websocket") throw new TypeError(`No ${scope.type} here`);
  if (scope.path === "/denied") return await send({ type: "websocket.close" });
  await send({ type: "websocket.accept" });
  await send({ type: "websocket.send", text: "Hello" });
  if (scope.path === "/closing") return await send({ type: "websocket.close" });
  while ((await receive()).type !== "websocket.disconnect");
};

netTest("A WebSocket is recorded once, with 101, when it is over", async () => {
  await using server = startRecorded(greeting);
  const socket = new WebSocket(`${server.url.replace("http", "ws")}chat`);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.onclose = () => resolve();
  await bounded(
    new Promise((resolve) => socket.onmessage = resolve),
    "the greeting",
  );
  assertEquals(server.access, []);
  socket.close(1000);
  await bounded(closed, "the close");
  await until(() => server.access.length > 0);
  const records = await server.end();
  assertEquals(server.access[0].type, "websocket");
  // The greeting and the close, with two bytes of framing each.
  assertEquals(records, [{
    method: "GET",
    target: "/chat",
    status: 101,
    bytesSent: 2 + 5 + 2 + 2,
    aborted: false,
  }]);
});

netTest("A WebSocket that the app closes is recorded as whole", async () => {
  await using server = startRecorded(greeting);
  const socket = new WebSocket(`${server.url.replace("http", "ws")}closing`);
  await bounded(
    new Promise((resolve) => socket.onclose = resolve),
    "the close",
  );
  await until(() => server.access.length > 0);
  const records = await server.end();
  assertEquals(records.map(({ status, aborted }) => [status, aborted]), [
    [101, false],
  ]);
});

netTest(
  "A WebSocket whose client vanishes is recorded as aborted",
  async () => {
    await using server = startRecorded(greeting);
    await reset(server.port, request("GET", "/", ...HANDSHAKE));
    await until(() => server.access.length > 0);
    const records = await server.end();
    assertEquals(records.map(({ status, aborted }) => [status, aborted]), [
      [101, true],
    ]);
  },
);

netTest("A WebSocket that is denied is recorded with its status", async () => {
  await using server = startRecorded(greeting);
  using client = await server.connect();
  await client.get("/denied", ...HANDSHAKE);
  assertEquals((await client.readResponse()).status, 403);
  await server.end();
  const [{ type, status, aborted }] = server.access;
  assertEquals([type, status, aborted], ["websocket", 403, false]);
});

netTest(
  "A handshake that is malformed is recorded with its refusal",
  async () => {
    await using server = startRecorded(greeting);
    using client = await server.connect();
    await client.get("/", ...HANDSHAKE.slice(0, 3));
    assertEquals((await client.readResponse()).status, 400);
    await server.end();
    const [{ type, status, aborted }] = server.access;
    assertEquals([type, status, aborted], ["websocket", 400, false]);
  },
);

netTest("A request that is one too many is recorded with its 503", async () => {
  const answer = Promise.withResolvers<void>();
  const app = http(async (_scope, _receive, send) => {
    await answer.promise;
    await respond(send, 200);
  });
  await using server = startRecorded(app, { maxConcurrentRequests: 1 });
  using first = await server.connect();
  using second = await server.connect();
  await first.get("/first");
  await second.get("/second");
  const statuses = Promise.all([first.readResponse(), second.readResponse()]);
  await until(() => server.access.length === 1);
  assertEquals(server.access[0].status, 503);
  answer.resolve();
  await statuses;
  assertEquals((await server.end()).map(({ status }) => status), [503, 200]);
});

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
  transport.push(request("GET", "/", ...HANDSHAKE.slice(0, 3)));
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
