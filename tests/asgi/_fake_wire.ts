// What the tests of the cycles stand on: a wire without bytes, which keeps the
// calls of what it should send, gives a body that the test scripts, holds writes
// back when the test says so, and whose client can disconnect; a file in memory;
// and a run of an application on them. Nothing here waits for a clock.

import type { Field } from "../../src/http/fields.ts";
import { type CycleContext, HttpCycle } from "../../src/asgi/http_cycle.ts";
import type {
  Answerable,
  Disconnect,
  DisconnectListener,
} from "../../src/http/exchange.ts";
import { httpScope } from "../../src/asgi/http_scope.ts";
import type {
  AsgiApp,
  HttpScope,
  ReadableFile,
  Receive,
  ReceiveEvent,
} from "../../src/asgi/types.ts";
import { isPending, settled } from "../_turns.ts";
import { FakeClient } from "./_fake_client.ts";
import { ended, faultless, RecordedCalls } from "./_recorded_calls.ts";

export { isPending, settled };

/** What a wire was called with. */
export type WireCall =
  | readonly ["informational", status: number, fields: readonly Field[]]
  | readonly ["head", status: number, fields: readonly Field[]]
  | readonly ["data", text: string, last: boolean]
  | readonly ["trailers", fields: readonly Field[]]
  | readonly ["refuse", status: number]
  | readonly ["abort"];

/** A bad body, as wires report it: with the status to answer with. */
export class BadBody extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`Cannot read body: bad for the test, status ${status}`);
    this.status = status;
  }
}

/** A wire without bytes. */
export class FakeWire extends FakeClient<WireCall> implements Answerable {
  /** How often the request's content was asked for. */
  bodyReads = 0;
  /** Calls of the application that have begun, and those that have returned. */
  callsBegun = 0;
  callsReturned = 0;
  earlyHints = true;
  disconnect: Disconnect | undefined;
  disconnectListener: DisconnectListener | undefined;

  readonly #arrived: (Uint8Array | Error)[] = [];
  #bodyEnded = false;
  #arrival = Promise.withResolvers<void>();
  #begun = false;

  /** A request whose whole content has arrived, unless `open` says otherwise. */
  constructor(chunks: readonly (string | Error)[] = [], open = false) {
    super();
    for (const chunk of chunks) this.arrive(chunk);
    if (!open) this.endBody();
  }

  // The client's side.

  /** More content arrives, or turns out to be bad. */
  arrive(chunk: string | Error): void {
    this.#arrived.push(typeof chunk === "string" ? bytes(chunk) : chunk);
    this.#wakeReader();
  }

  /** The content ends after what has arrived. */
  endBody(): void {
    this.#bodyEnded = true;
    this.#wakeReader();
  }

  /** The client disconnects; writes and reads that wait fail if it is lost. */
  disconnectClient(how: Disconnect): void {
    this.disconnect = how;
    if (how === "lost") {
      this.failSends();
      this.#wakeReader();
    }
    this.disconnectListener?.disconnected(how);
  }

  /** The content that the client got so far. */
  get content(): string {
    return this.calls.map((call) => call[0] === "data" ? call[1] : "").join("");
  }

  // The server's side.

  get bodyComplete(): boolean {
    return this.#bodyEnded && this.#arrived.length === 0;
  }

  takeBody(): Uint8Array | undefined {
    this.bodyReads++;
    return this.#take();
  }

  async readBody(): Promise<Uint8Array | null> {
    this.bodyReads++;
    for (;;) {
      const chunk = this.#take();
      if (chunk !== undefined) return chunk;
      if (this.bodyComplete) return null;
      if (this.disconnect === "lost") throw new Error("Cannot read: lost");
      if (this.disconnect === "half-closed") throw new BadBody(400);
      await this.#arrival.promise;
    }
  }

  sendInformational(status: number, fields: readonly Field[]): Promise<void> {
    return this.record(["informational", status, fields]) ?? Promise.resolve();
  }

  head(status: number, fields: readonly Field[]): void {
    this.#begun = true;
    this.calls.push(["head", status, fields]);
  }

  data(chunk: Uint8Array, last: boolean): Promise<void> | undefined {
    return this.record(["data", new TextDecoder().decode(chunk), last]);
  }

  trailers(fields: readonly Field[]): Promise<void> | undefined {
    return this.record(["trailers", [...fields]]);
  }

  async refuse(status: number): Promise<void> {
    if (this.#begun) return this.abort();
    await this.record(["refuse", status]);
  }

  abort(): void {
    this.calls.push(["abort"]);
  }

  callBegan(): void {
    this.callsBegun++;
  }

  callReturned(): void {
    this.callsReturned++;
  }

  #take(): Uint8Array | undefined {
    const chunk = this.#arrived.shift();
    if (chunk instanceof Error) throw chunk;
    return chunk;
  }

