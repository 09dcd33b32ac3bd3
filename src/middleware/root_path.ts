/**
 * The prefix below which a proxy has put the application.
 *
 * @module
 */

import type { AsgiApp } from "../asgi/types.ts";
import { isPrefix, withPrefix } from "./_prefix.ts";

/**
 * Wraps an application that a proxy serves below a prefix which it takes off
 * the path: `root_path` becomes the prefix, and `path` gets it back; `raw_path`
 * stays as it came. A prefix of "" changes nothing. Where the proxy leaves the
 * path alone, use {@linkcode mount}.
 *
 * @throws {TypeError} If the prefix is not like "/api".
 */
export function rootPath(app: AsgiApp, prefix: string): AsgiApp {
  if (prefix === "") return app;
  if (!isPrefix(prefix)) {
    throw new TypeError(
      `Cannot use root path "${prefix}": it must be like "/api", with no slash at its end`,
    );
  }
  return (scope, receive, send) =>
    app(
      scope.type === "lifespan" ? scope : withPrefix(scope, prefix),
      receive,
      send,
    );
}

/** Whether `value` is what {@linkcode rootPath} takes. */
export function isRootPath(value: unknown): value is string {
  return value === "" || typeof value === "string" && isPrefix(value);
}
