/**
 * The dynamic table of HPACK and QPACK (RFC 7541, section 2.3.2; RFC 9204, section
 * 3.2): the newest entry has the smallest
 * index, and the oldest ones leave where there is no room. Decoder and encoder
 * have one each, with entries of their own.
 *
 * The entries are in a ring, and are numbered in the order in which they came:
 * nothing moves when one comes or leaves.
 *
 * @module
 */

/** A power of two. The ring doubles when it is full. */
const INITIAL_SLOTS = 8;

/** Something that takes room in a table. */
export interface Sized {
  /** As `fieldSize` counts it. */
  readonly size: number;
}

/** A table of entries that leave in the order in which they came. */
export class DynamicTable<Entry extends Sized> {
  readonly #onEvict: ((entry: Entry) => void) | undefined;
  #slots: (Entry | undefined)[] = new Array(INITIAL_SLOTS).fill(undefined);
  #capacity: number;
  #size = 0;
  #length = 0;
  #added = 0;

  /** `onEvict` is called for each entry that has left. */
  constructor(capacity: number, onEvict?: (entry: Entry) => void) {
    this.#capacity = capacity;
    this.#onEvict = onEvict;
  }

  /** What all entries may weigh together. */
  get capacity(): number {
    return this.#capacity;
  }

  /** What all entries weigh together. */
  get size(): number {
    return this.#size;
  }

  /** The number of entries. */
  get length(): number {
    return this.#length;
  }

  /** How many entries have ever been added: the number of the next one. */
  get added(): number {
    return this.#added;
  }

  /** The entry that came `age` entries before the newest one, if it is there. */
  get(age: number): Entry | undefined {
    return age < this.#length ? this.#slots[this.#slotOf(age)] : undefined;
  }

  /**
   * Adds an entry after making room for it. One that is larger than the table
   * empties it, and is not added: that is no error (RFC 7541, section 4.4).
   *
   * @returns Whether it was added.
   */
  add(entry: Entry): boolean {
    this.#evictTo(this.#capacity - entry.size);
    if (entry.size > this.#capacity) return false;
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[this.#added++ & (this.#slots.length - 1)] = entry;
    this.#size += entry.size;
    this.#length++;
    return true;
  }

  /** Changes the capacity; the oldest entries leave until the others fit. */
  resize(capacity: number): void {
    this.#capacity = capacity;
    this.#evictTo(capacity);
  }

  #slotOf(age: number): number {
    return (this.#added - 1 - age) & (this.#slots.length - 1);
  }

  #evictTo(size: number): void {
    while (this.#length > 0 && this.#size > size) {
      const slot = this.#slotOf(this.#length - 1);
      const entry = this.#slots[slot]!;
      this.#slots[slot] = undefined;
      this.#size -= entry.size;
      this.#length--;
      this.#onEvict?.(entry);
    }
  }

  #grow(): void {
    const mask = 2 * this.#slots.length - 1;
    const grown = new Array<Entry | undefined>(mask + 1).fill(undefined);
    for (let age = 0; age < this.#length; age++) {
      grown[(this.#added - 1 - age) & mask] = this.get(age);
    }
    this.#slots = grown;
  }
}
