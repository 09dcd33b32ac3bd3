/**
 * The dynamic table of an encoder, in which fields are found by name and value.
 * Entries of one name form a list, from the newest to the oldest: the oldest of a
 * table is the last of its list, so that it leaves without a search.
 *
 * @module
 */

import { DynamicTable, type Sized } from "../../http/dynamic_table.ts";
import { fieldSize } from "../../http/field_list.ts";
import { FIRST_DYNAMIC_INDEX } from "./static_table.ts";

/** A field in the table, in the list of its name. */
class EncoderEntry implements Sized {
  readonly name: string;
  readonly value: string;
  readonly size: number;
  /** How many entries the table had seen before it. */
  readonly position: number;
  older: EncoderEntry | undefined;
  newer: EncoderEntry | undefined;

  constructor(name: string, value: string, position: number) {
    this.name = name;
    this.value = value;
    this.size = fieldSize(name, value);
    this.position = position;
  }
}

/** A dynamic table that is searched. Indexes are those of the wire, from 62 on. */
export class EncoderTable {
  readonly #table: DynamicTable<EncoderEntry>;
  /** The newest entry of each name. */
  readonly #newest = new Map<string, EncoderEntry>();

  /** Creates an empty table. */
  constructor(capacity: number) {
    this.#table = new DynamicTable(capacity, (entry) => this.#unlink(entry));
  }

  /** What all entries may weigh together. */
  get capacity(): number {
    return this.#table.capacity;
  }

  /** What all entries weigh together. */
  get size(): number {
    return this.#table.size;
  }

  /** Changes the capacity; the oldest entries leave until the others fit. */
  resize(capacity: number): void {
    this.#table.resize(capacity);
  }

  /** The index of a field; 0 if it is not there. */
  find(name: string, value: string): number {
    let entry = this.#newest.get(name);
    while (entry !== undefined && entry.value !== value) entry = entry.older;
    return this.#indexOf(entry);
  }

  /** The index of an entry with this name; 0 if there is none. */
  findName(name: string): number {
    return this.#indexOf(this.#newest.get(name));
  }

  /** Adds a field, if it fits into an empty table. */
  add(name: string, value: string): void {
    const entry = new EncoderEntry(name, value, this.#table.added);
    // Room is made first: the name's list may lose entries by that.
    if (!this.#table.add(entry)) return;
    const older = this.#newest.get(name);
    if (older !== undefined) older.newer = entry;
    entry.older = older;
    this.#newest.set(name, entry);
  }

  #indexOf(entry: EncoderEntry | undefined): number {
    if (entry === undefined) return 0;
    return FIRST_DYNAMIC_INDEX + this.#table.added - 1 - entry.position;
  }

  /** Takes the oldest entry of all out of its list, of which it is the last. */
  #unlink({ name, newer }: EncoderEntry): void {
    if (newer === undefined) this.#newest.delete(name);
    else newer.older = undefined;
  }
}
