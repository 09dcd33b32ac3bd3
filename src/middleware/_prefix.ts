/**
 * Prefixes of paths, as text that was percent-decoded: "/api", "/api/v2", and
 * "" for none. ASGI's `path` includes `root_path`.
 *
 * @module
 */

import type { HttpScope, WebSocketScope } from "../asgi/types.ts";

/** No backslash: browsers read it as a slash, and `//` begins a host. */
// deno-lint-ignore no-control-regex
const PREFIX = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\\?#%\x00-\x1f\x7f]+)+$/;

/** Whether `text` is a prefix of one or several segments. */
export function isPrefix(text: string): boolean {
  return PREFIX.test(text);
}

/** A copy of a scope below a prefix that its path lacks. */
export function withPrefix<S extends HttpScope | WebSocketScope>(
  scope: S,
  prefix: string,
): S {
  // `OPTIONS *` asks for the whole server.
  const path = scope.path === "*" ? "*" : prefix + scope.path;
  return { ...scope, path, root_path: prefix + scope.root_path };
}

/** The path below `root_path`; `undefined` if it is not below it. */
export function pathBelowRoot(
  { path, root_path }: HttpScope | WebSocketScope,
): string | undefined {
  return isBelow(path, root_path) ? path.slice(root_path.length) : undefined;
}

/** Whether a path is a prefix, or continues after it with a slash. */
export function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) &&
    (prefix === "" || path.length === prefix.length ||
      path[prefix.length] === "/");
}
