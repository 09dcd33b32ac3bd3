/**
 * How a listener for TLS serves QUIC on the UDP port of the same number.
 *
 * @module
 */

/** What is served there, and how it is made known. */
export interface QuicSettings {
  /**
   * The value of `alt-svc` in the responses over TCP, by which clients learn of
   * it; `undefined` where that is said in terms of the port, `null` for none.
   */
  readonly altSvc: string | null | undefined;
  /** Streams in both directions that a client may have open at once. */
  readonly maxConcurrentStreams: number;
  /** Handshakes under way; past it, clients get no answer. */
  readonly maxPendingHandshakes: number;
}
