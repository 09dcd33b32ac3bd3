/**
 * Header blocks in, fields out (RFC 7541, section 3). Blocks must come whole, and
 * each of them, in order: what one adds to the dynamic table, the next refers to.
 *
 * A block can unfold to thousands of times its size, by references to one large
 * entry. So what all fields come to is counted while decoding, and past a limit
 * no more fields are kept; the block is decoded to its end nevertheless, because
 * the table must stay in step. Memory is bounded by the limits, the table and
 * twice the block.
 *
 * @module
 */

import { LiteralReader, NO_INTEGER } from "../../http/literal_reader.ts";
import { DynamicTable } from "../../http/dynamic_table.ts";
import {
  type Classify,
  FieldCollector,
  FieldEntry,
  type FieldList,
  type FieldListLimits,
} from "../../http/field_list.ts";
import { HpackError } from "./hpack_error.ts";
import {
  DEFAULT_TABLE_SIZE,
  FIRST_DYNAMIC_INDEX,
  STATIC_TABLE,
} from "./static_table.ts";

/** An encoder signals the smallest size since the last block, and the last one. */
const MAX_SIZE_UPDATES = 2;

/** Limits of a decoder, and how it sorts fields. */
export interface HpackDecoderOptions extends Partial<FieldListLimits> {
  /** Default: 64 KiB. */
  readonly maxListSize?: number;
  /** Default: 128. */
  readonly maxFields?: number;
  /** Sorts the fields. Default: all are of the kind 0. */
  readonly classify?: Classify;
}

/** The decoding half of one connection. */
export class HpackDecoder {
  readonly #limits: FieldListLimits;
  readonly #classify: Classify;
  readonly #static: readonly FieldEntry[];
  readonly #table = new DynamicTable<FieldEntry>(DEFAULT_TABLE_SIZE);
  /** What the peer's encoder may raise its table to. */
  #maxTableSize = DEFAULT_TABLE_SIZE;
  /** The smallest limit since the last block: the table must have shrunk to it. */
  #lowestMaxTableSize = DEFAULT_TABLE_SIZE;

  /** Creates a decoder with an empty table of 4,096 bytes. */
  constructor(options: HpackDecoderOptions = {}) {
    const { maxListSize = 64 * 1024, maxFields = 128 } = options;
    this.#limits = { maxListSize, maxFields };
    this.#classify = options.classify ?? sameKind;
    this.#static = classifyStaticTable(this.#classify);
  }

  /** The bytes in the dynamic table, as the specification counts them. */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Changes the limit of the dynamic table, to be called when the peer has
   * acknowledged a SETTINGS_HEADER_TABLE_SIZE. Default: 4,096 bytes. If its table
   * is larger than that now, its next block must begin with a size update.
   */
  setMaxTableSize(bytes: number): void {
    this.#maxTableSize = bytes;
    this.#lowestMaxTableSize = Math.min(this.#lowestMaxTableSize, bytes);
  }

  /**
   * Decodes a whole header block. What is returned holds nothing of `block`.
   *
   * @throws {HpackError} If it breaks a rule: the connection must end, and the
   * decoder must not be used any more.
   */
  decode(block: Uint8Array): FieldList {
    const reader = new LiteralReader(block);
    this.#readSizeUpdates(reader);
    const list = new FieldCollector(this.#limits);
    while (!reader.done) list.add(this.#readField(reader));
    return list;
  }

  #readSizeUpdates(reader: LiteralReader): void {
    let smallest = this.#table.capacity;
    for (let i = 0; i < MAX_SIZE_UPDATES; i++) {
      if (reader.done || !isSizeUpdate(reader.peek())) break;
      const size = this.#readSizeUpdate(reader);
      smallest = Math.min(smallest, size);
      this.#table.resize(size);
    }
    if (smallest > this.#lowestMaxTableSize) {
      throw new HpackError(
        `Cannot decode header block: it must begin with a table size update to at most ${this.#lowestMaxTableSize}`,
      );
    }
    this.#lowestMaxTableSize = this.#maxTableSize;
  }

  #readSizeUpdate(reader: LiteralReader): number {
    const size = readInteger(reader, 5);
    if (size <= this.#maxTableSize) return size;
    throw new HpackError(
      `Cannot decode header block: a table size update to ${size} is above the setting, ${this.#maxTableSize}`,
    );
  }

  #readField(reader: LiteralReader): FieldEntry {
    const first = reader.peek();
    if (first >= 0x80) return this.#entryAt(readInteger(reader, 7));
    if (first >= 0x40) return this.#readIndexedLiteral(reader);
    if (!isSizeUpdate(first)) return this.#readLiteral(reader, 4);
    throw new HpackError(
      "Cannot decode header block: a table size update is not at its start, or is the third one",
    );
  }

  #readIndexedLiteral(reader: LiteralReader): FieldEntry {
    const entry = this.#readLiteral(reader, 6);
    this.#table.add(entry);
    return entry;
  }

  /** Reads a literal, whose name may be that of an entry. */
  #readLiteral(reader: LiteralReader, prefixBits: number): FieldEntry {
    const index = readInteger(reader, prefixBits);
    const name = index === 0 ? readString(reader) : this.#entryAt(index).name;
    return new FieldEntry(name, readString(reader), this.#classify);
  }

  #entryAt(index: number): FieldEntry {
    const entry = index < FIRST_DYNAMIC_INDEX
      ? this.#static[index - 1]
      : this.#table.get(index - FIRST_DYNAMIC_INDEX);
    if (entry !== undefined) return entry;
    throw new HpackError(
      `Cannot decode header block: no table has an entry ${index}`,
    );
  }
}

function isSizeUpdate(first: number): boolean {
  return first >> 5 === 1;
}

function readInteger(reader: LiteralReader, prefixBits: number): number {
  const value = reader.readInteger(prefixBits);
  if (value !== NO_INTEGER) return value;
  throw new HpackError(
    "Cannot decode header block: an integer is cut or too large",
  );
}

function readString(reader: LiteralReader): string {
  const text = reader.readString(7);
  if (text !== undefined) return text;
  throw new HpackError(
    "Cannot decode header block: a string is cut, or its Huffman code is broken",
  );
}

function sameKind(): number {
  return 0;
}

/** The entries of the static table, sorted once for each function. */
const classified = new WeakMap<Classify, readonly FieldEntry[]>();

function classifyStaticTable(classify: Classify): readonly FieldEntry[] {
  const known = classified.get(classify);
  if (known !== undefined) return known;
  const entries = STATIC_TABLE.map(([name, value]) =>
    new FieldEntry(name, value, classify)
  );
  classified.set(classify, entries);
  return entries;
}
