/**
 * Messages on their way to the client: each becomes one frame, compressed if
 * that was agreed on and it is worth it. Compression takes a while, but messages
 * leave in the order in which they were sent.
 *
 * @module
 */

import { Deflater } from "./deflate.ts";
import type { DeflateAgreement } from "./deflate_offer.ts";
import {
  encodeCompressedFrame,
  encodeFrame,
  encodeTextFrame,
} from "./frame_encoder.ts";
import { OPCODES } from "./frames.ts";
import {
  type CompressionOptions,
  DEFAULT_COMPRESSION_OPTIONS,
} from "./options.ts";
import type { Outbox } from "./outbox.ts";

/** How one message is sent. */
export interface SendOptions {
  /**
   * Whether to compress the message, where that was agreed on and it is not
   * too short. One that mixes secrets with what others have written should not
   * be: its length tells of the secret.
   *
   * @default {true}
   */
  readonly compress?: boolean;
}

type Data = string | Uint8Array;

const FLUSH_TAIL_BYTES = 4;
const encoder = new TextEncoder();

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

  /** Sends a message; resolves when it was accepted. */
  send(data: Data, { compress = true }: SendOptions = {}): Promise<void> {
    const deflater = this.#deflater;
    if (deflater === undefined) return this.#outbox.send(encode(data));
    if (!compress || data.length < this.#threshold) {
      return this.sendFrame(encode(data));
    }
    return this.#sendInTurn(() => encodeCompressed(data, deflater));
  }

  /** Sends a frame behind all messages; resolves when it was accepted. */
  sendFrame(frame: Uint8Array): Promise<void> {
    if (this.#making === 0) return this.#outbox.send(frame);
    return this.#sendInTurn(() => frame);
  }

  /** Gives memory back; a message that is being compressed is lost. */
  close(): void {
    this.#deflater?.close();
  }

  #sendInTurn(make: () => Uint8Array | Promise<Uint8Array>): Promise<void> {
    this.#making++;
    const frame = (this.#made ?? Promise.resolve()).then(make);
    const sent = frame.then(
      (frame) => this.#sendMade(frame),
      (error) => this.#failed(error),
    );
    this.#made = frame.catch(ignore);
    return sent;
  }

  #sendMade(frame: Uint8Array): Promise<void> {
    this.#making--;
    return this.#outbox.send(frame);
  }

  #failed(error: unknown): never {
    this.#making--;
    throw error;
  }
}

function encode(data: Data): Uint8Array {
  return typeof data === "string"
    ? encodeTextFrame(data)
    : encodeFrame(OPCODES.binary, data);
}

async function encodeCompressed(
  data: Data,
  deflater: Deflater,
): Promise<Uint8Array> {
  const text = typeof data === "string";
  const chunks = await deflater.deflate(text ? encoder.encode(data) : data);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return encodeCompressedFrame(text, chunks, length - FLUSH_TAIL_BYTES);
}

function ignore(): void {}
