// A client's side of permessage-deflate, over zlib streams of its own.

import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  type DeflateRaw,
  type InflateRaw,
} from "node:zlib";
import { concat } from "./_frames.ts";

/** How the client compresses, and what it can take. */
export interface DeflatingClientOptions {
  readonly clientWindowBits?: number;
  readonly serverWindowBits?: number;
  readonly clientNoContextTakeover?: boolean;
  readonly serverNoContextTakeover?: boolean;
}

const TAIL = new Uint8Array([0, 0, 0xff, 0xff]);

/** Compresses and decompresses the messages of one connection. */
export class DeflatingClient implements Disposable {
  readonly #options: DeflatingClientOptions;
  readonly #deflate: DeflateRaw;
  readonly #inflate: InflateRaw;

  constructor(options: DeflatingClientOptions = {}) {
    this.#options = options;
    const flush = constants.Z_SYNC_FLUSH;
    this.#deflate = createDeflateRaw({
      flush,
      windowBits: options.clientWindowBits ?? 15,
    });
    // With the smallest chunks, zlib cannot refer to more than its window.
    this.#inflate = createInflateRaw({
      flush,
      windowBits: options.serverWindowBits ?? 15,
      chunkSize: 64,
    });
  }

  /** The payload of a compressed message. */
  async compress(message: Uint8Array): Promise<Uint8Array> {
    const bytes = await run(this.#deflate, message);
    if (this.#options.clientNoContextTakeover) this.#deflate.reset();
    return bytes.subarray(0, bytes.length - TAIL.length);
  }

  /** The message of a compressed payload. */
  async decompress(payload: Uint8Array): Promise<Uint8Array> {
    const bytes = await run(this.#inflate, concat([payload, TAIL]));
    if (this.#options.serverNoContextTakeover) this.#inflate.reset();
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#deflate.close();
    this.#inflate.close();
  }
}

function run(
  stream: DeflateRaw | InflateRaw,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const keep = (chunk: Uint8Array) => void chunks.push(chunk);
    stream.on("data", keep);
    stream.once("error", reject);
    stream.write(bytes, () => {
      stream.off("data", keep);
      stream.off("error", reject);
      resolve(concat(chunks));
    });
  });
}
