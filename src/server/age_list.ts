/**
 * What was added and not removed since, in the order of age.
 *
 * A `Set` keeps this order too, but is no place for members that come and go: its
 * table is replaced again and again, and a table that was replaced keeps all that
 * it held in memory, until the garbage collector looks at what is old.
 *
 * @module
 */

/** A member's place in an {@linkcode AgeList}. */
export interface Place<T> {
  /** The member. */
  readonly member: T;
  /** The next older one. */
  older: Place<T> | undefined;
  /** The next younger one. */
  younger: Place<T> | undefined;
}

/** A list whose members leave in any order. */
export class AgeList<T> implements Iterable<T> {
  #oldest: Place<T> | undefined;
  #youngest: Place<T> | undefined;
  #size = 0;

  /** How many members there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a member; its place is what removes it. */
  add(member: T): Place<T> {
    const place = { member, older: this.#youngest, younger: undefined };
    if (this.#youngest === undefined) this.#oldest = place;
    else this.#youngest.younger = place;
    this.#youngest = place;
    this.#size++;
    return place;
  }

  /** Removes a member; idempotent. */
  remove(place: Place<T>): void {
    const { older, younger } = place;
    if (older === undefined && place !== this.#oldest) return;
    if (older === undefined) this.#oldest = younger;
    else older.younger = younger;
    if (younger === undefined) this.#youngest = older;
    else younger.older = older;
    // It may outlive its neighbours, and must not keep them in memory.
    place.older = place.younger = undefined;
    this.#size--;
  }

  /** From the oldest to the youngest; none may be added or removed meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#oldest; at !== undefined; at = at.younger) {
      yield at.member;
    }
  }
}
