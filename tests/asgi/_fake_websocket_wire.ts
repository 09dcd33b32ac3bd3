// What the tests of the WebSocket cycle stand on: a wire without bytes, which is
// also the session that it opens. It keeps what it is told to send, holds it
// back when the test says so, and its client sends, closes, or is lost when the
// test says so. Nothing here waits for a clock.

import type { DisconnectListener } from "../../src/http/exchange.ts";
import { webSocketScope } from "../../src/asgi/http_scope.ts";
import type { AsgiApp, Header, WebSocketScope } from "../../src/asgi/types.ts";
import { WebSocketCycle } from "../../src/asgi/websocket_cycle.ts";
import type {
  WebSocketInput,
  WebSocketSession,
  WebSocketWire,
} from "../../src/asgi/websocket_wire.ts";
import type { Field } from "../../src/http/fields.ts";
import { isInstance, readMember } from "../../src/asgi/user_code.ts";

/** What a wire was told. */
export type WireCall =
  | readonly ["accept", subprotocol: string | null, fields: readonly Field[]]
  | readonly ["send", data: string | Uint8Array]
  | readonly ["close", code: number, reason: string]
  | readonly ["head", status: number, fields: readonly Field[]]
  | readonly ["data", text: string, last: boolean]
  | readonly ["refuse", status: number]
  | readonly ["abort"];

/** A wire without bytes, and the session on it. */
export class FakeWebSocketWire implements WebSocketWire, WebSocketSession {
  /** What the wire was told, in order. */
  readonly calls: WireCall[] = [];
  /** How often the client's input was asked for. */
  receives = 0;
  /** What it says of the bytes that wait, if anything. */
  waiting: number | undefined;
  disconnectListener: DisconnectListener | undefined;

  readonly #inputs: WebSocketInput[] = [];
  #end: WebSocketInput | undefined;
  #wake = () => {};
  #lost = false;
  #sendsNoMore = false;
  #gate: PromiseWithResolvers<void> | undefined;
  readonly #closed = Promise.withResolvers<void>();

  // The client's side.

  /** Messages arrive; they may come with the handshake. */
  arrive(...messages: (string | Uint8Array)[]): void {
    for (const data of messages) this.#inputs.push({ type: "message", data });
    this.#wake();
  }

  /** The client closes; its close is answered when it has been received. */
  leave(code: number, reason = ""): void {
    this.#end ??= { type: "close", code, reason };
    this.#wake();
  }

  /** The client is lost: nothing can be sent to it any more. */
  lose(): void {
    this.leave(1006);
    this.#lost = true;
    this.#gate?.promise.catch(() => {});
    this.#gate?.reject(new Error("Cannot write: lost for the test"));
    this.#closed.resolve();
  }

  /** The client leaves before the WebSocket is open. */
  depart(how: "half-closed" | "lost"): void {
    this.#lost = how === "lost";
    this.disconnectListener?.disconnected(how);
  }

  /** The session comes to its end by itself, and sends no more. */
  endSends(code: number): void {
    this.#sendsNoMore = true;
    this.leave(code);
  }

  /** The client takes nothing more, until `release`. */
  hold(): void {
    this.#gate = Promise.withResolvers();
  }

  /** The client takes what was held back, and all that follows. */
  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** The messages, closes and other calls after the handshake. */
  get sent(): WireCall[] {
    return this.calls.filter(([what]) => what !== "accept");
  }

  // The wire.

  async accept(
    subprotocol: string | null,
    headers: readonly Field[],
  ): Promise<WebSocketSession> {
    await this.#tell(["accept", subprotocol, headers]);
    return this;
  }

  head(status: number, headers: readonly Field[]): void {
    this.calls.push(["head", status, headers]);
  }

  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    return this.#tell(["data", new TextDecoder().decode(chunk), last]);
  }

  async refuse(status: number): Promise<void> {
    await this.#tell(["refuse", status]);
  }

  abort(): void {
    this.calls.push(["abort"]);
  }

  // The session.

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async receive(): Promise<WebSocketInput> {
    this.receives++;
    for (;;) {
      const input = this.#inputs.shift() ?? this.#end;
      if (input?.type === "close" && !this.#sendsNoMore) this.#closed.resolve();
      if (input !== undefined) return input;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async send(data: string | Uint8Array): Promise<void> {
    if (this.#sendsNoMore) throw new Error("Cannot send: over for the test");
    await this.#tell(["send", data]);
  }

  /** The client answers at once; only the first close counts. */
  async close(code: number, reason: string): Promise<void> {
    if (this.#sendsNoMore || this.#lost) return;
    await this.#tell(["close", code, reason]);
    this.leave(code, reason);
    this.#closed.resolve();
  }

  #tell(call: WireCall): Promise<void> | undefined {
    this.calls.push(call);
    if (this.#lost) {
      return Promise.reject(new Error("Cannot write: lost for the test"));
    }
    return this.#gate?.promise;
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
  /** What the server was told of the application's faults. */
  readonly errors: unknown[];
  /** What it was told of refused events. */
  readonly refused: unknown[];
  /** Resolves when the WebSocket is closed, or was denied. */
  readonly finished: Promise<void>;
  /**
   * Resolves when the application has returned; rejects if an assertion in it
   * has failed.
   */
  readonly returned: Promise<void>;
}

/** Starts an application on a WebSocket. */
export function start(app: AsgiApp, options: RunOptions = {}): Run {
  const { wire = new FakeWebSocketWire(), subprotocols = [] } = options;
  const errors: unknown[] = [];
  const refused: unknown[] = [];
  const returned = Promise.withResolvers<void>();
  const cycle = new WebSocketCycle(wire, exampleScope(subprotocols), {
    onAppError(error) {
      errors.push(error);
      if (isAssertion(error)) returned.reject(error);
    },
    onRefusedEvent: (error) => refused.push(error),
    onIgnoredEvent: () => {},
    onAppReturned: () => returned.resolve(),
  });
  const finished = cycle.run(app);
  return { wire, cycle, errors, refused, finished, returned: returned.promise };
}

/** Runs an application to its end, and its WebSocket; it must be faultless. */
export async function run(app: AsgiApp, options?: RunOptions): Promise<Run> {
  const ended = await runFaulty(app, options);
  if (ended.errors.length > 0) throw ended.errors[0];
  return ended;
}

/** Runs an application that may fail to its end, and its WebSocket. */
export async function runFaulty(
  app: AsgiApp,
  options?: RunOptions,
): Promise<Run> {
  const started = start(app, options);
  await Promise.all([started.finished, started.returned]);
  return started;
}

function isAssertion(error: unknown): boolean {
  return isInstance(error, Error) &&
    readMember(error, "name") === "AssertionError";
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
