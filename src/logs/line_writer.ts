/**
 * Collects lines, so that many of them are written at once, and writes them
 * without holding up anything else: while a write waits for a slow reader,
 * lines are kept up to a bound. Lines past it are lost, and counted.
 *
 * @module
 */

import { LossReport } from "./_loss_report.ts";
import { type ByteSink, writeAll } from "./write_all.ts";

/** When a {@linkcode LineWriter} writes, and what it does about lost lines. */
export interface LineWriterOptions {
  /** How many bytes are collected before they are written. Default: 64 KiB. */
  maxBytes?: number;
  /** How many bytes may wait while a write is under way. Default: 4 MiB. */
  maxWaitingBytes?: number;
  /** How long a line waits for others, in milliseconds; 0: not at all. Default: 100. */
  delay?: number;
  /**
   * Called when lines were lost, at most every 10 seconds, and at the end: with
   * the number of lines since the last call, and the error of the write that
   * lost them; `undefined` if there was no room. Default: nothing is called.
   */
  onLost?: (lines: number, error: unknown) => void;
  /**
   * Makes a line that says how many lines were lost. It is written near the
   * place where they are missing, when writes succeed again. Default: there is no such line.
   */
  lossLine?: (lines: number) => string;
}

/** How long what waits at the end may take to be written. */
const CLOSE_MS = 1_000;

const encoder = new TextEncoder();
const NEWLINE = 0x0a;

/**
 * Writes lines in few writes: when `maxBytes` are collected, and `delay` after
 * the first line that waits. There is one write at a time; lines that come
 * meanwhile are collected, and are lost where more than `maxWaitingBytes` would
 * wait. A write that fails loses the lines that it was given, and nothing else.
 *
 * Dispose of it when no more lines come: that waits a second at most until all
 * is written. A write that does not end, because nobody reads, keeps the process
 * alive, but does not hold up `Deno.exit()`.
 *
 * @example
 * ```ts
 * import { LineWriter } from "jsr:@x/asgi/logs";
 *
 * await using lines = new LineWriter(Deno.stdout);
 * lines.line("one");
 * lines.line("two");
 * ```
 */
export class LineWriter implements AsyncDisposable {
  readonly #sink: ByteSink;
  readonly #maxBytes: number;
  readonly #maxWaitingBytes: number;
  readonly #lossLine: LineWriterOptions["lossLine"];
  readonly #loss: LossReport;
  /** How many of the lost lines are not mentioned by a line yet. */
  #unmentioned = 0;
  #delay: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** What is collected. */
  #buffer: Uint8Array;
  #length = 0;
  #lines = 0;

  /** The write that is under way; it never rejects. */
  #writing: Promise<void> | undefined;
  #writingLines = 0;
  /** The buffer of the last write, to be used again. */
  #spare: Uint8Array | undefined;

  /**
   * Lines go to `sink`, such as `Deno.stdout` or an open file.
   *
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    sink: ByteSink,
    {
      maxBytes = 64 * 1024,
      maxWaitingBytes = Math.max(4 * 1024 * 1024, maxBytes),
      delay = 100,
      onLost,
      lossLine,
    }: LineWriterOptions = {},
  ) {
    checkBytes("maxBytes", maxBytes, 1);
    checkBytes("maxWaitingBytes", maxWaitingBytes, maxBytes);
    if (!(delay >= 0)) {
      throw new RangeError(`Cannot collect lines: "delay" is ${delay}`);
    }
    this.#sink = sink;
    this.#maxBytes = maxBytes;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#delay = delay;
    this.#loss = new LossReport(onLost);
    this.#lossLine = lossLine;
    this.#buffer = new Uint8Array(maxBytes);
  }

  /** How many lines were lost. */
  get lost(): number {
    return this.#loss.lines;
  }

