/**
 * The instructions of the encoder stream and of the decoder stream (RFC 9204,
 * sections 4.3 and 4.4). They come in a stream of bytes, cut anywhere: what is
 * not whole waits for more. An instruction that would need more memory than any
 * that is legal is an error before it is there.
 *
 * @module
 */

import { LiteralReader, NO_INTEGER } from "../../http/literal_reader.ts";
import { copyBytes } from "../../streams/copy_bytes.ts";

/** What an encoder does to the dynamic table. */
export type EncoderInstruction =
  | { readonly type: "capacity"; readonly capacity: number }
  | {
    readonly type: "insert with name reference";
    readonly isStatic: boolean;
    readonly index: number;
    readonly value: string;
  }
  | {
    readonly type: "insert with literal name";
    readonly name: string;
    readonly value: string;
  }
  | { readonly type: "duplicate"; readonly index: number };

/** What a decoder reports to the encoder. */
export type DecoderInstruction =
  | { readonly type: "section acknowledgment"; readonly streamId: number }
  | { readonly type: "stream cancellation"; readonly streamId: number }
  | { readonly type: "insert count increment"; readonly increment: number };

/** Reads one instruction; `undefined` if it is cut, or broken. */
export type ReadInstruction<T> = (reader: LiteralReader) => T | undefined;

/** Identifiers and counts may be as large as a number can be. */
const LONG = 7;

const EMPTY = new Uint8Array(0);

/** Cuts a stream of bytes into instructions. */
export class InstructionReader<T> {
  readonly #read: ReadInstruction<T>;
  readonly #maxBytes: number;
  #rest: Uint8Array = EMPTY;

  /** No instruction may have more than `maxBytes`. */
  constructor(read: ReadInstruction<T>, maxBytes: number) {
    this.#read = read;
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes bytes, and calls `onInstruction` with each instruction that is whole.
   *
   * @returns Whether all is well so far; `false` if an instruction is broken, or
   * too long.
   */
  push(bytes: Uint8Array, onInstruction: (instruction: T) => void): boolean {
    const all = joined(this.#rest, bytes);
    let at = 0;
    while (at < all.length) {
      const reader = new LiteralReader(all.subarray(at));
      const instruction = this.#read(reader);
      if (instruction === undefined) {
        if (!reader.cut) return false;
        break;
      }
      at += reader.position;
      onInstruction(instruction);
    }
    this.#rest = copyBytes(all.subarray(at, at + this.#maxBytes + 1));
    return this.#rest.length <= this.#maxBytes;
  }
}

function joined(start: Uint8Array, end: Uint8Array): Uint8Array {
  if (start.length === 0) return end;
  const all = new Uint8Array(start.length + end.length);
  all.set(start);
  all.set(end, start.length);
  return all;
}

/** Reads an instruction of the encoder stream. */
export function readEncoderInstruction(
  reader: LiteralReader,
): EncoderInstruction | undefined {
  const first = reader.peek();
  if (first >= 0x80) return readInsertWithNameReference(reader);
  if (first >= 0x40) return readInsertWithLiteralName(reader);
  const number = reader.readInteger(5);
  if (number === NO_INTEGER) return undefined;
  return first >= 0x20
    ? { type: "capacity", capacity: number }
    : { type: "duplicate", index: number };
}

function readInsertWithNameReference(
  reader: LiteralReader,
): EncoderInstruction | undefined {
  const isStatic = (reader.peek() & 0x40) !== 0;
  const index = reader.readInteger(6);
  if (index === NO_INTEGER) return undefined;
  const value = reader.readString(7);
  if (value === undefined) return undefined;
  return { type: "insert with name reference", isStatic, index, value };
}

function readInsertWithLiteralName(
  reader: LiteralReader,
): EncoderInstruction | undefined {
  const name = reader.readString(5);
  if (name === undefined) return undefined;
  const value = reader.readString(7);
  if (value === undefined) return undefined;
  return { type: "insert with literal name", name, value };
}

/** Reads an instruction of the decoder stream. */
export function readDecoderInstruction(
  reader: LiteralReader,
): DecoderInstruction | undefined {
  const first = reader.peek();
  const number = reader.readInteger(first >= 0x80 ? 7 : 6, LONG);
  if (number === NO_INTEGER) return undefined;
  if (first >= 0x80) {
    return { type: "section acknowledgment", streamId: number };
  }
  return first >= 0x40
    ? { type: "stream cancellation", streamId: number }
    : { type: "insert count increment", increment: number };
}
