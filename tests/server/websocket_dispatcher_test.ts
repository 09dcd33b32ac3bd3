// Requests for WebSockets of a whole server: which are refused, how many there
// are, and how each comes to its end.

import { assertEquals } from "@std/assert";
import type { AsgiApp } from "../../src/asgi/types.ts";
import type { RequestInfo } from "../../src/http/exchange.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { resolveOptions, type ServeOptions } from "../../src/server/options.ts";
import type { Outcome } from "../../src/server/access_records.ts";
import { WebSocketDispatcher } from "../../src/server/websocket_dispatcher.ts";
import { unawaited } from "../_unawaited.ts";

import { BINARY, clientFrame, closeFrame, TEXT } from "../websocket/_frames.ts";
import {
  exampleRequest,
  extendedConnect,
  FakeExchange,
  HANDSHAKE,
} from "./_fake_exchange.ts";
import { settled } from "../_turns.ts";

const INFO = { scheme: "http", client: null, server: null } as const;

const echo: AsgiApp = async (_scope, receive, send) => {
  for await (const event of receive) {
    if (event.type === "websocket.connect") {
      await send({ type: "websocket.accept" });
    } else if (event.type === "websocket.receive") {
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes });
    }
  }
};

/** A dispatcher, and what it has reported. */
class Dispatch {
  readonly dispatcher: WebSocketDispatcher;
  readonly errors: unknown[] = [];
  readonly outcomes: Outcome[] = [];
  changes = 0;

  constructor(
    app: AsgiApp = echo,
    options: ServeOptions = {},
    metrics: Metrics | undefined = undefined,
  ) {
    this.dispatcher = new WebSocketDispatcher({
      app,
      options: resolveOptions(options),
      createCalls: (onAppReturned) => ({
        onAppError: (error) => this.errors.push(error),
        onRefusedEvent: (error) => this.errors.push(error),
        onIgnoredEvent: () => {},
        onAppReturned,
      }),
      metrics,
      complete: () => {},
      onChange: () => this.changes++,
    });
  }

  /** Dispatches a request; the promise is given in an object, not awaited. */
  request(given: Partial<RequestInfo> = {}, lost = false) {
    const exchange = new FakeExchange(exampleRequest(given));
    exchange.lost = lost;
    const answered = this.dispatcher.dispatch(
      exchange,
      INFO,
      (outcome) => this.outcomes.push(outcome),
    );
    return { exchange, answered };
  }

  get counts(): number[] {
    return [this.dispatcher.running, this.dispatcher.open];
  }
}

function outcome(given: Partial<Outcome>) {
  return { status: 101, bytesSent: 0, aborted: false, ...given };
}

Deno.test("A WebSocket is followed to its end, after its request was answered", async () => {
  const all = new Dispatch();
  const { exchange: { client }, answered } = all.request();
  assertEquals(all.counts, [1, 0]);
  await answered;
  assertEquals(all.counts, [1, 1]);
  client.feed(clientFrame(TEXT, "Hello"), closeFrame(1000));
  await settled();
  assertEquals(client.sent, ["text Hello", "close 1000"]);
  assertEquals(all.outcomes, [outcome({ bytesSent: 11 })]);
  assertEquals([all.counts, all.changes, all.errors], [[0, 0], 1, []]);
});

Deno.test("A WebSocket in a stream of a connection is followed as well", async () => {
  const all = new Dispatch();
  const { exchange, answered } = all.request(extendedConnect());
  await answered;
  assertEquals(exchange.calls, [["upgrade", []]]);
  assertEquals(all.counts, [1, 1]);
  exchange.client.lose();
  await settled();
  assertEquals(all.outcomes, [outcome({ status: 200, aborted: true })]);
  assertEquals(all.counts, [0, 0]);
});

Deno.test("A stream that asks for another protocol gets a 501, and no application", async () => {
  const all = new Dispatch(() => {
    throw new Error("It was called");
  });
  const request = extendedConnect({ protocol: "connect-udp" });
  const { exchange, answered } = all.request(request);
  await answered;
  assertEquals(exchange.calls, [["refuse", 501, []]]);
  assertEquals([all.outcomes.length, all.errors], [1, []]);
});

Deno.test("Another protocol is left to others", () => {
  const all = new Dispatch();
  const { answered } = all.request({ headers: [["upgrade", "h2c"]] });
  assertEquals([answered, all.counts], [undefined, [0, 0]]);
});

