/**
 * Sends a `Response` as events, at the client's pace.
 *
 * What a `Response` does not tell is the length of its content. Where all of it
 * is there already, as that of a string is, it can be seen, and gives the
 * content-length. Where nothing is there yet, the head goes ahead.
 *
 * @module
 */

import type { Field } from "../http/fields.ts";
import { ClientDisconnected, isDisconnect } from "../asgi/errors.ts";
import { show } from "../asgi/event_checks.ts";
import type {
  HttpResponseBodyEvent,
  HttpScope,
  Send,
  WebSocketScope,
} from "../asgi/types.ts";
import { handled } from "../streams/handled.ts";
import type { RequestEvents } from "./_request_events.ts";

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Read = ReadableStreamReadResult<Uint8Array>;

const EMPTY = new Uint8Array(0);
/** Turns of the microtask queue; a stream takes some to give what it holds. */
const MAX_TURNS = 8;

/**
 * Sends a response; `scope` is that of its request.
 *
 * @throws {TypeError} If it can't be sent as it is.
 * @throws {ClientDisconnected} If the client disconnects.
 */
export async function sendResponse(
  response: Response,
  scope: HttpScope | WebSocketScope,
  events: RequestEvents,
  send: Send,
): Promise<void> {
  checkResponse(response);
  const reader = response.body?.getReader();
  const cancel = (): void => {
    if (reader !== undefined) giveUp(reader, events.signal.reason);
  };
  events.signal.addEventListener("abort", cancel);
  const sender = new ResponseSender(response, scope, events, send);
  try {
    await sender.send(reader);
  } catch (error) {
    if (isDisconnect(error)) events.abort();
    if (reader !== undefined) giveUp(reader, error);
    throw error;
  } finally {
    events.signal.removeEventListener("abort", cancel);
  }
}

/** Reads no more; a source that fails to end has given all it will. */
function giveUp(reader: Reader, reason: unknown): void {
  handled(reader.cancel(reason));
}

function checkResponse(response: Response): void {
  if (!(response instanceof Response)) {
    throw new TypeError(
      `Cannot answer: the handler must give a Response, not ${show(response)}`,
    );
  }
  if (response.status < 200) {
    throw new TypeError(
      `Cannot answer: no response can have status ${response.status}`,
    );
  }
  if (response.bodyUsed || response.body?.locked) {
    throw new TypeError("Cannot answer: the response's body was read before");
  }
}

/** Sends one response. */
class ResponseSender {
  readonly #response: Response;
  readonly #prefix: "http.response" | "websocket.http.response";
  readonly #head: boolean;
  readonly #events: RequestEvents;
  readonly #send: Send;

  constructor(
    response: Response,
    scope: HttpScope | WebSocketScope,
    events: RequestEvents,
    send: Send,
  ) {
    this.#response = response;
    this.#prefix = scope.type === "http"
      ? "http.response"
      : "websocket.http.response";
    this.#head = scope.type === "http" && scope.method === "HEAD";
    this.#events = events;
    this.#send = send;
  }

  /** Sends the response, whose content `reader` reads. */
  async send(reader: Reader | undefined): Promise<void> {
    if (reader === undefined) {
      return await this.#sendWhole(EMPTY, this.#head ? undefined : 0);
    }
    const first = reader.read();
    const whole = await wholeContent(reader, first);
    if (whole !== undefined) return await this.#sendWhole(whole, whole.length);
    if (this.#head) {
      giveUp(reader, "The response has no content");
      return await this.#sendWhole(EMPTY, undefined);
    }
    // What is there can be sent to a client that has half-closed; not a stream.
    this.#requireClient();
    await this.#start();
    await this.#sendPieces(reader, first);
  }

  async #sendWhole(
    content: Uint8Array,
    length: number | undefined,
  ): Promise<void> {
    await this.#start(length);
    await this.#finish(this.#head ? EMPTY : content);
  }

  async #sendPieces(reader: Reader, first: Promise<Read>): Promise<void> {
    // A head that waits for content would hold up a client that waits for the head.
    if (!await isSettled(first)) await this.#body(EMPTY, true);
    for (let read = await first; !read.done; read = await reader.read()) {
      await this.#body(checkChunk(read.value), true);
    }
    // A body that was cancelled is not whole.
    this.#requireClient();
    await this.#finish(EMPTY);
  }

  #requireClient(): void {
    if (this.#events.signal.aborted) throw new ClientDisconnected();
  }

  async #start(length?: number): Promise<void> {
    const { status } = this.#response;
    const headers: Field[] = [...this.#response.headers];
    const hasLength = this.#response.headers.has("content-length");
    const bodyless = status === 204 || status === 205 || status === 304;
    if (length !== undefined && !hasLength && !bodyless) {
      headers.push(["content-length", String(length)]);
    }
    await this.#send({ type: `${this.#prefix}.start`, status, headers });
  }

  async #finish(content: Uint8Array): Promise<void> {
    this.#events.answered();
    await this.#body(content, false);
  }

  async #body(body: Uint8Array, more_body: boolean): Promise<void> {
    const type = `${this.#prefix}.body` as HttpResponseBodyEvent["type"];
    await this.#send({ type, body, more_body });
  }
}

/** All of the content, if it is there already; nothing more is asked for. */
async function wholeContent(
  reader: Reader,
  first: Promise<Read>,
): Promise<Uint8Array | undefined> {
  if (!await isSettled(first)) return undefined;
  const { done, value } = await first;
  if (done) return EMPTY;
  return await isSettled(reader.closed) ? checkChunk(value) : undefined;
}

/** Whether a promise is settled by now, or within a few turns of no wait. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < MAX_TURNS && !settled; turn++) await undefined;
  return settled;
}

function checkChunk(chunk: Uint8Array): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError(
    `Cannot send body: its chunks must be of Uint8Array, not ${show(chunk)}`,
  );
}
