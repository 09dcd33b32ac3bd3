/**
 * The open streams of a connection, by their identifiers: a hash table with linear
 * probing.
 *
 * A `Map` would do, but for this: V8 replaces the table of a `Map` whose entries
 * come and go, and lets the old one point to the new. Once such a table has grown
 * old, whatever is in the later ones survives until a full garbage collection:
 * here, much of what was made for each request.
 *
 * @module
 */

const MIN_SLOTS = 16;

/** What is in the table. */
interface Identified {
  readonly id: number;
}

/** A table of streams that come and go. */
export class StreamTable<S extends Identified> {
  /** A power of two; at most half of it is used. */
  #slots: (S | undefined)[] = emptySlots(MIN_SLOTS);
  #size = 0;

  /** How many streams there are. */
  get size(): number {
    return this.#size;
  }

  /** The stream of an identifier, if it is there. */
  get(id: number): S | undefined {
    return this.#slots[this.#find(id)];
  }

  /** Adds a stream, whose identifier is new. */
  add(stream: S): void {
    if (2 * ++this.#size > this.#slots.length) this.#grow();
    this.#slots[this.#find(stream.id)] = stream;
  }

  /** Removes a stream, if it is there. */
  delete(id: number): void {
    const slots = this.#slots;
    let hole = this.#find(id);
    if (slots[hole] === undefined) return;
    this.#size--;
    // What comes after may have been put there because this place was taken.
    for (let at = this.#after(hole); slots[at] !== undefined;) {
      const home = this.#homeOf(slots[at]!.id);
      if (this.#distance(home, at) >= this.#distance(hole, at)) {
        slots[hole] = slots[at];
        hole = at;
      }
      at = this.#after(at);
    }
    slots[hole] = undefined;
  }

  /** All streams, as they are now, the oldest first. */
  all(): S[] {
    return this.#slots.filter((stream) => stream !== undefined)
      .sort((one, other) => one.id - other.id);
  }

  /** Where a stream is, or where it would be put. */
  #find(id: number): number {
    let at = this.#homeOf(id);
    for (;; at = this.#after(at)) {
      const stream = this.#slots[at];
      if (stream === undefined || stream.id === id) return at;
    }
  }

  /** Those of a client are odd, and follow one another. */
  #homeOf(id: number): number {
    return id >>> 1 & this.#slots.length - 1;
  }

  #after(at: number): number {
    return at + 1 & this.#slots.length - 1;
  }

  /** How far it is from one place to a later one. */
  #distance(from: number, to: number): number {
    return to - from & this.#slots.length - 1;
  }

  #grow(): void {
    const streams = this.#slots;
    this.#slots = emptySlots(2 * streams.length);
    for (const stream of streams) {
      if (stream !== undefined) this.#slots[this.#find(stream.id)] = stream;
    }
  }
}

function emptySlots<S>(count: number): (S | undefined)[] {
  return new Array<S | undefined>(count).fill(undefined);
}
