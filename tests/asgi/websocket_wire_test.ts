// A request for a WebSocket that an exchange carries: all but the handshake is
// the exchange's.

import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  ExchangeWire,
  type WebSocketSession,
} from "../../src/asgi/websocket_wire.ts";
import type {
  Answerable,
  DisconnectListener,
} from "../../src/http/exchange.ts";

type Answer = Pick<
  Answerable,
  "disconnectListener" | "head" | "data" | "refuse" | "abort"
>;

/** Records how it is answered. */
class RecordedExchange implements Answer {
  disconnectListener: DisconnectListener | undefined;
  readonly calls: unknown[] = [];
  readonly room = Promise.resolve();

  head(...args: unknown[]): void {
    this.calls.push(["head", ...args]);
  }

  data(...args: unknown[]): Promise<void> {
    this.calls.push(["data", ...args]);
    return this.room;
  }

  refuse(...args: unknown[]): Promise<void> {
    this.calls.push(["refuse", ...args]);
    return this.room;
  }

  abort(): void {
    this.calls.push(["abort"]);
  }
}

class TestWire extends ExchangeWire<Answerable> {
  override accept(): Promise<WebSocketSession> {
    return Promise.reject(new Error("Cannot accept: this test denies"));
  }
}

Deno.test("A WebSocket that is not accepted is answered through its exchange", () => {
  const exchange = new RecordedExchange();
  const wire = new TestWire(exchange as unknown as Answerable);
  const content = new Uint8Array(1);
  wire.head(403, [["a", "b"]]);
  assertStrictEquals(wire.data(content, true), exchange.room);
  assertStrictEquals(wire.refuse(500), exchange.room);
  wire.abort();
  assertEquals(exchange.calls, [
    ["head", 403, [["a", "b"]]],
    ["data", content, true],
    ["refuse", 500],
    ["abort"],
  ]);
});

Deno.test("A disconnect of its client is reported by the exchange", () => {
  const exchange = new RecordedExchange();
  const wire = new TestWire(exchange as unknown as Answerable);
  const listener = { disconnected: () => {} };
  wire.disconnectListener = listener;
  assertStrictEquals(exchange.disconnectListener, listener);
  wire.disconnectListener = undefined;
  assertEquals(exchange.disconnectListener, undefined);
});
