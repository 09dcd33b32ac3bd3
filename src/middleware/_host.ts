/**
 * Hosts with an optional port, as the field Host has them.
 *
 * @module
 */

import type { HttpScope, WebSocketScope } from "../asgi/types.ts";

/** A host and its port. */
export interface Host {
  /** The name or address, that of IPv6 in brackets. */
  readonly name: string;
  /** The port; `undefined` if none is given. */
  readonly port: number | undefined;
}

/** The longest name that DNS knows, a dot at its end, and a port. */
const MAX_LENGTH = 260;
const HOST =
  /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::([0-9]{0,5}))?$/;

/** Takes a host apart; `undefined` if `text` is none. */
export function parseHost(text: string): Host | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [, name, port] = HOST.exec(text) ?? [];
  if (name === undefined) return undefined;
  if (port === undefined || port === "") return { name, port: undefined };
  return Number(port) > 65_535 ? undefined : { name, port: Number(port) };
}

/** Writes a host; a port that is the scheme's own is left out. */
export function formatHost({ name, port }: Host, secure: boolean): string {
  return port === undefined || port === defaultPort(secure)
    ? name
    : `${name}:${port}`;
}

/** The port that URLs without one mean. */
export function defaultPort(secure: boolean): number {
  return secure ? 443 : 80;
}

/** The host that a request is for; `undefined` unless there is exactly one. */
export function hostOf(scope: HttpScope | WebSocketScope): Host | undefined {
  const [host, ...others] = scope.headers.filter(([name]) => name === "host");
  return host === undefined || others.length > 0
    ? undefined
    : parseHost(host[1]);
}
