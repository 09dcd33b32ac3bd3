/**
 * Collects small pieces of bytes, so that they leave in few writes.
 *
 * Everything is copied, so callers may reuse their bytes at once. The buffers
 * come from a pool that all connections share: a connection that has nothing
 * to send holds none.
 *
 * A write that fails is reported in one place, `onLost`. Beyond that it rejects
 * what `room` and `flush` have returned, and nothing else: `send` returns no
 * promise, so there is none that a caller could leave without a handler.
 *
 * @module
 */

import type { ByteStream } from "./byte_stream.ts";
import { encodeByteStringInto } from "./byte_string.ts";

/** The high-water mark: with so much waiting for a write, there is no room. */
const MAX_WAITING_BYTES = 32 * 1024;
/** What follows in the same turn comes within as many: mostly within four. */
const MICROTASKS_BETWEEN = 8;

/** The bytes that wait to be written to one connection, its only writer. */
export class Output {
  readonly #sink: Pick<ByteStream, "write">;
  readonly #onLost: (error: unknown) => void;
  readonly #beforeWrite: (() => void) | undefined;
  #buffer: Uint8Array | undefined;
  #length = 0;
  /** The buffer that is being written. */
  #leaving: Uint8Array | undefined;
  /** The write that is under way; for good, if it has failed. */
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** What more is waited for, if it is. */
  #gathering: Promise<void> | undefined;

  /**
   * `sink` is given one buffer at a time; `onLost` is called once if that fails.
   * `beforeWrite` may append to what is about to be written.
   */
  constructor(
    sink: Pick<ByteStream, "write">,
    onLost: (error: unknown) => void,
    beforeWrite?: () => void,
  ) {
    this.#beforeWrite = beforeWrite;
    this.#sink = sink;
    this.#onLost = onLost;
  }

  /** The number of bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Appends a byte string. */
  text(text: string): void {
    const buffer = this.#reserve(text.length);
    const room = this.#length === 0 ? buffer : buffer.subarray(this.#length);
    encodeByteStringInto(text, room);
    this.#length += text.length;
  }

  /** Appends bytes. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Whether everything that was appended has been written. */
  get idle(): boolean {
    return this.#writing === undefined && this.#length === 0;
  }

  /**
   * Writes what waits, as soon as nothing else is being written: so that many
   * small pieces leave in few writes. Once a write has failed, drops it.
   */
  send(): void {
    if (this.#writing === undefined) this.#write();
    else if (this.#failure !== undefined) this.#length = 0;
  }

  /**
   * As {@linkcode Output.send}, but gives what follows in this turn of the event
   * loop a chance to leave in the same write: a second one would wait until the
   * client has acknowledged the first, where Nagle's algorithm is on.
   */
  sendSoon(): void {
    if (this.#length >= MAX_WAITING_BYTES) this.send();
    else if (this.#writing === undefined) this.#gathering ??= this.#gather();
  }

  /** Sends when nothing has been appended for a while. It cannot reject. */
  async #gather(): Promise<void> {
    for (let before = 0; this.#length > before;) {
      before = this.#length;
      for (let i = 0; i < MICROTASKS_BETWEEN; i++) await undefined;
    }
    this.#gathering = undefined;
    this.send();
  }

  /**
   * Waits until less than 32 KiB wait to be written.
   *
   * @returns `undefined` if that is so now.
   * @throws Whatever a write has failed with.
   */
  room(): Promise<void> | undefined {
    if (this.#length < MAX_WAITING_BYTES && this.#failure === undefined) {
      return undefined;
    }
    return this.#writing?.then(() => this.#throwFailure());
  }

  /**
   * Writes what waits, after what is being written.
   *
   * @returns When all of it was accepted; `undefined` if it was.
   * @throws Whatever a write has failed with.
   */
  flush(): Promise<void> | undefined {
    this.send();
    const rest = this.#length > 0;
    return this.#writing?.then(() => {
      this.#throwFailure();
      if (rest) return this.#writing?.then(() => this.#throwFailure());
    });
  }

  #write(): void {
    if (this.#length === 0) return;
    this.#beforeWrite?.();
    this.#leaving = this.#buffer!;
    const bytes = this.#leaving.subarray(0, this.#length);
    this.#buffer = undefined;
    this.#length = 0;
    this.#writing = this.#sink.write(bytes).then(this.#written, this.#failed);
  }

  readonly #written = (): void => {
    giveBack(this.#leaving!);
    this.#leaving = undefined;
    this.#writing = undefined;
    this.#write();
  };

  /** From now on nothing is written, and what waits for it rejects. */
  readonly #failed = (error: unknown): void => {
    this.#failure = { error };
    this.#onLost(error);
  };

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #reserve(extra: number): Uint8Array {
    const needed = this.#length + extra;
    const buffer = this.#buffer ??= takeBuffer(needed);
    if (needed <= buffer.length) return buffer;
    const grown = takeBuffer(needed);
    grown.set(buffer.subarray(0, this.#length));
    giveBack(buffer);
    return this.#buffer = grown;
  }
}

/** Buffers of one size, which all connections share. */
class BufferPool {
  readonly size: number;
  readonly #max: number;
  readonly #buffers: Uint8Array[] = [];

  constructor(size: number, max: number) {
    this.size = size;
    this.#max = max;
  }

  take(): Uint8Array {
    return this.#buffers.pop() ?? new Uint8Array(this.size);
  }

  giveBack(buffer: Uint8Array): void {
    if (this.#buffers.length < this.#max) this.#buffers.push(buffer);
  }
}

/** For a head and little content. */
const small = new BufferPool(8 * 1024, 512);
/** For the 64 KiB of a large piece. */
const large = new BufferPool(72 * 1024, 32);

/** A buffer of at least `size` bytes, whose content is not defined. */
function takeBuffer(size: number): Uint8Array {
  if (size <= small.size) return small.take();
  if (size <= large.size) return large.take();
  return new Uint8Array(2 * size);
}

function giveBack(buffer: Uint8Array): void {
  if (buffer.length === small.size) small.giveBack(buffer);
  else if (buffer.length === large.size) large.giveBack(buffer);
}
