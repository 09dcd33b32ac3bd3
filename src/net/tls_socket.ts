/**
 * TLS by `node:tls`, on a plain connection. `Deno.TlsConn` cannot switch
 * Nagle's algorithm off: over it, a small write waits up to 44 ms for the peer to
 * acknowledge the one before. A `Deno.TcpConn` can.
 *
 * Loading `node:tls` takes some 20 ms, so that this module is imported only where
 * it is needed.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { CertifiedKey } from "./certified_key.ts";
import { CiphertextStream } from "./ciphertext_stream.ts";
import type { SocketConn } from "./connection.ts";
import type { TlsSettings } from "./tls_settings.ts";
import {
  firstCertificate,
  type TlsParameters,
  tlsParameters,
} from "./tls_parameters.ts";

/** The first message of a client is rarely longer. */
const HANDSHAKE_READ_BYTES = 2048;
/** The longest record, with its header. */
const RECORD_BYTES = 5 + 16 * 1024 + 256;
const MAX_SPARE_BUFFERS = 32;
/** No response writes more at once. */
const MAX_WRITE_BYTES = 80 * 1024;
/** A message that closes one direction counts as this much plaintext. */
const CLOSE_NOTIFY_BYTES = 1;

/** Accepts TLS with one certificate. */
export class TlsTerminator {
  readonly #context: SecureContext;
  readonly #serverCert: string;
  readonly #alpn: readonly string[];

  /** The certificate and its key are not checked here, but before. */
  constructor(
    { cert, key }: CertifiedKey,
    { alpn, minVersion }: Pick<TlsSettings, "alpn" | "minVersion">,
  ) {
    this.#context = createSecureContext({ cert, key, minVersion });
    this.#serverCert = firstCertificate(cert);
    this.#alpn = alpn;
  }

  /**
   * Performs the handshake of a connection, which is not closed if it fails.
   *
   * @throws Whatever it failed by.
   */
  async handshake(conn: SocketConn): Promise<TlsSocket> {
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
    const below = new CiphertextStream(conn);
    const socket = new PlaintextSocket(below as unknown as Duplex, {
      isServer: true,
      secureContext: this.#context,
      ALPNProtocols: [...this.#alpn],
    });
    const secure = new TlsSocket(conn, below, socket);
    await secure.handshake();
    secure.alpnProtocol = socket.alpnProtocol || null;
    secure.tls = tlsParameters(
      this.#serverCert,
      socket.getProtocol(),
      socket.getCipher().standardName,
    );
    return secure;
  }
}

/** A `TLSSocket` that hands over what it has decrypted, and keeps nothing. */
class PlaintextSocket extends TLSSocket {
  /** Plaintext that was not read so far. */
  readonly plaintext: Uint8Array[] = [];
  /** Whether the peer sends nothing any more. */
  ended = false;

  /** Called with all that is decrypted, while ciphertext is fed. */
  override push(chunk: Uint8Array | null): boolean {
    if (chunk === null) this.ended = true;
    else this.plaintext.push(chunk);
    return true;
  }
}

/** A connection over TLS. */
export class TlsSocket implements SocketConn {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  /** What the handshake has agreed on, once it has. */
  tls: TlsParameters | undefined;
  /** The protocol that ALPN has chosen; `null` if the client has offered none. */
  alpnProtocol: string | null = null;

  readonly #conn: SocketConn;
  readonly #below: CiphertextStream;
  readonly #socket: PlaintextSocket;
  /** Whether the last read gave a part of a record, and there may be more. */
  #partial = false;
  #failure: { readonly error: unknown } | undefined;

  /** `socket` writes its ciphertext to `below`, and that to `conn`. */
  constructor(
    conn: SocketConn,
    below: CiphertextStream,
    socket: PlaintextSocket,
  ) {
    this.#conn = conn;
    this.#below = below;
    this.#socket = socket;
    this.remoteAddr = conn.remoteAddr;
    this.localAddr = conn.localAddr;
    const fail = (error: unknown): void => void (this.#failure ??= { error });
    socket.on("error", fail);
    // After the handshake, errors come by this name.
    socket.on("_tlsError", fail);
  }

  /** Performs the handshake. */
  async handshake(): Promise<void> {
    let done = false;
    this.#socket.once("secure", () => done = true);
    try {
      const buffer = new Uint8Array(HANDSHAKE_READ_BYTES);
      while (!done) await this.#readHandshake(buffer);
    } catch (error) {
      this.#socket.destroy();
      throw error;
    }
  }

  async #readHandshake(buffer: Uint8Array): Promise<void> {
    const length = await this.#conn.read(buffer);
    if (length === null) {
      throw new Deno.errors.UnexpectedEof("The client ended the handshake");
    }
    this.#below.feed(buffer.subarray(0, length));
    if (!this.#socket.destroyed) return;
    // The reason is reported, and an alert that names it is sent.
    await new Promise((resolve) => setImmediate(resolve));
    throw this.#failure?.error;
  }

  // Idle connections wait here; an async function would keep its frame in memory.
  read(into: Uint8Array): Promise<number | null> {
    const { plaintext, ended } = this.#socket;
    if (plaintext.length > 0) return Promise.resolve(this.#take(into));
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (ended) return Promise.resolve(null);
    // Ciphertext is copied at once, so that it can be read into `into`.
    const buffer = this.#partial && into.length < RECORD_BYTES
      ? takeBuffer()
      : into;
    return this.#conn.read(buffer).then((length) => {
      if (length === null) this.#socket.ended = true;
      else this.#below.feed(buffer.subarray(0, length));
      if (buffer !== into) giveBack(buffer);
      const whole = plaintext.length > 0;
      this.#partial = !whole && length === buffer.length;
      return whole ? this.#take(into) : this.read(into);
    });
  }

  #take(into: Uint8Array): number {
    const { plaintext } = this.#socket;
    const chunk = plaintext[0];
    if (chunk.length > into.length) {
      into.set(chunk.subarray(0, into.length));
      plaintext[0] = chunk.subarray(into.length);
      return into.length;
    }
    into.set(chunk);
    plaintext.shift();
    return chunk.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    const piece = bytes.subarray(0, MAX_WRITE_BYTES);
    this.#socket.write(piece);
    return this.#below.flush(piece.length).then(() => piece.length);
  }

  async closeWrite(): Promise<void> {
    this.#socket.end();
    await this.#below.flush(CLOSE_NOTIFY_BYTES);
    await this.#conn.closeWrite();
  }

  [Symbol.dispose](): void {
    this.#socket.end();
    this.#below.giveRoom();
    // The end of TLS is written in the microtask before, unless a write is pending.
    queueMicrotask(() => {
      const reason = new Deno.errors.Interrupted("The connection was closed");
      this.#below.close(reason);
      this.#socket.destroy();
      this.#conn[Symbol.dispose]();
    });
  }
}

/** Buffers for whole records, which all connections share. */
const spareBuffers: Uint8Array[] = [];

function takeBuffer(): Uint8Array {
  return spareBuffers.pop() ?? new Uint8Array(RECORD_BYTES);
}

function giveBack(buffer: Uint8Array): void {
  if (spareBuffers.length < MAX_SPARE_BUFFERS) spareBuffers.push(buffer);
}
