/**
 * What applications in raw ASGI need every day.
 *
 * @module
 */

import { ClientDisconnected } from "./errors.ts";
import type {
  AsgiApp,
  ByteString,
  HeaderLike,
  HttpScope,
  Receive,
  ReceiveEvent,
  Scope,
  Send,
  SendEvent,
  WebSocketScope,
} from "./types.ts";

/**
 * The request's content as a stream of bytes; it reads from the client only
 * what is read from it. It errors with {@linkcode ClientDisconnected} if the
 * client disconnects before all of the content has arrived.
 *
 * @example
 * ```ts
 * import { requestBody, respond, serve } from "jsr:@x/asgi";
 * import { toJson } from "@std/streams";
 *
 * serve(async (_scope, receive, send) => {
 *   const order = await toJson(requestBody(receive));
 *   await respond(send, 200, { body: JSON.stringify(order) });
 * });
 * ```
 */
export function requestBody(receive: Receive): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        const event = await receive();
        if (event.type !== "http.request") throw new ClientDisconnected();
        const { body, more_body } = event;
        if (body.length > 0) controller.enqueue(body);
        if (!more_body) controller.close();
        if (!more_body || body.length > 0) return;
      }
    },
  }, { highWaterMark: 0 });
}

/** What {@linkcode respond} sends besides the status. */
export interface RespondOptions {
  /** The fields; a content-length is added. Default: none. */
  headers?: Iterable<HeaderLike>;
  /** The content; a string is sent as UTF-8. Default: empty. */
  body?: Uint8Array | string;
}

/**
 * Sends a whole response, with its content-length.
 *
 * @throws {InvalidEventError} If the status or a header is malformed.
 * @throws {ClientDisconnected} If the client has disconnected.
 */
export async function respond(
  send: Send,
  status: number,
  { headers = [], body = "" }: RespondOptions = {},
): Promise<void> {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  await send({
    type: "http.response.start",
    status,
    headers: [...headers, ["content-length", String(bytes.length)]],
  });
  await send({ type: "http.response.body", body: bytes });
}

const encoder = new TextEncoder();

/**
 * The value of the first field called `name` (in lowercase) in a scope;
 * `undefined` if there is none.
 */
export function headerValue(
  scope: HttpScope | WebSocketScope,
  name: string,
): ByteString | undefined {
  return scope.headers.find((header) => header[0] === name)?.[1];
}

/**
 * Makes an application of a transform from the request's events to the
 * response's: for each request or WebSocket, `create` is called with its scope.
 *
 * @example
 * ```ts
 * import { fromTransform, serve } from "jsr:@x/asgi";
 *
 * serve(fromTransform(() =>
 *   new TransformStream({
 *     start(controller) {
 *       controller.enqueue({ type: "http.response.start", status: 200 });
 *     },
 *     transform(event, controller) {
 *       if (event.type === "http.request") {
 *         const { body, more_body } = event;
 *         controller.enqueue({ type: "http.response.body", body, more_body });
 *       }
 *     },
 *   })
 * ));
 * ```
 */
export function fromTransform(
  create: (scope: Scope) => ReadableWritablePair<SendEvent, ReceiveEvent>,
): AsgiApp {
  return (scope, receive, send) => {
    if (scope.type === "lifespan") {
      throw new TypeError("Cannot transform lifespan: it has no response");
    }
    return receive.readable.pipeThrough(create(scope)).pipeTo(send.writable);
  };
}
