/**
 * Fields in, header blocks out (RFC 7541, section 6). What a field becomes:
 * its index, if a table has it; else a literal with the index of its name, or
 * with the name. `indexing_policy.ts` decides which literals get into the table.
 *
 * @module
 */

import type { Field } from "../../http/fields.ts";
import { LiteralWriter } from "../../http/literal_writer.ts";
import { copyBytes } from "../../streams/copy_bytes.ts";
import { EncoderTable } from "./encoder_table.ts";
import {
  chooseIndexing,
  findStatic,
  type Indexing,
  lookUpName,
  type NameFacts,
} from "./indexing_policy.ts";
import { fieldSize } from "../../http/field_list.ts";
import { DEFAULT_TABLE_SIZE } from "./static_table.ts";

/** The first bits of a field, or of a size update, and what follows in the byte. */
const INDEXED = { flags: 0x80, prefixBits: 7 } as const;
const SIZE_UPDATE = { flags: 0x20, prefixBits: 5 } as const;
const LITERALS: Record<Indexing, { flags: number; prefixBits: number }> = {
  "index": { flags: 0x40, prefixBits: 6 },
  "literal": { flags: 0x00, prefixBits: 4 },
  "never": { flags: 0x10, prefixBits: 4 },
};

/** All encoders write into this one, each of them a block from start to end. */
const writer = new LiteralWriter();

/** Settings of an encoder. */
export interface HpackEncoderOptions {
  /**
   * The largest table it uses, in bytes, even if the peer allows a larger one,
   * because the encoder holds the table, too. Default: 4,096.
   */
  readonly maxTableSize?: number;
}

/** The encoding half of one connection. */
export class HpackEncoder {
  readonly #maxTableSize: number;
  readonly #table = new EncoderTable(DEFAULT_TABLE_SIZE);
  /** The capacity that the next block uses, and the smallest since the last. */
  #capacity: number;
  #smallest: number;
  /** The capacity that the peer's decoder has. */
  #announced = DEFAULT_TABLE_SIZE;

  /** Creates an encoder for a peer with the default settings. */
  constructor({ maxTableSize = DEFAULT_TABLE_SIZE }: HpackEncoderOptions = {}) {
    this.#maxTableSize = maxTableSize;
    this.#capacity = Math.min(DEFAULT_TABLE_SIZE, maxTableSize);
    this.#smallest = this.#capacity;
  }

  /** The bytes in the dynamic table, as the specification counts them. */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Changes the limit that the peer sets for the dynamic table: its
   * SETTINGS_HEADER_TABLE_SIZE. The next block says what came of it.
   */
  setMaxTableSize(bytes: number): void {
    this.#capacity = Math.min(bytes, this.#maxTableSize);
    this.#smallest = Math.min(this.#smallest, this.#capacity);
  }

  /**
   * Encodes a header list. Blocks must be sent in the order in which they were
   * made, and all of them.
   *
   * Names must be in lowercase; what else a name or a value may be is not
   * checked.
   *
   * @throws {TypeError} If a name or a value is no byte string. Nothing is to be
   * sent then, and the encoder can still be used.
   */
  encode(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
    return copyBytes(this.encodeLent(fields));
  }

  /** As {@linkcode HpackEncoder.encode}, but the next block overwrites this one. */
  encodeLent(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
    try {
      this.#writeSizeUpdates();
      for (const [name, value] of fields) this.#writeField(name, value);
      return writer.lend();
    } catch (error) {
      this.#startAnew();
      throw error;
    }
  }

  /** At most two (RFC 7541, section 4.2): the smallest size, and the last one. */
  #writeSizeUpdates(): void {
    if (this.#smallest < this.#announced) this.#announce(this.#smallest);
    if (this.#capacity !== this.#announced) this.#announce(this.#capacity);
    this.#smallest = this.#capacity;
  }

  #announce(capacity: number): void {
    writer.integer(SIZE_UPDATE.flags, SIZE_UPDATE.prefixBits, capacity);
    this.#table.resize(capacity);
    this.#announced = capacity;
  }

  #writeField(name: string, value: string): void {
    const facts = lookUpName(name);
    const index = findStatic(facts, value) || this.#table.find(name, value);
    if (index === 0) this.#writeLiteral(name, value, facts);
    else writer.integer(INDEXED.flags, INDEXED.prefixBits, index);
  }

  #writeLiteral(name: string, value: string, facts: NameFacts): void {
    const index = facts.index || this.#table.findName(name);
    const indexing = chooseIndexing(facts, value, {
      size: fieldSize(name, value),
      capacity: this.#capacity,
    });
    const { flags, prefixBits } = LITERALS[indexing];
    writer.integer(flags, prefixBits, index);
    if (index === 0) writer.string(0, 7, name);
    writer.string(0, 7, value);
    if (indexing === "index") this.#table.add(name, value);
  }

  /** A block was given up: the next one begins by emptying both tables. */
  #startAnew(): void {
    writer.clear();
    this.#announced = Infinity;
    this.#smallest = 0;
  }
}
