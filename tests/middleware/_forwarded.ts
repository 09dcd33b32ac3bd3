// What an application sees through `forwarded()`, of a request whose peer is
// trusted.

import { assert } from "@std/assert";
import type { AsgiApp, HostPort } from "../../src/asgi/types.ts";
import { forwarded } from "../../src/middleware/forwarded.ts";
import type {
  ForwardedField,
  ForwardedOptions,
} from "../../src/middleware/forwarded_fields.ts";
import { httpScopeOf, type ScopeFacts, seenThrough } from "./_calls.ts";

export const TRUST = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"];
export const ALL: ForwardedField[] = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
];

export type Fields = readonly (readonly [name: string, value: string])[];

export function scopeWith(fields: Fields, facts: ScopeFacts = {}) {
  const headers = fields.map((
    [name, value],
  ): [string, string] => [name, value]);
  return httpScopeOf({
    ...facts,
    headers: [["host", "inner:8000"], ...headers],
  });
}

/** The scope that the application sees, of a request with these fields. */
export async function seen(
  fields: Fields,
  options: Partial<ForwardedOptions> = {},
  facts: ScopeFacts = {},
) {
  const wrap = (app: AsgiApp) => forwarded(app, { trust: TRUST, ...options });
  const scope = await seenThrough(wrap, scopeWith(fields, facts));
  assert(scope?.type === "http");
  return scope;
}

export async function clientOf(...values: string[]): Promise<HostPort | null> {
  const fields = values.map((value) => ["x-forwarded-for", value] as const);
  return (await seen(fields)).client;
}

/** Client and scheme that come of Forwarded. */
export async function standard(...lines: string[]): Promise<unknown[]> {
  const fields = lines.map((line) => ["forwarded", line] as const);
  const { client, scheme, headers } = await seen(fields, {
    fields: ["forwarded"],
  });
  return [client, scheme, headers[0][1]];
}
