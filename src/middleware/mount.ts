/**
 * Several applications on one server, each below a path.
 *
 * @module
 */

import type { AsgiApp } from "../asgi/types.ts";
import { isBelow, isPrefix, pathBelowRoot } from "./_prefix.ts";
import { refuse } from "./_refusal.ts";
import { LifespanFan } from "./lifespan_fan.ts";

/**
 * Makes an application of several, each mounted at a path: "/" for all that
 * nothing else takes. The longest path wins, and it ends where a segment ends:
 * "/api" takes "/api" and "/api/users", not "/apis". What nothing takes gets a
 * 404.
 *
 * `root_path` grows by the path at which an application is mounted; `path` and
 * `raw_path` stay as they are. All of them get lifespan events, each
 * with a state of its own.
 *
 * @throws {TypeError} If a path is not like "/" or "/api".
 *
 * @example
 * ```ts
 * import { type AsgiApp, respond, serve } from "jsr:@x/asgi";
 * import { mount } from "jsr:@x/asgi/middleware";
 *
 * const greet: AsgiApp = async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: `Hello from ${scope.root_path}` });
 * };
 * const server = serve(mount({ "/api": greet, "/": greet }), { port: 0 });
 * await server.shutdown();
 * ```
 */
export function mount(apps: Readonly<Record<string, AsgiApp>>): AsgiApp {
  const fan = new LifespanFan(Object.values(apps));
  const mounted = Object.entries(apps)
    .map(([path, app]) => ({ prefix: prefixOf(path), app }))
    .sort((one, other) => other.prefix.length - one.prefix.length);
  return (scope, receive, send) => {
    if (scope.type === "lifespan") return fan.run(scope, receive, send);
    const path = pathBelowRoot(scope);
    const found = path === undefined
      ? undefined
      : mounted.find(({ prefix }) => isBelow(path, prefix));
    if (found === undefined) {
      return refuse({ scope, receive, send }, NOT_FOUND);
    }
    const inner = fan.scopeFor(found.app, scope);
    inner.root_path += found.prefix;
    return found.app(inner, receive, send);
  };
}

const NOT_FOUND = { status: 404, text: "Not Found" };

function prefixOf(path: string): string {
  if (path === "/") return "";
  if (isPrefix(path)) return path;
  throw new TypeError(
    `Cannot mount at "${path}": it must be "/", or like "/api" with no slash at its end`,
  );
}
