/**
 * Runs a `fetch` handler as an ASGI application.
 *
 * A WebSocket's handshake reaches the handler as the ordinary request that it
 * is as well, and what the handler answers denies the WebSocket: `fetch` has no
 * means to open one.
 *
 * @module
 */

import { ClientDisconnected } from "../asgi/errors.ts";
import { respond } from "../asgi/helpers.ts";
import type {
  AsgiApp,
  HttpScope,
  Send,
  WebSocketScope,
} from "../asgi/types.ts";
import { handled } from "../streams/handled.ts";
import { RequestEvents } from "./_request_events.ts";
import { sendResponse } from "./_response_events.ts";
import { ServerRequest } from "./_server_request.ts";

/** A client's address, in the form that `Deno.serve` gives it. */
export type RemoteAddress =
  | { transport: "tcp"; hostname: string; port: number }
  | { transport: "unix"; path: string };

/** What a handler is called with besides the request. */
export interface FetchInfo {
  /**
   * The client's address; where it has none, the path of the server's unix
   * socket, or "".
   */
  remoteAddr: RemoteAddress;
  /** Settles when the response is over; rejects if it was cut short. */
  completed: Promise<void>;
  /** The scope of the request. */
  scope: HttpScope | WebSocketScope;
}

/** A handler as `Deno.serve` takes it: Hono's `app.fetch`, Oak's, a function. */
export type FetchHandler = (
  request: Request,
  info: FetchInfo,
) => Response | Promise<Response>;

/**
 * Makes an ASGI application of a `fetch` handler. Requests and responses are
 * streamed at the pace at which they are read. `request.signal` is aborted, and
 * the response's body cancelled, when the client disconnects.
 *
 * A handler that throws, or answers with what HTTP can't carry
 * (`Response.error()`, a status below 200), gets its client a 500. A body that
 * fails in the middle cuts the connection.
 *
 * @example
 * ```ts
 * import { serve } from "jsr:@x/asgi";
 * import { fromFetch } from "jsr:@x/asgi/fetch";
 *
 * const server = serve(
 *   fromFetch((request) => new Response(request.body)),
 *   { port: 0 },
 * );
 * await server.shutdown();
 * ```
 */
export function fromFetch(handler: FetchHandler): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type === "lifespan") {
      throw new TypeError("Cannot run lifespan: a fetch handler has none");
    }
    if (scope.type === "websocket" && !canBeDenied(scope)) {
      return await send({ type: "websocket.close" });
    }
    const events = new RequestEvents(receive, !expectsContinue(scope));
    const request = ServerRequest.from(scope, events);
    if (typeof request === "number") return await refuse(scope, send, request);
    await handle(handler, request, { scope, events, send });
  };
}

/** One call of an application, and what it was called with. */
interface Call {
  readonly scope: HttpScope | WebSocketScope;
  readonly events: RequestEvents;
  readonly send: Send;
}

async function handle(
  handler: FetchHandler,
  request: ServerRequest,
  { scope, events, send }: Call,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const completed = handled(promise); // The handler may not ask for it.
  const remoteAddr = remoteAddress(scope);
  try {
    const response = await handler(request, { remoteAddr, completed, scope });
    await sendResponse(response, scope, events, send);
    resolve();
  } catch (error) {
    reject(error);
    // What gives up because of the signal has not failed.
    const gaveUp = events.signal.aborted && error === events.signal.reason;
    throw gaveUp ? new ClientDisconnected({ cause: error }) : error;
  }
}

function remoteAddress(scope: HttpScope | WebSocketScope): RemoteAddress {
  const { client, server } = scope;
  if (client !== null) {
    return { transport: "tcp", hostname: client[0], port: client[1] };
  }
  const path = server !== null && server[1] === null ? server[0] : "";
  return { transport: "unix", path };
}

/** Whether content comes only when it is asked for. */
function expectsContinue({ headers }: HttpScope | WebSocketScope): boolean {
  return headers.some(([name]) => name === "expect");
}

function canBeDenied({ extensions }: WebSocketScope): boolean {
  return extensions["websocket.http.response"] !== undefined;
}

async function refuse(
  scope: HttpScope | WebSocketScope,
  send: Send,
  status: number,
): Promise<void> {
  if (scope.type === "websocket") await send({ type: "websocket.close" });
  else await respond(send, status);
}
