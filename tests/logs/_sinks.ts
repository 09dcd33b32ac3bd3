// Where lines go in tests: sinks that misbehave as pipes, files and disks do.

import type { ByteSink } from "../../src/logs/mod.ts";

/** Keeps what is written, a write at a time. */
export class Sink implements ByteSink {
  /** What each write has brought. */
  readonly writes: string[] = [];
  /** How many bytes a write takes at most. */
  most = Infinity;
  /** What writes throw, if anything. */
  error: Error | undefined;
  readonly #bytes: number[] = [];
  #room = Promise.withResolvers<void>();
  #started = Promise.withResolvers<void>();

  constructor() {
    this.#room.resolve();
  }

  /** All that was written. */
  get text(): string {
    return new TextDecoder("utf-8", { fatal: true })
      .decode(Uint8Array.from(this.#bytes));
  }

  /** Lets writes wait from now on, as those to a pipe that is full. */
  stall(): void {
    this.#room = Promise.withResolvers();
    this.#started = Promise.withResolvers();
  }

  /** Resolves when a write waits. */
  get stalled(): Promise<void> {
    return this.#started.promise;
  }

  /** Ends the stall. */
  resume(): void {
    this.#room.resolve();
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.#started.resolve();
    await this.#room.promise;
    if (this.error !== undefined) throw this.error;
    const taken = bytes.slice(0, this.most);
    this.#bytes.push(...taken);
    this.writes.push(new TextDecoder().decode(taken));
    return taken.length;
  }
}

/** What a write to a full pipe throws that does not block. */
export function wouldBlock(): Error {
  const error = new Error("Resource temporarily unavailable (os error 11)");
  error.name = "WouldBlock";
  return error;
}
