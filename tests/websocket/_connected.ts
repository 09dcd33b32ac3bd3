// A connection over a stream in memory: the test plays the client, holds the
// writes back when it wants to, and lets deadlines pass by hand.

import type { ByteStream } from "../../src/streams/byte_stream.ts";
import { ByteReader } from "../../src/streams/byte_reader.ts";
import { WebSocketConnection } from "../../src/websocket/connection.ts";
import type { WebSocketConnectionOptions } from "../../src/websocket/connection_options.ts";
import type { Deadline } from "../../src/streams/deadline.ts";
import {
  concat,
  describe,
  joinFragments,
  type ServerFrame,
  serverFrames,
} from "./_frames.ts";

/** A deadline that passes when the test says so. */
export class ManualDeadline implements Deadline, Disposable {
  /** How long it was armed for last; `undefined` if it is not armed. */
  armedFor: number | undefined;
  /** How often it was armed. */
  arms = 0;
  #onExpiry = () => {};
  readonly #onDispose: () => void;

  constructor(onDispose = () => {}) {
    this.#onDispose = onDispose;
  }

  arm(ms: number, onExpiry: () => void): void {
    this.armedFor = ms;
    this.arms++;
    this.#onExpiry = onExpiry;
  }

  disarm(): void {
    this.armedFor = undefined;
  }

  [Symbol.dispose](): void {
    this.disarm();
    this.#onDispose();
  }

  /** Lets it pass; it must be armed, and not for ever. */
  expire(): void {
    if (this.armedFor === undefined || this.armedFor === Infinity) {
      throw new Error("The deadline is not armed");
    }
    this.armedFor = undefined;
    this.#onExpiry();
  }
}

/** The client, and the stream between it and the connection. */
export class MemoryStream implements ByteStream {
  readonly reader: ByteReader;
  readonly deadline: ManualDeadline = new ManualDeadline();
  /** The deadlines that were asked for, and not disposed of. */
  readonly deadlines: ManualDeadline[] = [];
  /** What was written, one entry a write. */
  readonly writes: Uint8Array[] = [];
  /** How many chunks the connection has asked for. */
  reads = 0;
  aborted = false;
  /** What it was closed with, in milliseconds. */
  closedFor: number | undefined;
  bytesSent = 0;
  readonly #chunks: Uint8Array[] = [];
  readonly #held: PromiseWithResolvers<void>[] = [];
  #holding = false;
  #ended = false;
  #lost = false;
  #wake = () => {};

  constructor() {
    const readable = new ReadableStream<Uint8Array>({
      pull: (controller) => this.#pull(controller),
    }, { highWaterMark: 0 });
    this.reader = new ByteReader(readable);
  }

  async #pull(
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<void> {
    this.reads++;
    while (this.#chunks.length === 0 && !this.#ended && !this.#lost) {
      await new Promise<void>((wake) => this.#wake = wake);
    }
    const chunk = this.#chunks.shift();
    if (this.#lost) controller.error(new Error("The client is lost"));
    else if (chunk === undefined) controller.close();
    else controller.enqueue(chunk);
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#lost) throw new Error("The client is lost");
    this.writes.push(bytes.slice());
    this.bytesSent += bytes.length;
    if (!this.#holding) return;
    const held = Promise.withResolvers<void>();
    this.#held.push(held);
    await held.promise;
  }

  createDeadline(): ManualDeadline {
    const deadline = new ManualDeadline(() => {
      this.deadlines.splice(this.deadlines.indexOf(deadline), 1);
    });
    this.deadlines.push(deadline);
    return deadline;
  }

  close(ms: number): Promise<void> {
    this.closedFor = ms;
    return Promise.resolve();
  }

  abort(): void {
    this.aborted = true;
    this.lose();
  }

  /** The client sends bytes, a chunk each. */
  feed(...chunks: Uint8Array[]): void {
    for (const chunk of chunks) this.#chunks.push(chunk.slice());
    this.#wake();
  }

  /** The client sends no more. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The client is gone: reads and writes fail. */
  lose(): void {
    this.#lost = true;
    this.#wake();
    for (const held of this.#held.splice(0)) {
      held.reject(new Error("The client is lost"));
    }
  }

  /** The client stops reading: writes do not resolve. */
  hold(): void {
    this.#holding = true;
  }

  /** The client reads again. */
  release(): void {
    this.#holding = false;
    for (const held of this.#held.splice(0)) held.resolve();
  }

  /** What the client has got. */
  get frames(): ServerFrame[] {
    return serverFrames(concat(this.writes));
  }

  /** The control frames, and the messages put together. */
  get messages(): ServerFrame[] {
    return joinFragments(this.frames);
  }

  /** The frames, to compare. */
  get sent(): string[] {
    return this.frames.map(describe);
  }
}

/** A connection and its client. */
export interface Connected {
  readonly connection: WebSocketConnection;
  readonly client: MemoryStream;
}

/** Connects a client to a new connection. */
export function connect(options?: WebSocketConnectionOptions): Connected {
  const client = new MemoryStream();
  return { connection: new WebSocketConnection(client, options), client };
}

/** Echoes until the end; resolves to all that was received. */
export async function echo(
  connection: WebSocketConnection,
): Promise<(string | Uint8Array)[]> {
  const received: (string | Uint8Array)[] = [];
  for (;;) {
    const event = await connection.receive();
    if (event.type === "close") return received;
    received.push(event.data);
    await connection.send(event.data);
  }
}
