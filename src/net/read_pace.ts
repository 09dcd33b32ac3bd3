/**
 * Keeps busy connections from starving each other.
 *
 * In one turn of its event loop, Deno lets 128 operations make progress. What is
 * left over waits behind all that has become ready meanwhile: where more
 * connections than that are busy, the same few are served again and again, and
 * others wait for a second. So only some may begin a read in each turn, and the
 * rest begin theirs a moment later, while those that wait get ahead.
 *
 * @module
 */

/** So many connections may begin to read in one turn. */
const MAX_READS = 96;

/** Counts the connections that begin to read, turn by turn. */
export class ReadPace {
  #turn = 0;
  #begun = 0;
  #late: (() => void)[] = [];

  /** Which turn it is: a connection that reads again in it is not counted again. */
  get turn(): number {
    return this.#turn;
  }

  /**
   * Counts a connection that begins to read in this turn.
   *
   * @returns When it may; `undefined` if that is now.
   */
  begin(): Promise<void> | undefined {
    this.#begun++;
    // Few connections need not pay for a look at each turn.
    if (this.#begun === MAX_READS / 2) setImmediate(this.#nextTurn);
    if (this.#begun <= MAX_READS) return undefined;
    if (this.#late.length === 0) setTimeout(this.#release, 0);
    return new Promise((begin) => this.#late.push(begin));
  }

  readonly #nextTurn = (): void => {
    this.#turn++;
    this.#begun = 0;
  };

  readonly #release = (): void => {
    const late = this.#late;
    this.#late = [];
    for (const begin of late) begin();
  };
}
