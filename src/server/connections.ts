/**
 * The open connections of a server: from the handshake of one that was accepted
 * to its end, with a limit on how many there are.
 *
 * At a shutdown, each ends after its response. One that is idle is given a moment
 * for a request, because the client may have sent it already, and one that has
 * just come another moment for its handshake.
 *
 * @module
 */

import type {
  ServedConnection,
  UpgradedConnection,
} from "../http/served_connection.ts";
import type { Counts } from "../metrics/counts.ts";
import { type AcceptedConn, delay } from "../net/accept_loop.ts";
import type { SocketConn } from "../net/connection.ts";
import type { DeadlineClock } from "../net/deadlines.ts";
import { Handshake, type PerformHandshake } from "../net/handshake.ts";
import type { Listener } from "../net/listener.ts";
import { readProxyHeader } from "../net/proxy_protocol.ts";
import { handled } from "../streams/handled.ts";
import { AgeList } from "./age_list.ts";
import type { ResolvedOptions } from "./options.ts";
import { evictOne, evictSome } from "./room.ts";

/** So many make room when the process has no descriptor left. */
const SHED_AT_ONCE = 16;
/** One that is evicted has so long to end before another one must make room. */
const EVICTION_MS = 100;

/** Makes connections. */
export interface ConnectionMaker {
  /** Loads what a connection needs whose handshake has said what it speaks. */
  prepare(conn: SocketConn): Promise<void> | undefined;
  /** Makes the connection that serves what was accepted by `listener`. */
  connect(conn: SocketConn, listener: Listener): ServedConnection;
}

/** What connections work with, and report to. */
export interface ConnectionsOptions {
  /** The limits. */
  readonly options: Pick<
    ResolvedOptions,
    "handshakeTimeout" | "maxConnections"
  >;
  /** Makes the deadlines of handshakes. */
  readonly clock: DeadlineClock;
  /** Counts connections, if anybody wants to know. */
  readonly counts?: Counts | undefined;
  /** Called with what a connection was lost by. */
  onLost(error: unknown): void;
}

/** The open connections of a server. */
export class Connections {
  readonly #maker: ConnectionMaker;
  readonly #given: ConnectionsOptions;
  readonly #counts: Counts | undefined;
  /** The handshakes that may become connections are among them. */
  readonly #connections = new AgeList<Handshake | ServedConnection>();
  /** Those that have left HTTP. */
  readonly #upgraded = new AgeList<UpgradedConnection>();
  /** What is kept for handshakes of QUIC. */
  #reserved = 0;
  #stopping = false;
  #aborted = false;
  #change: Promise<void> | undefined;
  #onChange: () => void = () => {};

  /** Starts with none. */
  constructor(maker: ConnectionMaker, given: ConnectionsOptions) {
    this.#maker = maker;
    this.#given = given;
    this.#counts = given.counts;
  }

  /** How many there are; a WebSocket in a stream of one is not counted besides it. */
  get open(): number {
    return this.#connections.size + this.#upgraded.size;
  }

