/**
 * Messages on their way to the client, compressed if that was agreed on and it is
 * worth it. Compression takes a while, but messages leave in the order in which
 * they were sent.
 *
 * A message is one frame. Only a long one that is compressed is several, because
 * nobody knows how long it will be: each is made when the one before it was
 * accepted, so that a client that reads slowly makes the server hold one piece of
 * the message, and the work on it gives way to others.
 *
 * @module
 */

import { Deflater } from "./deflate.ts";
import type { DeflateAgreement } from "./deflate_offer.ts";
import {
  encodeChunks,
  encodeFrame,
  encodeLongFrame,
  encodeTextFrame,
} from "./frame_encoder.ts";
import { OPCODES } from "./frames.ts";
import {
  type CompressionOptions,
  DEFAULT_COMPRESSION_OPTIONS,
} from "./options.ts";
import type { Frame, Outbox } from "./outbox.ts";
import { bytesOf, type Data, isLong, isText, piecesOf } from "./pieces.ts";
import { copyBytes } from "../streams/copy_bytes.ts";

/** How one message is sent. */
export interface SendOptions {
  /**
   * Whether to compress the message, where that was agreed on and it is not
   * too short. One that mixes secrets with what others have written should not
   * be: its length gives the secret away.
   *
   * @default {true}
   */
  readonly compress?: boolean;
  /**
   * Whether another message is sent in the same turn of the event loop: then
   * both leave together.
   *
   * @default {false}
   */
  readonly more?: boolean;
}

const EMPTY = new Uint8Array(0);
const FLUSH_TAIL_BYTES = 4;

/** Sends messages through an outbox. */
export class MessageSender {
  readonly #outbox: Outbox;
  readonly #deflater: Deflater | undefined;
  readonly #threshold: number = Infinity;

  /** How many frames are being made, and when the last of them is. */
  #making = 0;
  #made: Promise<unknown> | undefined;

  /** Without an agreement, nothing is compressed. */
  constructor(
    outbox: Outbox,
    agreement?: DeflateAgreement,
    compression?: Partial<CompressionOptions>,
  ) {
    this.#outbox = outbox;
    if (agreement === undefined) return;
    const options = { ...DEFAULT_COMPRESSION_OPTIONS, ...compression };
    this.#threshold = Math.max(options.threshold, 1);
    this.#deflater = new Deflater(agreement, options);
  }

  /** How many bytes wait to be sent; unknown while a message is compressed. */
  get waiting(): number {
    return this.#making > 0 ? Infinity : this.#outbox.waiting;
  }

  /**
   * Sends a message; resolves when it was accepted. Bytes of up to 64 KiB are
   * copied before this returns.
   */
  send(data: Data, { compress = true, more }: SendOptions = {}): Promise<void> {
    const deflater = this.#deflater;
    if (deflater === undefined) return this.#outbox.send(encode(data), more);
    if (!compress || data.length < this.#threshold) {
      return this.sendFrame(encode(data), more);
    }
    if (isLong(data)) {
      return this.#sendInTurn(() => this.#sendLong(data, deflater));
    }
    const bytes = isText(data) ? data : copyBytes(data);
    return this.#sendInTurn(() => encodeCompressed(bytes, deflater));
  }

  /** Sends a frame after all messages; resolves when it was accepted. */
  sendFrame(frame: Frame, more = false): Promise<void> {
    if (this.#making === 0) return this.#outbox.send(frame, more);
    return this.#sendInTurn(() => frame);
  }

  /** Gives memory back; a message that is being compressed is lost. */
  close(): void {
    this.#deflater?.close();
  }

  #sendInTurn(make: () => Frame | Promise<Frame>): Promise<void> {
    this.#making++;
    const frame = (this.#made ?? Promise.resolve()).then(make);
    const sent = frame.then(
      (frame) => this.#sendMade(frame),
      (error) => this.#failed(error),
    );
    this.#made = frame.catch(ignore);
    return sent;
  }

  /** Sends all frames of a message but the last one, which is returned. */
  async #sendLong(data: Data, deflater: Deflater): Promise<Frame> {
    const deflating = deflater.deflateLong();
    if (deflating === undefined) return encodeLongFrame(data);
    try {
      let frame: Frame = EMPTY;
      for (const { bytes, first, last } of piecesOf(data)) {
        if (!first) await this.#outbox.send(frame);
        const opcode = first ? opcodeOf(data) : OPCODES.continuation;
        const chunks = await deflating.deflate(bytes);
        frame = encodeDeflated({ opcode, fin: last }, chunks);
      }
      return frame;
    } finally {
      deflating.end();
    }
  }

  #sendMade(frame: Frame): Promise<void> {
    this.#making--;
    return this.#outbox.send(frame);
  }

  #failed(error: unknown): never {
    this.#making--;
    throw error;
  }
}

function encode(data: Data): Frame {
  if (isLong(data)) return encodeLongFrame(data);
  return isText(data)
    ? encodeTextFrame(data)
    : encodeFrame(OPCODES.binary, data);
}

async function encodeCompressed(
  data: Data,
  deflater: Deflater,
): Promise<Frame> {
  const chunks = await deflater.deflate(bytesOf(data));
  return encodeDeflated({ opcode: opcodeOf(data), fin: true }, chunks);
}

/** The tail of what was compressed is left out at the end of a message. */
function encodeDeflated(
  header: { readonly opcode: number; readonly fin: boolean },
  chunks: readonly Uint8Array[],
): Uint8Array {
  const compressed = header.opcode !== OPCODES.continuation;
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const tail = header.fin ? FLUSH_TAIL_BYTES : 0;
  return encodeChunks({ ...header, compressed }, chunks, length - tail);
}

function opcodeOf(data: Data): number {
  return isText(data) ? OPCODES.text : OPCODES.binary;
}

function ignore(): void {}
