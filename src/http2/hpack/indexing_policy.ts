/**
 * Which fields an encoder puts into the dynamic table. Every one that comes
 * repeatedly with the same value should get there, since it is one byte then.
 * Others would only push those out. Secrets must not: someone who can make a peer
 * send fields of his own could find a secret by guessing, since a right guess is
 * shorter (RFC 7541, section 7.1).
 *
 * @module
 */

import { STATIC_TABLE } from "./static_table.ts";

/** What becomes of a field that is in no table. */
export type Indexing = "index" | "literal" | "never";

/** What is known of a name before any field came. */
export interface NameFacts {
  /** Its first index in the static table; 0 if it is not there. */
  readonly index: number;
  /** The values at this index and those after it. */
  readonly values: readonly string[];
  /** What becomes of its fields. */
  readonly policy: Indexing | "secret if short";
}

/** Credentials, which intermediaries must not put into a table either. */
const SECRETS = [
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "x-auth-token",
  "x-csrf-token",
  "x-xsrf-token",
];

/** As long ones cannot be guessed, only short ones are marked. */
const SECRETS_IF_SHORT = ["cookie", "set-cookie"];
const SHORT_SECRET = 24;

/** Their values change from one message to the next. */
const VARIABLE = [
  ":path",
  "age",
  "content-length",
  "content-location",
  "content-range",
  "etag",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "last-modified",
  "location",
  "range",
  "x-request-id",
];

const UNKNOWN_NAME: NameFacts = { index: 0, values: [], policy: "index" };

const KNOWN_NAMES: ReadonlyMap<string, NameFacts> = new Map(
  [
    ...STATIC_TABLE.map(([name]) => name),
    ...SECRETS,
    ...SECRETS_IF_SHORT,
    ...VARIABLE,
  ].map((name) => [name, factsOf(name)]),
);

/** What is known of a name. */
export function lookUpName(name: string): NameFacts {
  return KNOWN_NAMES.get(name) ?? UNKNOWN_NAME;
}

/** The index of a field in the static table; 0 if it is not there. */
export function findStatic(
  { index, values }: NameFacts,
  value: string,
): number {
  for (let i = 0; i < values.length; i++) {
    if (values[i] === value) return index + i;
  }
  return 0;
}

/**
 * What becomes of a field that is in no table. A field of more than three
 * quarters of the table would leave little room for others.
 */
export function chooseIndexing(
  { policy }: NameFacts,
  value: string,
  { size, capacity }: { readonly size: number; readonly capacity: number },
): Indexing {
  if (policy === "secret if short") {
    return value.length < SHORT_SECRET ? "never" : "literal";
  }
  return policy === "index" && size > capacity * 3 / 4 ? "literal" : policy;
}

function factsOf(name: string): NameFacts {
  const at = STATIC_TABLE.findIndex((entry) => entry[0] === name);
  const values = STATIC_TABLE.filter((entry) => entry[0] === name)
    .map(([, value]) => value);
  return { index: at + 1, values, policy: policyOf(name) };
}

function policyOf(name: string): NameFacts["policy"] {
  if (SECRETS.includes(name)) return "never";
  if (SECRETS_IF_SHORT.includes(name)) return "secret if short";
  return VARIABLE.includes(name) ? "literal" : "index";
}
