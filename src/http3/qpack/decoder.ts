/**
 * Field sections in, fields out (RFC 9204). Sections come each on a stream of its
 * own, in any order; what they refer to comes on the encoder stream. One that
 * comes too early is blocked: it is decoded again when more has come.
 *
 * With a capacity of 0, as a connection here has it, there is no table, nothing
 * waits, and nothing is kept from one section to the next.
 *
 * As in HPACK, what all fields come to is counted while decoding, and past a limit
 * no more are kept.
 *
 * @module
 */

import { DynamicTable } from "../../http/dynamic_table.ts";
import {
  FieldCollector,
  FieldEntry,
  type FieldList,
  type FieldListLimits,
} from "../../http/field_list.ts";
import { LiteralReader, NO_INTEGER } from "../../http/literal_reader.ts";
import {
  type EncoderInstruction,
  InstructionReader,
  readEncoderInstruction,
} from "./instructions.ts";
import { QpackError } from "./qpack_error.ts";
import { STATIC_TABLE } from "./static_table.ts";

/** What an entry costs at least (RFC 9204, section 3.2.1). */
const MIN_ENTRY_BYTES = 32;
/** A code of Huffman has 30 bits at most: a string may be four times its text. */
const MAX_HUFFMAN_GROWTH = 4;
/** Of the numbers in an instruction. */
const MAX_NUMBER_BYTES = 16;

/** Limits of a decoder. */
export interface QpackDecoderOptions extends Partial<FieldListLimits> {
  /** Default: 64 KiB. */
  readonly maxListSize?: number;
  /** Default: 128. */
  readonly maxFields?: number;
  /** What the peer's encoder may raise its table to, in bytes. Default: 0. */
  readonly maxTableCapacity?: number;
}

/** The decoding half of one connection. */
export class QpackDecoder {
  readonly #limits: FieldListLimits;
  readonly #maxTableCapacity: number;
  readonly #table = new DynamicTable<FieldEntry>(0);
  readonly #instructions: InstructionReader<EncoderInstruction>;

