/**
 * Listens for QUIC connections on an endpoint that is bound: this module and that
 * of their connections alone know Deno's QUIC, which is unstable.
 *
 * - Handshakes run beside each other: the loop that accepts does not wait for
 *   one, and those that fail, which any client can bring about, are reported.
 *   Past a number of them, new clients get no answer: a handshake that its client
 *   does not complete can't be cut, and its address may be forged.
 * - A new certificate is a new listener of the same endpoint. The old one is kept:
 *   when it is garbage, Deno stops the whole endpoint (2.9).
 * - An endpoint can't be unreferenced: it keeps the process alive.
 *
 * @module
 */

import { giveWay } from "../streams/fair_share.ts";
import { handled } from "../streams/handled.ts";
import type { CertifiedKey } from "./certified_key.ts";
import {
  QuicConnection,
  type QuicConnectionOptions,
} from "./quic_connection.ts";

/**
 * Streams of a client in its own direction: the three of HTTP/3, and some that
 * nobody knows, which are no error.
 */
const UNIDIRECTIONAL_STREAMS = 8;

/** How connections are accepted, and what they may do. */
export interface QuicListenerOptions extends QuicConnectionOptions {
  /** The protocols to offer. */
  readonly alpn: readonly string[];
  /** Streams in both directions that a client may have open at once. */
  readonly maxConcurrentStreams: number;
  /** Handshakes under way; past it, clients get no answer. */
  readonly maxPendingHandshakes: number;
  /** Without a packet, in milliseconds; past it, the connection is lost. */
  readonly idleTimeout: number;
}

/** What is done with what is accepted. */
export interface QuicEvents {
  /** Keeps room for one more connection, if there is any; else it is refused. */
  reserve(): boolean | Promise<boolean>;
  /** What was reserved is a connection now, or not needed any more. */
  release(): void;
  /** A handshake is complete. */
  onConnection(connection: QuicConnection): void;
  /** A handshake has failed. */
  onHandshakeFailed(error: unknown): void;
}

/** Accepts the QUIC connections of an endpoint. */
export class QuicListener {
  readonly #endpoint: Deno.QuicEndpoint;
  readonly #options: QuicListenerOptions;
  /** All that there have been. */
  readonly #listeners: Deno.QuicListener[] = [];
  readonly #lost = Promise.withResolvers<void>();
  #events: QuicEvents | undefined;
  /** Handshakes under way. */
  #pending = 0;
  #refusing = false;
  #closed = false;

  /** Takes `endpoint` over; clients can connect from now on. */
  constructor(
    endpoint: Deno.QuicEndpoint,
    certifiedKey: CertifiedKey,
    options: QuicListenerOptions,
  ) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#listen(certifiedKey);
  }

  /**
   * Accepts connections until it is closed.
   *
   * @throws If the endpoint is lost.
   */
  run(events: QuicEvents): Promise<void> {
    this.#events = events;
    for (const listener of this.#listeners) handled(this.#accept(listener));
    return this.#lost.promise;
  }

  /** Later handshakes use another certificate. */
  reload(certifiedKey: CertifiedKey): void {
    const listener = this.#listen(certifiedKey);
    if (this.#events !== undefined) handled(this.#accept(listener));
  }

  /**
   * Refuses who comes from now on, so that clients need not wait to learn it;
   * open connections go on.
   */
  refuse(): void {
    this.#refusing = true;
  }

  /**
   * Closes all connections with a code of the application, and the endpoint.
   * A process that ends at once does not send that: some 20 ms are enough.
   */
  close(closeCode: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#endpoint.close({ closeCode, reason: "" });
    this.#lost.resolve();
  }

  #listen({ cert, key }: CertifiedKey): Deno.QuicListener {
    const { alpn, idleTimeout, maxConcurrentStreams } = this.#options;
    const listener = this.#endpoint.listen({
      cert,
      key,
      alpnProtocols: [...alpn],
      maxIdleTimeout: idleTimeout,
      maxConcurrentBidirectionalStreams: maxConcurrentStreams,
      maxConcurrentUnidirectionalStreams: UNIDIRECTIONAL_STREAMS,
    });
    this.#listeners.push(listener);
    return listener;
  }

  /** Does not reject: a lost endpoint is reported by `run`. */
  async #accept(listener: Deno.QuicListener): Promise<void> {
    try {
      for (;;) {
        this.#admit(await listener.incoming());
        const share = giveWay(1);
        if (share !== undefined) await share;
      }
    } catch (error) {
      // The close of the endpoint ends the wait.
      if (!this.#closed) this.#lost.reject(error);
    }
  }

  // The address of an incoming is not asked for: Deno could not accept it then.
  #admit(incoming: Deno.QuicIncoming): void {
    if (this.#refusing) incoming.refuse();
    else if (this.#pending >= this.#options.maxPendingHandshakes) {
      incoming.ignore();
    } else handled(this.#handshake(incoming)); // It does not reject.
  }

  async #handshake(incoming: Deno.QuicIncoming): Promise<void> {
    const events = this.#events!;
    this.#pending++;
    try {
      if (await events.reserve()) await this.#complete(incoming, events);
      else incoming.refuse();
    } catch (error) {
      // It has ended with the endpoint meanwhile.
      if (!this.#closed) events.onHandshakeFailed(error);
    } finally {
      this.#pending--;
    }
  }

  async #complete(
    incoming: Deno.QuicIncoming,
    { onConnection, release }: QuicEvents,
  ): Promise<void> {
    try {
      // Requests that may be replays (0-RTT) wait for the end of the handshake.
      const conn = await incoming.accept<false>();
      onConnection(new QuicConnection(conn, this.#options));
    } finally {
      release();
    }
  }
}
