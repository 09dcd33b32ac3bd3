/**
 * An id for each request, by which what several logs say of it is found.
 *
 * @module
 */

import type { AsgiApp, Header, HeaderLike, SendEvent } from "../asgi/types.ts";
import { wrapSend } from "../asgi/wrap.ts";
import { fieldName } from "../http/fields.ts";

/** Where ids are, and where they come from. */
export interface RequestIdOptions {
  /** The field that carries the id. Default: "x-request-id". */
  header?: string;
  /**
   * Whether an id that comes with the request is kept, if it has at most 128
   * letters, digits and `._~+/=:-`; only for clients that are proxies of your
   * own. Default: false.
   */
  trustIncoming?: boolean;
}

const ID = /^[A-Za-z0-9._~+/=:-]{1,128}$/;
const decoder = new TextDecoder();

/**
 * Wraps an application so that each request has an id, a random UUID: the
 * application finds it among the fields of its scope, and the client among
 * those of the response. Whatever else had that name is gone from both.
 *
 * @throws {TypeError} If `header` is no name of a field.
 */
export function requestId(
  app: AsgiApp,
  { header = "x-request-id", trustIncoming = false }: RequestIdOptions = {},
): AsgiApp {
  const name = fieldName(header);
  if (name === undefined) {
    throw new TypeError(`Cannot use "${header}" as the name of a field`);
  }
  return (scope, receive, send) => {
    if (scope.type === "lifespan") return app(scope, receive, send);
    const incoming = trustIncoming ? idFrom(scope.headers, name) : undefined;
    const field: Header = [name, incoming ?? crypto.randomUUID()];
    const headers = [...without(scope.headers, name), field];
    return app(
      { ...scope, headers },
      receive,
      wrapSend(send, (event) => withField(event, field)),
    );
  };
}

/** The id that came with a request, if there is exactly one, and it is sane. */
function idFrom(headers: readonly Header[], name: string): string | undefined {
  const [id, ...others] = headers.filter((header) => header[0] === name);
  const isSane = id !== undefined && others.length === 0 && ID.test(id[1]);
  return isSane ? id[1] : undefined;
}

/** Adds a field to the events that begin a response. */
function withField(event: SendEvent, field: Header): SendEvent {
  switch (event.type) {
    case "http.response.start":
    case "websocket.accept":
    case "websocket.http.response.start": {
      const headers = [...without(event.headers ?? [], field[0]), field];
      return { ...event, headers };
    }
    default:
      return event;
  }
}

function without<H extends HeaderLike>(
  headers: Iterable<H>,
  name: string,
): H[] {
  return [...headers].filter((header) => textOf(header[0]) !== name);
}

function textOf(name: string | Uint8Array): string {
  const text = typeof name === "string" ? name : decoder.decode(name);
  return text.toLowerCase();
}