  /** Appends a line; its newline may be left out. */
  line(text: string): void {
    if (this.#put(text)) this.#schedule();
    else this.#lose(1, undefined);
  }

  /**
   * Resolves when the lines so far are written or lost, but at the latest after
   * `timeout` milliseconds. Default: it waits as long as it takes.
   */
  async flush(timeout?: number): Promise<void> {
    if (timeout === undefined) return await this.#writeOut();
    const expired = Promise.withResolvers<void>();
    const timer = setTimeout(expired.resolve, timeout);
    await Promise.race([this.#writeOut(), expired.promise]);
    clearTimeout(timer);
  }

  /**
   * Writes what waits, and gives up what is not written after a second. Later
   * lines are written as they come.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#delay = 0;
    await this.flush(CLOSE_MS);
    this.#giveUp();
  }

  /** Waits for the write that is under way, and for the next. */
  async #writeOut(): Promise<void> {
    await this.#writing;
    this.#begin();
    await this.#writing;
  }

  /** Appends a line to what is collected, if there is room. */
  #put(text: string): boolean {
    while (!this.#append(text)) {
      if (this.#writing === undefined && this.#length > 0) this.#begin();
      else if (!this.#grow()) return false;
    }
    return true;
  }

  #append(text: string): boolean {
    const room = this.#buffer.subarray(this.#length);
    const { read, written } = encoder.encodeInto(text, room);
    if (read < text.length) return false;
    let length = written;
    if (!text.endsWith("\n")) {
      if (length === room.length) return false;
      room[length++] = NEWLINE;
    }
    this.#length += length;
    this.#lines++;
    return true;
  }

  #grow(): boolean {
    const { length } = this.#buffer;
    if (length >= this.#maxWaitingBytes) return false;
    const larger = new Uint8Array(Math.min(2 * length, this.#maxWaitingBytes));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
    return true;
  }

  /** Begins to write, now or when the first line has waited long enough. */
  #schedule(): void {
    if (this.#length >= this.#maxBytes || this.#delay === 0) this.#begin();
    else if (this.#length > 0) {
      this.#timer ??= setTimeout(() => this.#begin(), this.#delay);
    }
  }

  /** Writes what is collected, unless a write is under way. */
  #begin(): void {
    this.#clearTimer();
    if (this.#writing !== undefined || this.#length === 0) return;
    const buffer = this.#buffer;
    const bytes = buffer.subarray(0, this.#length);
    this.#writingLines = this.#lines;
    this.#buffer = this.#spare ?? new Uint8Array(this.#maxBytes);
    this.#spare = buffer.length === this.#maxBytes ? buffer : undefined;
    this.#length = this.#lines = 0;
    this.#writing = this.#write(bytes);
  }

  /** Deno loads its timers at their first use, which a first line can spare. */
  #clearTimer(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const lost = this.#unmentioned;
    try {
      await writeAll(this.#sink, bytes);
      this.#writingLines = 0;
      await this.#mention(lost);
    } catch (error) {
      this.#lose(this.#writingLines, error);
      this.#writingLines = 0;
    }
    this.#writing = undefined;
    this.#loss.reportIfDue();
    this.#schedule();
  }

  /** Writes how many lines were lost, about where they are missing. */
  async #mention(lost: number): Promise<void> {
    if (lost === 0 || this.#lossLine === undefined) return;
    await writeAll(this.#sink, encodeLine(this.#lossLine(lost)));
    this.#unmentioned -= lost;
  }

  #lose(lines: number, error: unknown): void {
    this.#unmentioned += lines;
    this.#loss.add(lines, error);
  }

  /** Counts what is not written as lost, and reports all that was. */
  #giveUp(): void {
    const lines = this.#lines + this.#writingLines;
    this.#length = this.#lines = this.#writingLines = 0;
    this.#lose(lines, undefined);
    this.#loss.report();
  }
}

function encodeLine(text: string): Uint8Array {
  return encoder.encode(text.endsWith("\n") ? text : `${text}\n`);
}

function checkBytes(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(`Cannot collect lines: "${name}" is ${value}`);
}
