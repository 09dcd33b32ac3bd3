/**
 * Fields in, field sections out (RFC 9204, section 4.5), without a dynamic table:
 * a field is its index in the static table, or a literal with the index of its
 * name, or with its name. So sections depend on nothing, no client has to keep
 * anything for them, and none can be blocked.
 *
 * @module
 */

import type { Field } from "../../http/fields.ts";
import { LiteralWriter } from "../../http/literal_writer.ts";
import { STATIC_NAMES } from "./static_table.ts";

/** The first bits of a line, and what follows in the byte. */
const INDEXED = { flags: 0xc0, prefixBits: 6 } as const;
const NAME_REFERENCE = { flags: 0x50, prefixBits: 4 } as const;
const LITERAL_NAME = { flags: 0x20, prefixBits: 3 } as const;
/** No proxy may put the field into a table (section 7.1.3). */
const NEVER_REFERENCE = 0x20;
const NEVER_LITERAL = 0x10;

const SECRETS: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "set-cookie",
]);

/** All sections are written into this one, each of them from start to end. */
const writer = new LiteralWriter();

/**
 * Encodes a field section. Names must be in lowercase; what else a name or a value
 * may be is not checked.
 *
 * @throws {TypeError} If a name or a value is no byte string.
 */
export function encodeSection(
  fields: readonly Field[],
): Uint8Array<ArrayBuffer> {
  try {
    // No insert is required, and the base is 0.
    writer.integer(0, 8, 0);
    writer.integer(0, 7, 0);
    for (const [name, value] of fields) writeField(name, value);
    return writer.take();
  } catch (error) {
    writer.clear();
    throw error;
  }
}

function writeField(name: string, value: string): void {
  const known = STATIC_NAMES.get(name);
  if (known === undefined) {
    const flags = LITERAL_NAME.flags |
      (SECRETS.has(name) ? NEVER_LITERAL : 0);
    writer.string(flags, LITERAL_NAME.prefixBits, name);
    return writer.string(0, 7, value);
  }
  const index = known.values.get(value);
  if (index !== undefined) {
    return writer.integer(INDEXED.flags, INDEXED.prefixBits, index);
  }
  const flags = NAME_REFERENCE.flags |
    (SECRETS.has(name) ? NEVER_REFERENCE : 0);
  writer.integer(flags, NAME_REFERENCE.prefixBits, known.index);
  writer.string(0, 7, value);
}
