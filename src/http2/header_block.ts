/**
 * Header blocks (RFC 9113, section 4.3): a HEADERS and its CONTINUATIONs, which
 * are one unit. No other frame may come before END_HEADERS, be it of another
 * stream, or of a type that is not known: PROTOCOL_ERROR of the connection.
 *
 * A block that lies in one frame is not copied. What is collected of others is
 * bounded, in bytes and in frames (CVE-2024-27316 and its kin): past that, the
 * rest of the block, and with it the state of HPACK, is lost, so the connection
 * ends with ENHANCE_YOUR_CALM.
 *
 * @module
 */

import { connectionError, FLAGS, type Frame, FRAME_TYPES } from "./frames.ts";
import { MAX_CONTINUATIONS } from "./limits.ts";

const EMPTY = new Uint8Array(0);

/** A block that is complete, and still encoded. */
export interface HeaderBlock {
  /** The stream that it came on. */
  readonly streamId: number;
  /** Whether the stream ends with it. */
  readonly endStream: boolean;
  /** Whether its priority fields make the stream depend on itself. */
  readonly selfDependent: boolean;
  /** Where the block lies; it holds until the next frame is read. */
  readonly bytes: Uint8Array;
  /** Where it begins in `bytes`. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
}

/** What the HEADERS of a block says, beside the block. */
type BlockHead = Pick<HeaderBlock, "streamId" | "endStream" | "selfDependent">;

/** Collects the blocks of one connection. */
export class HeaderBlocks {
  readonly #maxBytes: number;
  /** The HEADERS whose block is not complete. */
  #head: BlockHead | undefined;
  #bytes: Uint8Array = EMPTY;
  #length = 0;
  #continuations = 0;

  /** No block may be longer than `maxBytes`, as it is encoded. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The stream whose block is not complete, if there is one. */
  get open(): number | undefined {
    return this.#head?.streamId;
  }

  /**
   * Whether a frame is part of a block, and goes to
   * {@linkcode HeaderBlocks.add}. To be asked for every frame.
   *
   * @throws {Http2Error} If it may not come here.
   */
  owns({ type, streamId }: Frame): boolean {
    const head = this.#head;
    if (type === FRAME_TYPES.CONTINUATION) {
      if (streamId === head?.streamId) return true;
      throw connectionError(
        "PROTOCOL_ERROR",
        "A CONTINUATION must follow its HEADERS",
      );
    }
    if (head === undefined) return type === FRAME_TYPES.HEADERS;
    throw connectionError(
      "PROTOCOL_ERROR",
      `The header block of stream ${head.streamId} must end first`,
    );
  }

  /**
   * Adds a HEADERS or CONTINUATION.
   *
   * @returns The block, if that was all of it.
   * @throws {Http2Error} ENHANCE_YOUR_CALM, if the block is too long.
   */
  add(frame: Frame): HeaderBlock | undefined {
    this.#checkSize(frame.end - frame.start);
    const head = this.#head ?? headOf(frame);
    const complete = (frame.flags & FLAGS.END_HEADERS) !== 0;
    if (this.#head === undefined && complete) {
      const { bytes, start, end } = frame;
      return { ...head, bytes, start, end };
    }
    if (this.#head !== undefined) this.#countContinuation();
    this.#head = head;
    this.#append(frame);
    return complete ? this.#finish(head) : undefined;
  }

  #checkSize(added: number): void {
    if (this.#length + added <= this.#maxBytes) return;
    throw connectionError("ENHANCE_YOUR_CALM", "Header block too long");
  }

  #countContinuation(): void {
    if (++this.#continuations <= MAX_CONTINUATIONS) return;
    throw connectionError("ENHANCE_YOUR_CALM", "Too many CONTINUATIONs");
  }

  #append({ bytes, start, end }: Frame): void {
    const length = this.#length + end - start;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(
        Math.min(this.#maxBytes, Math.max(length, 2 * this.#bytes.length)),
      );
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length = length;
  }

  /** Hands the bytes over; an idle connection need not hold them. */
  #finish(head: BlockHead): HeaderBlock {
    const block = { ...head, bytes: this.#bytes, start: 0, end: this.#length };
    this.#head = undefined;
    this.#bytes = EMPTY;
    this.#length = 0;
    this.#continuations = 0;
    return block;
  }
}

function headOf({ streamId, flags, selfDependent }: Frame): BlockHead {
  const endStream = (flags & FLAGS.END_STREAM) !== 0;
  return { streamId, endStream, selfDependent };
}
