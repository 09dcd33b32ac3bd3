/**
 * Applications by the host that a request is for, and the guard against other
 * hosts, which a client could make an application put into its links.
 *
 * @module
 */

import type { AsgiApp, HttpScope, WebSocketScope } from "../asgi/types.ts";
import { hostOf } from "./_host.ts";
import { refuse } from "./_refusal.ts";
import { LifespanFan } from "./lifespan_fan.ts";

const LABEL = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?";
const PATTERN = new RegExp(
  String.raw`^(?:\[[0-9a-f:.]+\]|(?:\*\.)?${LABEL}(?:\.${LABEL})*)$`,
);

/**
 * Makes an application of several by host: "example.com" for that host,
 * "*.example.com" for all hosts below it; the port does not count. A host wins
 * over a wildcard, and a longer wildcard over a shorter one. Other requests go
 * to `fallback`, or get a 421.
 *
 * All of them get lifespan events, each with a state of its own.
 *
 * @throws {TypeError} If a key is no host and no wildcard.
 */
export function hosts(
  apps: Readonly<Record<string, AsgiApp>>,
  fallback?: AsgiApp,
): AsgiApp {
  const others = fallback === undefined ? [] : [fallback];
  const fan = new LifespanFan([...Object.values(apps), ...others]);
  const table = new HostTable(Object.entries(apps));
  return (scope, receive, send) => {
    if (scope.type === "lifespan") return fan.run(scope, receive, send);
    const app = table.find(scope) ?? fallback;
    if (app === undefined) return refuse({ scope, receive, send }, MISDIRECTED);
    return app(fan.scopeFor(app, scope), receive, send);
  };
}

const MISDIRECTED = { status: 421, text: "Misdirected Request" };

/**
 * Wraps an application so that requests for other hosts than these get a 400,
 * and WebSockets are denied with one; patterns are those of {@linkcode hosts}.
 *
 * @throws {TypeError} If a pattern is no host and no wildcard.
 */
export function allowedHosts(
  app: AsgiApp,
  patterns: Iterable<string>,
): AsgiApp {
  const table = new HostTable([...patterns].map((pattern) => [pattern, true]));
  return (scope, receive, send) =>
    scope.type === "lifespan" || table.find(scope)
      ? app(scope, receive, send)
      : refuse({ scope, receive, send }, UNKNOWN_HOST);
}

const UNKNOWN_HOST = { status: 400, text: "Unknown host" };

/** What belongs to which host. */
class HostTable<Value> {
  readonly #values = new Map<string, Value>();

  constructor(entries: Iterable<[pattern: string, value: Value]>) {
    for (const [pattern, value] of entries) {
      const key = String(pattern).toLowerCase();
      if (!PATTERN.test(key)) {
        throw new TypeError(
          `Cannot match host "${pattern}": it must be like "example.com" or "*.example.com", without scheme and port`,
        );
      }
      if (this.#values.has(key)) {
        throw new TypeError(
          `Cannot match host "${pattern}": it is there twice`,
        );
      }
      this.#values.set(key, value);
    }
  }

  find(scope: HttpScope | WebSocketScope): Value | undefined {
    // A dot at the end makes a name absolute, and changes nothing else.
    const name = hostOf(scope)?.name.toLowerCase().replace(/\.$/, "");
    if (name === undefined) return undefined;
    const exact = this.#values.get(name);
    if (exact !== undefined) return exact;
    for (let at = 0; (at = name.indexOf(".", at)) !== -1; at++) {
      const value = at > 0 ? this.#values.get(`*${name.slice(at)}`) : undefined;
      if (value !== undefined) return value;
    }
    return undefined;
  }
}
