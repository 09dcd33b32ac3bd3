// What the tests of middleware stand on: scopes of requests that came by any
// connection, and calls of an application by hand.

import {
  type ConnectionInfo,
  httpScope,
  type ScopedRequest,
  webSocketScope,
} from "../../src/asgi/http_scope.ts";
import type {
  AsgiApp,
  Header,
  HttpScope,
  Receive,
  ReceiveEvent,
  Scope,
  Send,
  SendEvent,
  WebSocketScope,
} from "../../src/asgi/types.ts";

/** A request and the connection that it came by. */
export interface ScopeFacts extends Partial<ConnectionInfo> {
  /** The path as it came, with the query. Default: "/". */
  readonly target?: string;
  /** Default: a Host. */
  readonly headers?: readonly Header[];
}

/** The scope of a request. */
export function httpScopeOf(facts: ScopeFacts = {}): HttpScope {
  return httpScope(requestOf(facts), connectionOf(facts));
}

/** The scope of a WebSocket. */
export function webSocketScopeOf(facts: ScopeFacts = {}): WebSocketScope {
  return webSocketScope(requestOf(facts), connectionOf(facts), []);
}

/** The scope of a server's life. */
export function lifespanScope(): Scope {
  const asgi = { version: "3.0", spec_version: "2.0" } as const;
  return { type: "lifespan", asgi, state: {} };
}

function requestOf(
  { target = "/", headers = [["host", "example.com"]] }: ScopeFacts,
): ScopedRequest {
  const [path, query = ""] = target.split("?");
  return { version: "1.1", method: "GET", target: { path, query }, headers };
}

function connectionOf(
  {
    scheme = "http",
    client = ["127.0.0.1", 50_000],
    server = ["127.0.0.1", 8000],
  }: ScopeFacts,
): ConnectionInfo {
  return { scheme, client, server };
}

/** What an application has sent, when it was called with a scope. */
export async function eventsOf(
  app: AsgiApp,
  scope: Scope,
): Promise<SendEvent[]> {
  const events: SendEvent[] = [];
  const event: ReceiveEvent = scope.type === "http"
    ? { type: "http.request", body: new Uint8Array(), more_body: false }
    : { type: "websocket.connect" };
  const receive = () => Promise.resolve(event);
  const send = (event: SendEvent) => Promise.resolve(void events.push(event));
  await app(scope, receive as unknown as Receive, send as unknown as Send);
  return events;
}

/** The scope that an application sees through middleware; `undefined` for none. */
export async function seenThrough(
  wrap: (app: AsgiApp) => AsgiApp,
  scope: Scope,
): Promise<Scope | undefined> {
  let seen: Scope | undefined;
  await eventsOf(wrap((inner) => void (seen = inner)), scope);
  return seen;
}

/** The status and the fields of a response, or of a denial. */
export function headOf(
  events: readonly SendEvent[],
): { type: string; status: number; headers: Map<string, string> } {
  const [event] = events;
  if (
    event?.type !== "http.response.start" &&
    event?.type !== "websocket.http.response.start"
  ) throw new Error(`No response: ${event?.type}`);
  const headers = [...event.headers ?? []] as [string, string][];
  return { ...event, headers: new Map(headers) };
}
