// What the tests of the WebSocket cycle stand on: a wire without bytes, which is
// also the session that it opens. It keeps what it is given to send, holds it
// back when the test says so, and its client sends, closes, or is lost when the
// test says so. Nothing here waits for a clock.

import type { DisconnectListener } from "../../src/http/exchange.ts";
import { webSocketScope } from "../../src/asgi/http_scope.ts";
import type { AsgiApp, Header, WebSocketScope } from "../../src/asgi/types.ts";
import { WebSocketCycle } from "../../src/asgi/websocket_cycle.ts";
import type {
  WebSocketAcceptance,
  WebSocketEnds,
  WebSocketInput,
  WebSocketSession,
  WebSocketWire,
} from "../../src/asgi/websocket_wire.ts";
import type { Field } from "../../src/http/fields.ts";
import type {
  DemandListener,
  MessageSink,
} from "../../src/streams/message_pipe.ts";
import { FakeClient } from "./_fake_client.ts";
import { ended, faultless, RecordedCalls } from "./_recorded_calls.ts";

/** What a wire was called with. */
export type WireCall =
  | readonly ["accept", subprotocol: string | null, fields: readonly Field[]]
  | readonly ["send", data: string | Uint8Array]
  | readonly ["close", code: number, reason: string]
  | readonly ["head", status: number, fields: readonly Field[]]
  | readonly ["data", text: string, last: boolean]
  | readonly ["refuse", status: number]
  | readonly ["abort"];

/** A wire without bytes, and the session on it. */
export class FakeWebSocketWire extends FakeClient<WireCall>
  implements WebSocketWire, WebSocketSession, DemandListener<WebSocketInput> {
  /** How many messages the application has asked for, and got. */
  taken = 0;
  /** Whether the application was said to receive no more. */
  released = false;
  /** What it says of the bytes that wait, if anything. */
  waiting: number | undefined;
  disconnectListener: DisconnectListener | undefined;

  /** What has arrived before the WebSocket was accepted. */
  readonly #early: WebSocketInput[] = [];
  #messages: MessageSink<WebSocketInput> | undefined;
  #left = false;
  #sendsNoMore = false;
  readonly #closed = Promise.withResolvers<void>();

  // The client's side.

  /** Messages arrive; they may come with the handshake. */
  arrive(...messages: (string | Uint8Array)[]): void {
    for (const data of messages) this.#pass({ type: "message", data });
  }

  /** Whether a client that sends has to wait. */
  get full(): boolean {
    return this.#messages?.room !== undefined;
  }

  /** The client closes; its close is answered when it has been received. */
  leave(code: number, reason = ""): void {
    if (this.#left) return;
    this.#left = true;
    this.#pass({ type: "close", code, reason });
  }

  /** The client is lost: nothing can be sent to it any more. */
  lose(): void {
    this.leave(1006);
    this.failSends();
    this.#closed.resolve();
  }

  /** The client leaves before the WebSocket is open. */
  depart(how: "half-closed" | "lost"): void {
    if (how === "lost") this.failSends();
    this.disconnectListener?.disconnected(how);
  }

  /** The session comes to its end by itself, and sends no more. */
  endSends(code: number): void {
    this.#sendsNoMore = true;
    this.leave(code);
  }

  /** The messages, closes and other calls after the handshake. */
  get sent(): WireCall[] {
    return this.calls.filter(([what]) => what !== "accept");
  }

  // The wire.

  async accept(
    { subprotocol, headers }: WebSocketAcceptance,
    { messages }: WebSocketEnds,
  ): Promise<WebSocketSession> {
    await this.record(["accept", subprotocol, headers]);
    this.#messages = messages;
    messages.listener = this;
    for (const input of this.#early) this.#pass(input);
    return this;
  }

  head(status: number, headers: readonly Field[]): void {
    this.calls.push(["head", status, headers]);
  }

  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    return this.record(["data", new TextDecoder().decode(chunk), last]);
  }

  async refuse(status: number): Promise<void> {
    await this.record(["refuse", status]);
  }

  abort(): void {
    this.calls.push(["abort"]);
  }

  // The session.

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Whether nothing can be sent any more. */
  get ended(): boolean {
    return this.#sendsNoMore;
  }

  releaseMessages(): void {
    this.released = true;
  }

  onAsked(): void {}

  /** The client's close is answered when it has been received. */
  onTaken({ type }: WebSocketInput): void {
    if (type === "message") this.taken++;
    if (type === "close" && !this.#sendsNoMore) this.#closed.resolve();
  }

  onCancelled(): void {}

  async send(data: string | Uint8Array): Promise<void> {
    if (this.#sendsNoMore) throw new Error("Cannot send: over for the test");
    await this.record(["send", data]);
  }

  /** The client answers at once; only the first close counts. */
  async close(code: number, reason: string): Promise<void> {
    if (this.#sendsNoMore || this.lost) return;
    await this.record(["close", code, reason]);
    this.leave(code, reason);
    this.#closed.resolve();
  }

  #pass(input: WebSocketInput): void {
    if (this.#messages === undefined) {
      this.#early.push(input);
      return;
    }
    this.#messages.write(input);
    if (input.type === "close") this.#messages.close();
  }
}

/** What an application is run on. */
export interface RunOptions {
  /** Default: a client that waits to be accepted. */
  readonly wire?: FakeWebSocketWire;
  /** What the client offers to speak. */
  readonly subprotocols?: readonly string[];
}

/** A run of an application. */
export interface Run {
  readonly wire: FakeWebSocketWire;
  readonly cycle: WebSocketCycle;
  /** The reported faults of the application. */
  readonly errors: unknown[];
  /** The reported refusals of its events. */
  readonly refused: unknown[];
  /** Resolves when the WebSocket is closed, or was denied. */
  readonly finished: Promise<void>;
  /** Resolves when the application has returned. */
  readonly returned: Promise<void>;
}

/** Starts an application on a WebSocket. */
export function start(app: AsgiApp, options: RunOptions = {}): Run {
  const { wire = new FakeWebSocketWire(), subprotocols = [] } = options;
  const calls = new RecordedCalls();
  const cycle = new WebSocketCycle(wire, exampleScope(subprotocols), calls);
  const finished = cycle.run(app);
  const { errors, refused, returned } = calls;
  return { wire, cycle, errors, refused, finished, returned };
}

/** Runs an application to its end, and its WebSocket; it must be faultless. */
export function run(app: AsgiApp, options?: RunOptions): Promise<Run> {
  return faultless(start(app, options));
}

/** Runs an application that may fail to its end, and its WebSocket. */
export function runFaulty(app: AsgiApp, options?: RunOptions): Promise<Run> {
  return ended(start(app, options));
}

/** The scope of some WebSocket. */
export function exampleScope(
  subprotocols: readonly string[] = [],
  ...headers: Header[]
): WebSocketScope {
  return webSocketScope(
    {
      version: "1.1",
      method: "GET",
      target: { path: "/chat%20room", query: "a=%20" },
      headers: [["host", "localhost"], ...headers],
    },
    {
      scheme: "http",
      client: ["127.0.0.1", 50000],
      server: ["127.0.0.1", 8000],
    },
    subprotocols,
  );
}
