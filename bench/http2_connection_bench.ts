/**
 * What it costs to serve requests on an HTTP/2 connection in memory: the wire
 * alone, and with an application. Requests come together, as a client sends them
 * that has several under way; figures are of all of them.
 *
 *     deno bench -A bench/http2_connection_bench.ts
 *
 * @module
 */

import { LifespanCycle } from "../src/asgi/lifespan_cycle.ts";
import type { Transport } from "../src/http/transport.ts";
import {
  DEFAULT_HTTP2_OPTIONS,
  Http2Connection,
  type Http2Handler,
} from "../src/http2/mod.ts";
import { FrameWriter } from "../src/http2/frame_writer.ts";
import { HpackEncoder } from "../src/http2/hpack/mod.ts";
import { Dispatcher } from "../src/server/dispatcher.ts";
import { resolveOptions } from "../src/server/options.ts";
import { app } from "./compare/apps/x_asgi.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const MAX_WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;
const CHUNK_BYTES = 64 * 1024;
const MEBIBYTE = 1024 * 1024;
const INFO = {
  client: ["127.0.0.1", 50_000],
  server: ["127.0.0.1", 8_000],
  scheme: "http",
} as const;

const hello = new TextEncoder().encode("Hello, World!");

/** What is asked, by the path of the application. */
interface Asked {
  readonly path: string;
  /** How many requests come together. Default: 1. */
  readonly count?: number;
  /** Bytes of content of each. Default: 0. */
  readonly content?: number;
  /** Bytes of content of each response. */
  readonly answer: number;
}

/** A client that sends requests when asked to, and drops what it is sent. */
class Client implements Transport {
  readonly readable: ReadableStream<Uint8Array>;
  readonly readDeadline = deadline();
  readonly #asked: Required<Asked>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #parts: Uint8Array[] = [];
  readonly #writer = new FrameWriter({
    bytes: (bytes) => this.#parts.push(bytes.slice()),
  });
  readonly #block: Uint8Array;
  #nextId = 1;
  #left = 0;
  #allAnswered = Promise.withResolvers<void>();

  constructor({ path, count = 1, content = 0, answer }: Asked) {
    this.#asked = { path, count, content, answer };
    this.readable = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
    }, { highWaterMark: 0 });
    // Nothing of it enters the table, so that it can be sent again.
    const encoder = new HpackEncoder();
    encoder.setMaxTableSize(0);
    this.#block = encoder.encode([
      [":method", content > 0 ? "POST" : "GET"],
      [":scheme", "http"],
      [":authority", "127.0.0.1:8000"],
      [":path", path],
      ["user-agent", "h2load nghttp2/1.52.0"],
    ]);
    this.#parts.push(new TextEncoder().encode(PREFACE));
    this.#writer.settings([[4, MAX_WINDOW]]);
    this.#writer.settingsAck();
  }

  createDeadline() {
    return deadline();
  }

  /** Sends the requests; resolves when all are answered. */
  ask(): Promise<void> {
    const { count, content, answer } = this.#asked;
    this.#left = count;
    this.#allAnswered = Promise.withResolvers();
    // What the last responses have taken of the window.
    const isFirst = this.#nextId === 1;
    const taken = isFirst ? MAX_WINDOW - DEFAULT_WINDOW : count * answer;
    this.#writer.windowUpdate(0, taken);
    for (let i = 0; i < count; i++, this.#nextId += 2) {
      this.#writer.headers(this.#nextId, this.#block, content === 0);
      if (content > 0) this.#sendContent(content);
    }
    this.#send();
    return this.#allAnswered.promise;
  }

  /** As many as the server's windows hold. */
  #sendContent(bytes: number): void {
    this.#writer.data(this.#nextId, new Uint8Array(bytes), true);
  }

  #send(): void {
    const bytes = joined(this.#parts);
    this.#parts = [];
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      this.#controller.enqueue(bytes.slice(at, at + CHUNK_BYTES));
    }
  }

  /** Called when a request was handled. */
  answered(): void {
    if (--this.#left === 0) this.#allAnswered.resolve();
  }

  write(): Promise<void> {
    return Promise.resolve();
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  endRead(): void {}

  close(): void {}
}

function deadline() {
  return { arm() {}, disarm() {}, [Symbol.dispose]() {} };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Declares a benchmark of a handler. */
function bench(name: string, handle: Http2Handler, asked: Asked): void {
  const client = new Client(asked);
  const connection = new Http2Connection(client, async (exchange) => {
    await handle(exchange);
    client.answered();
  }, DEFAULT_HTTP2_OPTIONS);
  let running: Promise<unknown> | undefined;
  Deno.bench(name, async () => {
    running ??= connection.run();
    await client.ask();
  });
}

const handler: Http2Handler = async (exchange) => {
  exchange.head(200, [["content-length", String(hello.length)]]);
  await exchange.data(hello, true);
};

const dispatcher = new Dispatcher(app, {
  options: resolveOptions({}),
  lifespan: new LifespanCycle(app, "off", () => {}),
  openFile: () => Promise.reject(new Error("There are no files here")),
  log: ({ message, error }) => console.error(message, error),
});
const asgi: Http2Handler = (exchange) => dispatcher.dispatch(exchange, INFO);

for (const count of [1, 10, 100]) {
  bench(`hello, handler: ${count}`, handler, {
    path: "/",
    count,
    answer: hello.length,
  });
  bench(`hello, application: ${count}`, asgi, {
    path: "/",
    count,
    answer: hello.length,
  });
}
bench("1 MiB down, application", asgi, { path: "/1m", answer: MEBIBYTE });
bench("192 KiB up, application", asgi, {
  path: "/upload",
  content: 192 * 1024,
  answer: 6,
});
bench("8 times 64 KiB up, application", asgi, {
  path: "/upload",
  count: 8,
  content: MEBIBYTE / 16,
  answer: 5,
});