  /** Takes a connection over; resolves as soon as it is to be served. */
  async accept(conn: AcceptedConn, listener: Listener): Promise<void> {
    // Several may wait: who finds room takes it before another one can look.
    while (this.#isFull && !this.#aborted) {
      await this.#changeWithin(evictOne(this.#connections) || EVICTION_MS);
    }
    if (this.#aborted) conn[Symbol.dispose]();
    else this.#serve(conn, listener);
  }

  /**
   * Keeps room for a connection of QUIC, whose handshake must not wait: past
   * `maxConnections`, one that holds no request makes room at once, or none does.
   * What was kept, `release()` gives back. It is kept from others of QUIC only,
   * because handshakes may be forged, and can't be cut.
   */
  async reserve(): Promise<boolean> {
    if (this.#isFull) {
      if (evictOne(this.#connections) > 0) return false;
      await this.#changeWithin(EVICTION_MS);
    }
    const { maxConnections } = this.#given.options;
    if (this.#aborted || this.open + this.#reserved >= maxConnections) {
      return false;
    }
    this.#reserved++;
    return true;
  }

  /** Gives back what was kept for a connection, which is open or has failed. */
  release(): void {
    this.#reserved--;
  }

  /**
   * Serves a connection after its handshake, unless others have taken the room
   * meanwhile.
   */
  serve(connection: ServedConnection): void {
    if (this.#isFull) return connection.abort();
    this.#countAccepted();
    this.#follow(connection);
  }

  /** A handshake of QUIC has failed. */
  handshakeFailed(error: unknown): void {
    if (this.#counts !== undefined) this.#counts.tlsFailures++;
    this.#given.onLost(error);
  }

  /** Lets each connection come to its end. */
  shutdown(): void {
    this.#stopping = true;
    for (const connection of [...this.#connections]) connection.shutdown();
  }

  /**
   * Closes some connections without a request, because the process has no
   * descriptor left: not for the next connection, nor for its application.
   */
  shed(): void {
    evictSome(this.#connections, SHED_AT_ONCE);
  }

  /** Closes all connections at once. */
  abort(): void {
    this.#aborted = true;
    const open = [...this.#connections, ...this.#upgraded];
    for (const connection of open) connection.abort();
    this.#changed();
  }

  /** Waits until no connection is open. */
  async finish(): Promise<void> {
    while (this.open > 0) await this.#nextChange();
  }

  readonly #changed = (): void => {
    this.#change = undefined;
    this.#onChange();
  };

  // Idle connections wait below this: no async function holds its frame for one.
  #serve(conn: AcceptedConn, listener: Listener): void {
    this.#countAccepted();
    const perform = handshakeOf(conn, listener);
    if (perform === undefined) this.#run(conn, listener);
    else this.#shakeHands(conn, perform, listener);
  }

  #countAccepted(): void {
    if (this.#counts === undefined) return;
    this.#counts.connectionsAccepted++;
    this.#counts.connectionsOpen++;
  }

  #shakeHands(
    conn: AcceptedConn,
    perform: PerformHandshake,
    listener: Listener,
  ): void {
    const { clock, options } = this.#given;
    const { handshakeTimeout: timeoutMs } = options;
    const handshake = new Handshake(conn, { clock, timeoutMs });
    const place = this.#connections.add(handshake);
    handshake.run(this.#prepared(perform)).then(
      (ready) => {
        this.#connections.remove(place);
        this.#run(ready, listener);
      },
      (error) => {
        this.#connections.remove(place);
        this.#handshakeFailed(listener, error);
      },
    );
    if (this.#stopping) handshake.shutdown();
  }

  /** The deadline of the handshake holds until the connection can be served. */
  #prepared(perform: PerformHandshake): PerformHandshake {
    return async (conn) => {
      const ready = await perform(conn);
      await this.#maker.prepare(ready);
      return ready;
    };
  }

  #handshakeFailed({ secure }: Listener, error: unknown): void {
    if (this.#counts !== undefined) {
      if (secure) this.#counts.tlsFailures++;
      else this.#counts.proxyHeaderFailures++;
    }
    this.#ended(error);
  }

  #run(conn: SocketConn, listener: Listener): void {
    this.#follow(this.#maker.connect(conn, listener));
  }

  #follow(connection: ServedConnection): void {
    // Without a limit, nobody waits for one that can be evicted.
    if (this.#given.options.maxConnections !== Infinity) {
      connection.onIdle = this.#changed;
    }
    const place = this.#connections.add(connection);
    connection.run().then(
      (successor) => {
        this.#connections.remove(place);
        if (successor === undefined) this.#ended();
        else if ("run" in successor) this.#follow(successor);
        else this.#hold(successor);
      },
      (error) => {
        this.#connections.remove(place);
        this.#ended(error);
      },
    );
    if (this.#aborted) connection.abort();
    else if (this.#stopping) connection.shutdown();
  }

  #hold(upgraded: UpgradedConnection): void {
    const place = this.#upgraded.add(upgraded);
    // It never rejects.
    handled(upgraded.closed.then(() => {
      this.#upgraded.remove(place);
      this.#ended();
    }));
    if (this.#aborted) upgraded.abort();
  }

  /** One has ended, and was removed; what has taken one over is counted as it. */
  #ended(error?: unknown): void {
    if (error !== undefined) this.#given.onLost(error);
    if (this.#counts !== undefined) this.#counts.connectionsOpen--;
    this.#changed();
  }

  /** Whether one that holds no request must make room for the next. */
  get #isFull(): boolean {
    return this.open >= this.#given.options.maxConnections;
  }

  /** Waits for the next change, or until one can be evicted. */
  async #changeWithin(ms: number): Promise<void> {
    const changed = this.#nextChange();
    if (ms === Infinity) return await changed;
    const over = new AbortController();
    try {
      await Promise.race([changed, delay(ms, over.signal)]);
    } finally {
      over.abort();
    }
  }

  #nextChange(): Promise<void> {
    return this.#change ??= new Promise((resolve) => this.#onChange = resolve);
  }
}

/** What a connection begins with before its first request. */
function handshakeOf(
  { remoteAddr }: AcceptedConn,
  listener: Listener,
): PerformHandshake | undefined {
  const host = "hostname" in remoteAddr ? remoteAddr.hostname : null;
  const proxied = listener.proxies?.has(host);
  if (!listener.secure) return proxied ? readProxyHeader : undefined;
  if (!proxied) return (conn) => listener.handshake(conn);
  return async (conn) => listener.handshake(await readProxyHeader(conn));
}
