/**
 * The response to a request that is refused. It echoes nothing of the request.
 *
 * @module
 */

import type { Field } from "./fields.ts";
import { reasonPhrase } from "./status.ts";

/** The fields and the content of an error response. */
export interface ErrorPage {
  readonly headers: Field[];
  readonly content: Uint8Array;
}

const encoder = new TextEncoder();

/** The page of a status, with more fields in front of its own. */
export function errorPage(
  status: number,
  headers: readonly Field[],
): ErrorPage {
  const content = encoder.encode(`${reasonPhrase(status) || "Error"}\n`);
  return {
    headers: [
      ...headers,
      ["content-type", "text/plain; charset=utf-8"],
      ["content-length", String(content.length)],
    ],
    content,
  };
}
