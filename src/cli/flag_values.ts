/**
 * The values of flags and environment variables, and which of the two each value
 * came from.
 *
 * @module
 */

import { UsageError } from "./errors.ts";
import { environmentVariable } from "./flags.ts";

/** Where a value came from. */
export type Source = "flag" | "environment";

/** The values of the flags that were given. */
export class FlagValues {
  readonly #values = new Map<string, { value: unknown; source: Source }>();

  /** Keeps the value of a flag. */
  set(flag: string, source: Source, value: unknown): void {
    this.#values.set(flag, { value, source });
  }

  /** The value of a flag, as its form parsed it. */
  get<T>(flag: string): T | undefined {
    return this.#values.get(flag)?.value as T | undefined;
  }

  /** Drops the value of a flag. */
  delete(flag: string): void {
    this.#values.delete(flag);
  }

  /**
   * Refuses flags of one set together with flags of another. Where only one of
   * them is a flag, it wins over the other's environment variable.
   */
  exclude(ones: readonly string[], others: readonly string[]): void {
    for (const one of ones) {
      for (const other of others) this.#excludeOne(one, other);
    }
  }

  /** Refuses a flag unless one of some others was given too. */
  need(flag: string, others: readonly string[]): void {
    if (!this.#values.has(flag)) return;
    if (others.some((other) => this.#values.has(other))) return;
    const needed = others.map((other) => `--${other}`).join(" or ");
    throw new UsageError(`${this.nameOf(flag)} needs ${needed}`);
  }

  /** The name by which a value was given: that of its flag, or of its variable. */
  nameOf(flag: string): string {
    return this.#values.get(flag)?.source === "environment"
      ? environmentVariable(flag)
      : `--${flag}`;
  }

  #excludeOne(one: string, other: string): void {
    const [a, b] = [this.#values.get(one), this.#values.get(other)];
    if (a === undefined || b === undefined) return;
    if (a.source === b.source) {
      throw new UsageError(
        `${this.nameOf(one)} and ${this.nameOf(other)} exclude each other`,
      );
    }
    this.delete(a.source === "environment" ? one : other);
  }
}
