// Requests without a connection: which application answers them, what is
// recorded of them, and what a server waits for at its end.

import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { LifespanCycle } from "../../src/asgi/lifespan_cycle.ts";
import { respond } from "../../src/asgi/helpers.ts";
import type { AsgiApp } from "../../src/asgi/types.ts";
import type { RequestInfo } from "../../src/http/exchange.ts";
import type { AccessRecord, LogRecord } from "../../src/logs/records.ts";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { resolveOptions, type ServeOptions } from "../../src/server/options.ts";

import { exampleRequest, FakeExchange } from "./_fake_exchange.ts";
import { settled } from "../_turns.ts";

const INFO = {
  scheme: "http",
  client: ["10.0.0.1", 1],
  server: null,
} as const;

const hello: AsgiApp = (_scope, _receive, send) =>
  respond(send, 200, { body: "Hello" });

const accepting: AsgiApp = async (_scope, receive, send) => {
  await send({ type: "websocket.accept" });
  for await (const _event of receive);
};

/** A dispatcher, and what it has reported. */
class Dispatch {
  readonly dispatcher: Dispatcher;
  readonly records: AccessRecord[] = [];
  readonly logged: LogRecord[] = [];

  constructor(
    app: AsgiApp,
    options: ServeOptions = {},
    metrics: Metrics | undefined = undefined,
  ) {
    this.dispatcher = new Dispatcher(app, {
      options: resolveOptions(options),
      lifespan: new LifespanCycle(app, "off", () => {}),
      openFile: () => Promise.reject(new Error("There are no files here")),
      log: (record) => void this.logged.push(record),
      accessLog: (record) => void this.records.push(record),
      metrics,
    });
  }

  /** Dispatches a request, which is a plain GET unless the test says otherwise. */
  async request(given: Partial<RequestInfo> = {}): Promise<FakeExchange> {
    const exchange = new FakeExchange(
      exampleRequest({ protocol: undefined, headers: [], ...given }),
    );
    await this.dispatcher.dispatch(exchange, INFO);
    return exchange;
  }

  /** Whether there is nothing left to wait for. */
  async finished(cut = new AbortController().signal): Promise<boolean> {
    let finished = false;
    const finish = this.dispatcher.finish(cut).then(() => finished = true);
    await settled();
    if (finished) await finish;
    return finished;
  }
}

Deno.test("A request is answered by the application, and recorded", async () => {
  const all = new Dispatch(hello);
  const { calls } = await all.request({ target: { path: "/a", query: "b" } });
  assertEquals(calls.at(-1), ["data", "Hello", true]);
  const [{ type, target, status, client }] = all.records;
  assertEquals(
    [type, target, status, client],
    ["http", "/a?b", 200, ["10.0.0.1", 1]],
  );
});

Deno.test("Past maxConcurrentRequests, requests are answered with 503", async () => {
  const gate = Promise.withResolvers<void>();
  const all = new Dispatch(async (scope, receive, send) => {
    await hello(scope, receive, send);
    await gate.promise;
  }, { maxConcurrentRequests: 1 });
  await all.request();
  const { calls } = await all.request();
  assertEquals(calls[0][1], 503);
  gate.resolve();
  await settled();
  assertEquals((await all.request()).calls[0][1], 200);
});

Deno.test("A server waits for applications that run on after their responses", async () => {
  const gate = Promise.withResolvers<void>();
  const all = new Dispatch(async (scope, receive, send) => {
    await hello(scope, receive, send);
    await gate.promise;
  });
  assert(await all.finished());
  await all.request();
  assertFalse(await all.finished());
  gate.resolve();
  assert(await all.finished());
});

Deno.test("A server does not wait for applications once it is cut", async () => {
  const all = new Dispatch(async (scope, receive, send) => {
    await hello(scope, receive, send);
    await new Promise(() => {});
  });
  await all.request();
  const cut = new AbortController();
  let finished = false;
  const finish = all.dispatcher.finish(cut.signal)
    .then(() => finished = true);
  await settled();
  assertFalse(finished);
  cut.abort();
  await finish;
  assert(await all.finished(cut.signal));
});

Deno.test("A server waits for open WebSockets, also once it is cut", async () => {
  const all = new Dispatch(accepting);
  const exchange = new FakeExchange();
  await all.dispatcher.dispatch(exchange, INFO);
  assertFalse(await all.finished(AbortSignal.abort()));
  assertEquals(all.records, []);
  exchange.client.lose();
  assert(await all.finished());
  assertEquals(all.records.map(({ type, status }) => [type, status]), [
    ["websocket", 101],
  ]);
});

Deno.test("Another protocol than WebSocket is served as HTTP", async () => {
  const all = new Dispatch(hello);
  const { calls } = await all.request({
    protocol: "h2c",
    headers: [["upgrade", "h2c"]],
  });
  assertEquals(calls.at(-1), ["data", "Hello", true]);
  assertEquals(all.records.map(({ type }) => type), ["http"]);
});

Deno.test("A trusted proxy says who its client is", async () => {
  const clients: unknown[] = [];
  const app: AsgiApp = (scope, _receive, send) => {
    if (scope.type === "http") clients.push(scope.client, scope.scheme);
    return respond(send, 200);
  };
  const headers: RequestInfo["headers"] = [
    ["x-forwarded-for", "203.0.113.7"],
    ["x-forwarded-proto", "https"],
  ];
  await new Dispatch(app, { trustedProxies: ["10.0.0.1"] })
    .request({ headers });
  await new Dispatch(app).request({ headers });
  assertEquals(clients, [["203.0.113.7", 0], "https", ["10.0.0.1", 1], "http"]);
});

Deno.test("An answer to bytes that are no request is recorded", () => {
  const all = new Dispatch(hello);
  all.dispatcher.recordRefused(
    { status: 400, refusal: 400, bytesSent: 12, aborted: false },
    INFO,
    "2",
  );
  const [{ method, status, bytesSent, httpVersion }] = all.records;
  assertEquals([method, status, bytesSent], ["", 400, 12]);
  assertEquals(httpVersion, "2");
});

Deno.test("What an application throws is logged", async () => {
  const all = new Dispatch(() => Promise.reject(new Error("broken")));
  await all.request();
  assertEquals(
    all.logged.map(({ level, message }) => [level, message]),
    [["error", "The application failed"]],
  );
});

Deno.test("A request that can't be served is not counted as under way", async () => {
  const metrics = new Metrics();
  const { dispatcher } = new Dispatch(hello, {}, metrics);
  const exchange = new FakeExchange(exampleRequest({ protocol: undefined }));
  const failing = Object.assign(exchange, {
    callBegan() {
      throw new Error("of the test");
    },
  });
  await assertRejects(
    () => dispatcher.dispatch(failing, INFO),
    Error,
    "of the",
  );
  assertEquals(metrics.counts.requestsInProgress, 0);
});
