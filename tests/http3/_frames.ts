// Frames as a client sends them.

import { encodeSection } from "../../src/http3/qpack/encoder.ts";
import type { Field } from "../../src/http/fields.ts";
import { encodeVarints } from "../../src/http3/varint.ts";

/** Bytes one after the other. */
export function concat(
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A frame of any type. */
export function frame(type: number, payload: Uint8Array): Uint8Array {
  return concat(encodeVarints(type, payload.length), payload);
}

/** A frame whose payload is integers. */
export function numbers(type: number, ...values: number[]): Uint8Array {
  return frame(type, encodeVarints(...values));
}

/** HEADERS. */
export function headers(fields: readonly Field[]): Uint8Array {
  return frame(0x01, encodeSection(fields));
}

/** DATA. */
export function data(content: string): Uint8Array {
  return frame(0x00, new TextEncoder().encode(content));
}
