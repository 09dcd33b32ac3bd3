/**
 * What it costs to encode a response, and to serve a request on a connection in
 * memory, without an application: the wire alone.
 *
 *     deno bench bench/response_bench.ts
 *
 * @module
 */

import {
  DEFAULT_HTTP1_OPTIONS,
  Http1Connection,
  type Http1Exchange,
  type Transport,
} from "../src/http1/mod.ts";
import { encodeByteString } from "../src/streams/byte_string.ts";
import { BROWSER_REQUEST, SMALL_REQUEST } from "./_requests.ts";

const hello = new TextEncoder().encode("Hello, World!");
const piece = new Uint8Array(4 * 1024);
const PIECES = 16;
const FIELDS: [string, string][] = [
  ["content-type", "text/html; charset=utf-8"],
  ["content-length", String(hello.length)],
  ["cache-control", "public, max-age=3600"],
  ["etag", '"2a-1968f3c5b70"'],
  ["last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"],
  ["strict-transport-security", "max-age=31536000; includeSubDomains"],
  ["x-content-type-options", "nosniff"],
  ["vary", "accept-encoding"],
];

/** A client that sends a request when `send` is called, and waits for the answer. */
class Client implements Transport {
  readonly readable: ReadableStream<Uint8Array>;
  readonly readDeadline = { arm() {}, disarm() {}, [Symbol.dispose]() {} };
  readonly #request: Uint8Array;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #answered = Promise.withResolvers<void>();

  constructor(request: string) {
    this.#request = encodeByteString(request);
    this.readable = new ReadableStream({
      start: (controller) => void (this.#controller = controller),
    }, { highWaterMark: 0 });
  }

  createDeadline() {
    return this.readDeadline;
  }

  /** Sends the request; resolves when the handler has answered it. */
  ask(): Promise<void> {
    this.#answered = Promise.withResolvers();
    this.#controller.enqueue(this.#request.slice());
    return this.#answered.promise;
  }

  answered(): void {
    this.#answered.resolve();
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

function benchExchange(
  name: string,
  answer: (exchange: Http1Exchange) => Promise<void> | void,
  request = SMALL_REQUEST,
): void {
  const client = new Client(request);
  const connection = new Http1Connection(client, async (exchange) => {
    await answer(exchange);
    client.answered();
  }, DEFAULT_HTTP1_OPTIONS);
  let running: Promise<unknown> | undefined;
  Deno.bench(`exchange: ${name}`, async () => {
    running ??= connection.run();
    await client.ask();
  });
}

function answerShortly(exchange: Http1Exchange) {
  exchange.head(200, [["content-length", String(hello.length)]]);
  return exchange.data(hello, true);
}

benchExchange("a short answer", answerShortly);
benchExchange("a short answer to a browser", answerShortly, BROWSER_REQUEST);
benchExchange("an answer with 8 fields", (exchange) => {
  exchange.head(200, FIELDS);
  return exchange.data(hello, true);
});
benchExchange(`64 KiB in ${PIECES} chunks`, async (exchange) => {
  exchange.head(200, []);
  for (let left = PIECES - 1; left >= 0; left--) {
    await exchange.data(piece, left === 0);
  }
});