Deno.test("A bad handshake is refused, whether or not the client is still there", async () => {
  for (const lost of [false, true]) {
    const all = new Dispatch();
    const { exchange, answered } = all.request({ method: "POST" }, lost);
    await answered;
    assertEquals(exchange.calls[0], ["refuse", 400, []]);
    assertEquals(exchange.aborted, lost);
    assertEquals(all.outcomes.length, 1);
  }
});

Deno.test("Past maxWebSockets, a handshake is refused with 503", async () => {
  const all = new Dispatch(echo, { maxWebSockets: 1 });
  const first = all.request();
  await first.answered;
  const { exchange, answered } = all.request();
  await answered;
  assertEquals(exchange.calls, [["refuse", 503, [["retry-after", "1"]]]]);
  assertEquals(all.counts, [1, 1]);
  first.exchange.client.lose();
  await settled();
  assertEquals(all.counts, [0, 0]);
});

Deno.test("A WebSocket that is denied is over with its response", async () => {
  const all = new Dispatch((_scope, _receive, send) =>
    send({ type: "websocket.close" })
  );
  const { exchange, answered } = all.request();
  await answered;
  assertEquals(exchange.calls, [["refuse", 403, []]]);
  assertEquals(all.outcomes.map(({ status }) => status), [403]);
  await settled();
  assertEquals(all.counts, [0, 0]);
});

Deno.test("A shutdown closes WebSockets, and denies those that come later", async () => {
  const all = new Dispatch();
  const { exchange: { client }, answered } = all.request();
  await answered;
  all.dispatcher.shutdown();
  await settled();
  assertEquals(client.sent, ["close 1012"]);
  const late = all.request();
  await late.answered;
  assertEquals(late.exchange.calls, [["refuse", 503, []]]);
  client.abort();
  await settled();
  assertEquals(all.counts, [0, 0]);
});

Deno.test("A client that has disconnected before it was dispatched is not answered", async () => {
  const all = new Dispatch();
  const exchange = new FakeExchange(exampleRequest({ headers: HANDSHAKE }));
  exchange.disconnect = "lost";
  await all.dispatcher.dispatch(
    exchange,
    INFO,
    (outcome) => all.outcomes.push(outcome),
  );
  await settled();
  assertEquals(exchange.aborted, true);
  assertEquals([all.outcomes.length, all.counts], [1, [0, 0]]);
});

Deno.test("Messages that an application sends in one turn leave in one write", async () => {
  const all = new Dispatch(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    for (const text of ["a", "b", "c", "d", "e"]) {
      unawaited(send({ type: "websocket.send", text }));
    }
    while ((await receive()).type !== "websocket.disconnect");
  });
  const { exchange: { client }, answered } = all.request();
  await answered;
  await settled();
  assertEquals(client.sent.map((frame) => frame.slice(-1)).join(""), "abcde");
  assertEquals(client.writes.length, 1);
  client.lose();
  await settled();
  assertEquals(all.errors, []);
});

Deno.test("What an application has not received when it returns is let go", async () => {
  const gate = Promise.withResolvers<void>();
  const metrics = new Metrics();
  const all = new Dispatch(
    async (_scope, _receive, send) => {
      await send({ type: "websocket.accept" });
      await gate.promise;
    },
    {},
    metrics,
  );
  const { exchange: { client }, answered } = all.request();
  await answered;
  client.feed(clientFrame(BINARY, new Uint8Array(100_000)));
  await settled();
  assertEquals(metrics.counts.bufferedBytes, 100_000);
  gate.resolve();
  await settled();
  assertEquals(metrics.counts.bufferedBytes, 0);
  client.lose();
  await settled();
});

Deno.test("The exchange counts the application's call for as long as it runs", async () => {
  for (const fails of [false, true]) {
    const ended = Promise.withResolvers<void>();
    const all = new Dispatch(async (_scope, receive, send) => {
      await receive();
      await send({ type: "websocket.close" });
      await ended.promise;
      if (fails) throw new Error("It fails");
    });
    const calls: string[] = [];
    const exchange = Object.assign(new FakeExchange(), {
      callBegan: () => calls.push("began"),
      callReturned: () => calls.push("returned"),
    });
    await all.dispatcher.dispatch(exchange, INFO, () => {});
    assertEquals(calls, ["began"]);
    ended.resolve();
    await settled();
    assertEquals(calls, ["began", "returned"]);
  }
});
