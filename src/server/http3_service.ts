/**
 * HTTP/3 of a server: accepts QUIC connections beside the listeners that ask for
 * it, and serves them with all others. It is loaded only where one does.
 *
 * At a shutdown, who comes is refused, and each connection lets its client know
 * (GOAWAY) and ends with its last request; the endpoints are closed last of all,
 * because no packet leaves the process any more after that.
 *
 * @module
 */

import { Http3Connection } from "../http3/connection.ts";
import type { ServedConnection } from "../http/served_connection.ts";
import type { Counts } from "../metrics/counts.ts";
import { delay } from "../net/accept_loop.ts";
import type { DeadlineClock } from "../net/deadlines.ts";
import type { Listener } from "../net/listener.ts";
import type { QuicListener } from "../net/quic.ts";
import type { QuicConnection } from "../net/quic_connection.ts";
import { connectionInfo } from "./connection_info.ts";
import type { Connections } from "./connections.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { ResolvedOptions } from "./options.ts";

/** The name of HTTP/3 over QUIC. */
const ALPN_HTTP3 = "h3";
/** H3_NO_ERROR (RFC 9114, section 8.1). */
const NO_ERROR = 0x100;
/**
 * Without a packet for so long, a connection is lost. Idle ones are closed
 * before, after `keepAliveTimeout`; this is for clients that have vanished.
 */
const IDLE_TIMEOUT_MS = 75_000;
/** What a closed endpoint may take to send what says so. */
const CLOSING_MS = 50;
const NEVER = new AbortController().signal;

/** What HTTP/3 works with. */
export interface Http3ServiceOptions {
  /** Limits, deadlines, and defaults. */
  readonly options: ResolvedOptions;
  /** Counts connections and bytes, if anybody wants to know. */
  readonly counts?: Counts | undefined;
  /** The clock of all deadlines. */
  readonly clock: DeadlineClock;
  /** Answers requests. */
  readonly dispatcher: Pick<Dispatcher, "dispatch" | "recordRefused">;
  /** Holds the connections of all versions of HTTP. */
  readonly connections: Pick<
    Connections,
    "reserve" | "release" | "serve" | "handshakeFailed"
  >;
}

/** A listener, and what accepts QUIC beside it. */
interface Opened {
  readonly listener: Listener;
  readonly quic: QuicListener;
}

/** Serves HTTP/3 beside some listeners. */
export class Http3Service {
  readonly #given: Http3ServiceOptions;
  readonly #opened: Opened[] = [];
  #refusing = false;

  /** Starts with no listener. */
  constructor(given: Http3ServiceOptions) {
    this.#given = given;
  }

  /** Lets clients connect beside a listener that serves HTTP/3. */
  async open(listener: Listener): Promise<void> {
    const { clock, counts: meter } = this.#given;
    const quic = await listener.openQuic({
      alpn: [ALPN_HTTP3],
      idleTimeout: IDLE_TIMEOUT_MS,
      clock,
      meter,
    });
    if (quic === undefined) return;
    if (this.#refusing) quic.refuse();
    this.#opened.push({ listener, quic });
  }

  /** Accepts; each promise is that of an endpoint, and ends with it. */
  run(): Promise<void>[] {
    const { connections } = this.#given;
    return this.#opened.map(({ listener, quic }) =>
      quic.run({
        reserve: () => connections.reserve(),
        release: () => connections.release(),
        onConnection: (conn) => connections.serve(this.connect(conn, listener)),
        onHandshakeFailed: (error) => connections.handshakeFailed(error),
      })
    );
  }

  /** Refuses who comes from now on. */
  refuse(): void {
    this.#refusing = true;
    for (const { quic } of this.#opened) quic.refuse();
  }

  /** Closes what is left; resolves when clients have been sent word of it. */
  async close(): Promise<void> {
    for (const { quic } of this.#opened) quic.close(NO_ERROR);
    if (this.#opened.length > 0) await delay(CLOSING_MS, NEVER);
  }

  /** Makes the connection that serves what was accepted beside `listener`. */
  connect(
    conn: QuicConnection,
    { address, http3 }: Pick<Listener, "address" | "http3">,
  ): ServedConnection {
    const { options, counts, dispatcher } = this.#given;
    const { maxConcurrentStreams } = http3!;
    // The client's address may have changed since its last request.
    const info = () => connectionInfo(addressesOf(conn), address);
    const connection = new Http3Connection(
      conn,
      (exchange) => dispatcher.dispatch(exchange, info()),
      { ...options, maxConcurrentStreams },
    );
    connection.meter = counts;
    connection.onRefused = (refused) =>
      dispatcher.recordRefused(refused, info(), "3");
    return connection;
  }
}

function addressesOf(
  { localAddr, remoteAddr }: QuicConnection,
): Parameters<typeof connectionInfo>[0] {
  return { localAddr, remoteAddr, tls: undefined };
}