  #wakeReader(): void {
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers();
  }
}

/** A file in memory, which remembers that it was closed. */
export class FakeFile implements ReadableFile, Disposable {
  closed = false;
  readonly #content: Uint8Array;
  readonly #maxRead: number;
  #position = 0;

  /** Reads give at most `maxRead` bytes each, as those of real files may. */
  constructor(content: string, maxRead = Infinity) {
    this.#content = bytes(content);
    this.#maxRead = maxRead;
  }

  async read(target: Uint8Array): Promise<number | null> {
    await Promise.resolve();
    if (this.closed) throw new Error("Cannot read: the file is closed");
    const start = this.#position;
    const end = start + Math.min(target.length, this.#maxRead);
    const piece = this.#content.subarray(start, end);
    target.set(piece);
    this.#position += piece.length;
    return piece.length === 0 ? null : piece.length;
  }

  async seek(offset: number, _whence: 0): Promise<number> {
    await Promise.resolve();
    if (this.closed) throw new Error("Cannot seek: the file is closed");
    return this.#position = offset;
  }

  [Symbol.dispose](): void {
    this.closed = true;
  }
}

/** What an application is run on. */
export interface RunOptions {
  /** Default: a request without content. */
  readonly wire?: FakeWire;
  /** Whether the request is one to HEAD. */
  readonly bodyless?: boolean;
  /** Default: no file can be opened. */
  readonly openFile?: CycleContext["openFile"];
}

/** A run of an application. */
export interface Run {
  readonly wire: FakeWire;
  /** The faults of the application that were reported. */
  readonly errors: unknown[];
  /** The refused events that were reported. */
  readonly refused: unknown[];
  /** The types of the events that were ignored. */
  readonly ignored: string[];
  /** Resolves when the response is complete, or cut short. */
  readonly finished: Promise<void>;
  /**
   * Resolves when the application has returned; rejects if an assertion in it
   * has failed.
   */
  readonly returned: Promise<void>;
}

/** Starts an application on a request. */
export function start(app: AsgiApp, options: RunOptions = {}): Run {
  const { wire = new FakeWire(), bodyless = false } = options;
  const calls = new RecordedCalls();
  const { openFile = noFile } = options;
  const context: CycleContext = Object.assign(calls, { openFile });
  const cycle = new HttpCycle(wire, context, bodyless ? "HEAD" : "GET");
  const finished = cycle.run(app, exampleScope());
  const { errors, refused, ignored, returned } = calls;
  return { wire, errors, refused, ignored, finished, returned };
}

/** Runs an application to its end, and its response; it must be faultless. */
export function run(app: AsgiApp, options?: RunOptions): Promise<Run> {
  return faultless(start(app, options));
}

/** Runs an application that may fail to its end, and its response. */
export function runFaulty(app: AsgiApp, options?: RunOptions): Promise<Run> {
  return ended(start(app, options));
}

/** The scope of some request. */
export function exampleScope(): HttpScope {
  return httpScope({
    version: "1.1",
    method: "POST",
    target: { path: "/", query: "" },
    headers: [["host", "localhost"]],
  }, { scheme: "http", client: null, server: null });
}

/** An event that was received, in short: "body abc, more", "disconnect". */
export function brief(event: ReceiveEvent): string {
  if (event.type === "http.disconnect") return "disconnect";
  if (event.type !== "http.request") return event.type;
  const text = new TextDecoder().decode(event.body);
  return event.more_body ? `body ${text}, more` : `body ${text}`;
}

/** Receives so many events, in short. */
export async function take(receive: Receive, count: number): Promise<string[]> {
  const events: string[] = [];
  while (events.length < count) events.push(brief(await receive()));
  return events;
}

const MAX_SENDS = 100;

/**
 * Sends again and again until a send has to wait.
 *
 * @returns How many did not have to, and the one that waits.
 */
export async function sendUntilFull(
  send: () => Promise<void>,
): Promise<{ count: number; waiting: Promise<void> }> {
  for (let count = 0; count < MAX_SENDS; count++) {
    const sent = send();
    if (await isPending(sent)) return { count, waiting: sent };
  }
  throw new Error(`${MAX_SENDS} sends did not have to wait`);
}

/** Text as UTF-8. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function noFile(path: string): Promise<never> {
  await Promise.resolve();
  throw new Error(`Cannot open ${path}: there is no such file`);
}
