/**
 * What becomes of a header block of HPACK or QPACK: its fields, as many as the limits allow, and
 * what all of them come to.
 *
 * @module
 */

import type { Field } from "./fields.ts";

/** What a field costs beyond its bytes (RFC 7541, section 4.1). */
const OVERHEAD = 32;

/**
 * The size of a field, as tables (RFC 7541, section 4.1; RFC 9204, section 3.2.1)
 * and the limits of field sections (RFC 9113, section 6.5.2; RFC 9114, section
 * 4.2.2) count it: its bytes, and 32.
 */
export function fieldSize(name: string, value: string): number {
  return name.length + value.length + OVERHEAD;
}

/**
 * Sorts fields into kinds, which only its author knows: for instance into valid
 * ones, broken ones, and those with a meaning. A field of a table is sorted once,
 * when it gets there; so the result must depend on nothing else. All decoders
 * should have the same function: the static table is sorted once for each.
 */
export type Classify = (name: string, value: string) => number;

/** How large a list may be. */
export interface FieldListLimits {
  /**
   * The size of all fields, each of which counts its bytes and 32 (RFC 9113,
   * section 6.5.2).
   */
  readonly maxListSize: number;
  /** The number of fields. */
  readonly maxFields: number;
}

/** A field of either table, or of a block. Tables share it, so nobody changes it. */
export class FieldEntry {
  /** The name; the decoder accepts any bytes. */
  readonly name: string;
  /** The value; the decoder accepts any bytes. */
  readonly value: string;
  /** As {@linkcode fieldSize} counts it. */
  readonly size: number;
  /** What {@linkcode Classify} made of it. */
  readonly kind: number;

  /** Creates an entry, and sorts it. */
  constructor(name: string, value: string, classify: Classify) {
    this.name = name;
    this.value = value;
    this.size = fieldSize(name, value);
    this.kind = classify(name, value);
  }
}

/**
 * The fields of one header block. If the list is too large, it holds those that
 * came before a limit was passed, and `size` and `count` are still of all.
 */
export interface FieldList {
  /**
   * The fields in their order, as byte strings. Each is an array of its own, so
   * that it may be handed on; their strings are shared with the tables.
   */
  readonly fields: Field[];
  /** What {@linkcode Classify} made of each of them. */
  readonly kinds: number[];
  /** The size of all fields of the block, each with 32 bytes of overhead. */
  readonly size: number;
  /** The number of all fields of the block. */
  readonly count: number;
  /** Whether a limit was passed, so that fields are missing. */
  readonly tooLarge: boolean;
}

/** Collects the fields of one block. */
export class FieldCollector implements FieldList {
  readonly fields: Field[] = [];
  readonly kinds: number[] = [];
  readonly #limits: FieldListLimits;
  #size = 0;
  #count = 0;

  /** Creates an empty list. */
  constructor(limits: FieldListLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#count;
  }

  get tooLarge(): boolean {
    return this.#count > this.fields.length;
  }

  /** Adds a field; past a limit, only counts it. */
  add(entry: FieldEntry): void {
    this.#size += entry.size;
    this.#count++;
    if (this.#size > this.#limits.maxListSize) return;
    if (this.#count > this.#limits.maxFields) return;
    this.fields.push([entry.name, entry.value]);
    this.kinds.push(entry.kind);
  }
}

/** The pseudo-fields that a request has at most; none counts for `maxHeaders`. */
export const MAX_PSEUDO_FIELDS = 5;

/** Whether a list misses fields, or has more than `maxHeaders` of them. */
export function isTooLarge(list: FieldList, maxHeaders: number): boolean {
  return list.tooLarge || list.count - countPseudo(list.fields) > maxHeaders;
}

function countPseudo(fields: readonly Field[]): number {
  let count = 0;
  while (count < fields.length && fields[count][0].startsWith(":")) count++;
  return count;
}
