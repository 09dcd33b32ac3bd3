/**
 * HPACK (RFC 7541), the compression of fields in HTTP/2: both halves, with
 * bounded memory, usable without the rest of it.
 *
 * Names and values are byte strings: one code unit, 0–255, a byte.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { HpackDecoder, HpackEncoder } from "jsr:@x/asgi/hpack";
 *
 * const encoder = new HpackEncoder();
 * const decoder = new HpackDecoder({ maxListSize: 16 * 1024 });
 *
 * const fields = [[":status", "200"], ["content-type", "text/html"]] as const;
 * const first = encoder.encode(fields);
 * const second = encoder.encode(fields);
 *
 * assertEquals(decoder.decode(first).fields, [...fields]);
 * assertEquals(decoder.decode(second).fields, [...fields]);
 * assertEquals([first.length, second.length], [10, 2]);
 * ```
 *
 * @module
 */

export type { Field } from "../../http/fields.ts";
export { HpackDecoder, type HpackDecoderOptions } from "./decoder.ts";
export { HpackEncoder, type HpackEncoderOptions } from "./encoder.ts";
export type {
  Classify,
  FieldList,
  FieldListLimits,
} from "../../http/field_list.ts";
export { HpackError } from "./hpack_error.ts";