  /** Creates a decoder with an empty table of no capacity. */
  constructor(options: QpackDecoderOptions = {}) {
    const { maxListSize = 64 * 1024, maxFields = 128 } = options;
    const { maxTableCapacity = 0 } = options;
    this.#limits = { maxListSize, maxFields };
    this.#maxTableCapacity = maxTableCapacity;
    this.#instructions = new InstructionReader(
      readEncoderInstruction,
      MAX_HUFFMAN_GROWTH * maxTableCapacity + MAX_NUMBER_BYTES,
    );
  }

  /** How many entries have come. */
  get insertCount(): number {
    return this.#table.added;
  }

  /** The bytes in the dynamic table, as the specification counts them. */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Takes bytes of the encoder stream, in any pieces.
   *
   * @throws {QpackError} QPACK_ENCODER_STREAM_ERROR, if they break a rule: the
   * decoder must not be used any more.
   */
  receive(bytes: Uint8Array): void {
    const isWell = this.#instructions.push(bytes, (one) => this.#follow(one));
    if (!isWell) throw streamError("it is broken, or too long");
  }

  /**
   * Changes the capacity of the table, as the peer's encoder does by its
   * instruction.
   *
   * @throws {QpackError} If it is above the limit.
   */
  setCapacity(capacity: number): void {
    if (capacity <= this.#maxTableCapacity) return this.#table.resize(capacity);
    throw streamError(
      `the capacity ${capacity} is above the limit, ${this.#maxTableCapacity}`,
    );
  }

  #follow(instruction: EncoderInstruction): void {
    switch (instruction.type) {
      case "capacity":
        return this.setCapacity(instruction.capacity);
      case "duplicate": {
        const { name, value } = this.#recent(instruction.index);
        return this.#insert(name, value);
      }
      case "insert with literal name":
        return this.#insert(instruction.name, instruction.value);
      case "insert with name reference":
        return this.#insert(this.#nameOf(instruction), instruction.value);
    }
  }

  #nameOf(
    { isStatic, index }: { readonly isStatic: boolean; readonly index: number },
  ): string {
    if (!isStatic) return this.#recent(index).name;
    const field = STATIC_TABLE[index];
    if (field !== undefined) return field[0];
    throw streamError(`no table has an entry ${index}`);
  }

  /** An entry by its age. */
  #recent(age: number): FieldEntry {
    const entry = this.#table.get(age);
    if (entry !== undefined) return entry;
    throw streamError(`the table has no entry ${age}`);
  }

  #insert(name: string, value: string): void {
    const isIn = this.#table.add(new FieldEntry(name, value, noKind));
    if (!isIn) throw streamError("an entry is larger than the table");
  }

  /**
   * Decodes a whole field section. What is returned holds nothing of `section`.
   *
   * @returns The fields; `undefined` if the section is blocked: it refers to
   * entries that have not come.
   * @throws {QpackError} QPACK_DECOMPRESSION_FAILED, if it breaks a rule.
   */
  decode(section: Uint8Array): FieldList | undefined {
    const reader = new LiteralReader(section);
    const required = this.#readRequiredInsertCount(reader);
    const base = readBase(reader, required);
    if (required > this.#table.added) return undefined;
    const references = new References(this.#table, required, base);
    const list = new FieldCollector(this.#limits);
    while (!reader.done) list.add(readField(reader, references));
    return list;
  }

  /** Decodes the count (RFC 9204, section 4.5.1.1), which is sent modulo a range. */
  #readRequiredInsertCount(reader: LiteralReader): number {
    const encoded = readInteger(reader, 8);
    if (encoded === 0) return 0;
    const maxEntries = Math.floor(this.#maxTableCapacity / MIN_ENTRY_BYTES);
    const range = 2 * maxEntries;
    if (encoded > range) throw sectionError("its insert count is out of range");
    const largest = this.#table.added + maxEntries;
    const count = Math.floor(largest / range) * range + encoded - 1;
    const required = count > largest ? count - range : count;
    if (required <= 0) throw sectionError("its insert count is out of range");
    return required;
  }
}

/** The entries that one section may refer to. */
class References {
  readonly #table: DynamicTable<FieldEntry>;
  readonly #required: number;
  readonly #base: number;

  constructor(
    table: DynamicTable<FieldEntry>,
    required: number,
    base: number,
  ) {
    this.#table = table;
    this.#required = required;
    this.#base = base;
  }

  /** An entry before the base: 0 is the last of them. */
  beforeBase(index: number): FieldEntry {
    return this.#at(this.#base - 1 - index);
  }

  /** An entry from the base on. */
  fromBase(index: number): FieldEntry {
    return this.#at(this.#base + index);
  }

  /** An entry by its number, from the first one on. */
  #at(number: number): FieldEntry {
    const entry = number >= 0 && number < this.#required
      ? this.#table.get(this.#table.added - 1 - number)
      : undefined;
    if (entry !== undefined) return entry;
    throw sectionError(`the dynamic table has no entry ${number} for it`);
  }
}

function readBase(reader: LiteralReader, required: number): number {
  const isNegative = !reader.done && reader.peek() >= 0x80;
  const delta = readInteger(reader, 7);
  const base = isNegative ? required - delta - 1 : required + delta;
  if (base >= 0) return base;
  throw sectionError("its base is negative");
}

/** Reads a field line (RFC 9204, sections 4.5.2 to 4.5.6). */
function readField(reader: LiteralReader, references: References): FieldEntry {
  const first = reader.peek();
  if (first >= 0x80) return readIndexed(reader, 6, references);
  if (first >= 0x40) {
    const { name } = readIndexed(reader, 4, references);
    return new FieldEntry(name, readString(reader, 7), noKind);
  }
  if (first >= 0x20) {
    const name = readString(reader, 3);
    return new FieldEntry(name, readString(reader, 7), noKind);
  }
  if (first >= 0x10) return references.fromBase(readInteger(reader, 4));
  const { name } = references.fromBase(readInteger(reader, 3));
  return new FieldEntry(name, readString(reader, 7), noKind);
}

/** The bit above an index says whether it is one of the static table. */
function readIndexed(
  reader: LiteralReader,
  prefixBits: number,
  references: References,
): FieldEntry {
  const isStatic = (reader.peek() >> prefixBits & 1) === 1;
  const index = readInteger(reader, prefixBits);
  if (!isStatic) return references.beforeBase(index);
  const entry = STATIC_ENTRIES[index];
  if (entry !== undefined) return entry;
  throw sectionError(`the static table has no entry ${index}`);
}

function readInteger(reader: LiteralReader, prefixBits: number): number {
  const value = reader.readInteger(prefixBits);
  if (value !== NO_INTEGER) return value;
  throw sectionError("an integer is cut or too large");
}

function readString(reader: LiteralReader, prefixBits: number): string {
  const text = reader.done ? undefined : reader.readString(prefixBits);
  if (text !== undefined) return text;
  throw sectionError("a string is cut, or its Huffman code is broken");
}

function noKind(): number {
  return 0;
}

const STATIC_ENTRIES = STATIC_TABLE.map(([name, value]) =>
  new FieldEntry(name, value, noKind)
);

function sectionError(why: string): QpackError {
  return new QpackError(
    "QPACK_DECOMPRESSION_FAILED",
    `Cannot decode field section: ${why}`,
  );
}

function streamError(why: string): QpackError {
  return new QpackError(
    "QPACK_ENCODER_STREAM_ERROR",
    `Cannot follow instruction of the encoder: ${why}`,
  );
}
