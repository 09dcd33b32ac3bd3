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

import type { ConnectionInfo } from "../asgi/http_scope.ts";
import type { HostPort, TlsExtension } from "../asgi/types.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { ServedConnection } from "../http/served_connection.ts";
import { Http1Connection } from "../http1/connection.ts";
import type { Counts } from "../metrics/counts.ts";
import { type AcceptedConn, delay } from "../net/accept_loop.ts";
import { Connection, type SocketConn } from "../net/connection.ts";
import type { DeadlineClock } from "../net/deadlines.ts";
import type { Listener } from "../net/listener.ts";
import { plainAddress, type ServerAddress } from "../net/listener_address.ts";
import { Handshake, type PerformHandshake } from "../net/handshake.ts";
import type { TlsParameters } from "../net/tls_parameters.ts";
import { readProxyHeader } from "../net/proxy_protocol.ts";
import type { ResolvedOptions } from "./options.ts";
import { evictOne, evictSome } from "./room.ts";

/** So many connections may come to use up the descriptors. */
const MANY = 16;
/** So many make room when the process has no descriptor left. */
const SHED_AT_ONCE = 16;

/** What connections need of their server. */
export interface ConnectionsHost {
  /** Answers their requests. */
  readonly dispatcher: Dispatcher;
  /** Makes their deadlines. */
  readonly clock: DeadlineClock;
  /** Counts them, if anybody wants to know. */
  readonly counts?: Counts | undefined;
  /** Told why a connection was lost. */
  onLost(error: unknown): void;
}

/** The open connections of a server. */
export class Connections {
  readonly #options: ResolvedOptions;
  readonly #host: ConnectionsHost;
  readonly #counts: Counts | undefined;
  /** The handshakes that may become connections are among them. */
  readonly #connections = new Set<Handshake | ServedConnection>();
  #stopping = false;
  #aborted = false;
  #change: Promise<void> | undefined;
  #onChange: () => void = () => {};

  /** Starts with none. */
  constructor(options: ResolvedOptions, host: ConnectionsHost) {
    this.#options = options;
    this.#host = host;
    this.#counts = host.counts;
  }

  /**
   * Those that are served as HTTP, and those that WebSockets have taken over; a
   * WebSocket in a stream of a connection is not counted besides it.
   */
  get #open(): number {
    return this.#connections.size + this.#host.dispatcher.unattachedWebSockets;
  }

  /** Takes a connection over; resolves as soon as it is to be served. */
  async accept(conn: AcceptedConn, listener: Listener): Promise<void> {
    await this.#waitForRoom();
    if (this.#aborted) conn[Symbol.dispose]();
    else this.#serve(conn, listener);
    if (this.#open >= MANY) await this.#host.dispatcher.load();
  }

  /** Lets each connection come to its end. */
  shutdown(): void {
    this.#stopping = true;
    for (const connection of this.#connections) connection.shutdown();
    this.changed();
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
    for (const connection of this.#connections) connection.abort();
    this.#host.dispatcher.abort();
    this.changed();
  }

  /**
   * Waits until no connection is open, and no application runs on behind its
   * response; for those, not once all was aborted.
   */
  async finish(): Promise<void> {
    const { dispatcher } = this.#host;
    while (this.#open > 0 || !this.#aborted && dispatcher.running > 0) {
      await this.#nextChange();
    }
  }

  /** To be called whenever an application has returned. */
  changed(): void {
    this.#change = undefined;
    this.#onChange();
  }

  // Idle connections wait below this: no async function holds its frame for one.
  #serve(conn: AcceptedConn, listener: Listener): void {
    if (this.#counts !== undefined) {
      this.#counts.connectionsAccepted++;
      this.#counts.connectionsOpen++;
    }
    const perform = handshakeOf(conn, listener);
    if (perform === undefined) this.#run(conn, listener);
    else this.#shakeHands(conn, perform, listener);
  }

  #shakeHands(
    conn: AcceptedConn,
    perform: PerformHandshake,
    listener: Listener,
  ): void {
    const { clock } = this.#host;
    const { handshakeTimeout: timeoutMs } = this.#options;
    const handshake = new Handshake(conn, { clock, timeoutMs });
    this.#connections.add(handshake);
    handshake.run(perform).then(
      (ready) => {
        this.#connections.delete(handshake);
        this.#run(ready, listener);
      },
      (error) => this.#handshakeFailed(handshake, listener, error),
    );
    if (this.#stopping) handshake.shutdown();
  }

  #handshakeFailed(
    handshake: Handshake,
    { secure }: Listener,
    error: unknown,
  ): void {
    if (this.#counts !== undefined) {
      if (secure) this.#counts.tlsFailures++;
      else this.#counts.proxyHeaderFailures++;
    }
    this.#ended(handshake, error);
  }

  #run(conn: SocketConn, listener: Listener): void {
    const connection = this.#connect(conn, listener);
    this.#connections.add(connection);
    connection.run().then(
      () => this.#ended(connection),
      (error) => this.#ended(connection, error),
    );
    if (this.#aborted) connection.abort();
    else if (this.#stopping) connection.shutdown();
  }

  #ended(connection: Handshake | ServedConnection, error?: unknown): void {
    this.#connections.delete(connection);
    if (error !== undefined) this.#host.onLost(error);
    if (this.#counts !== undefined) this.#counts.connectionsOpen--;
    this.changed();
  }

  #connect(conn: SocketConn, { address }: Listener): ServedConnection {
    const { dispatcher, clock } = this.#host;
    const { writeTimeout } = this.#options;
    const meter = this.#counts;
    const transport = new Connection(conn, { writeTimeout, clock, meter });
    const info = connectionInfo(transport, address);
    const connection = new Http1Connection(
      transport,
      (exchange) => dispatcher.dispatch(exchange, info),
      this.#options,
    );
    connection.onIdle = () => this.changed();
    connection.onRefused = (refused) => dispatcher.recordRefused(refused, info);
    return connection;
  }

  /** Past `maxConnections`, one that holds no request makes room. */
  async #waitForRoom(): Promise<void> {
    while (this.#open >= this.#options.maxConnections && !this.#aborted) {
      await this.#changeWithin(evictOne(this.#connections));
    }
  }

  /** Waits for the next change, or until one can be evicted. */
  async #changeWithin(ms: number): Promise<void> {
    const changed = this.#nextChange();
    // One that is evicted reports its end.
    if (ms === 0 || ms === Infinity) return await changed;
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

function connectionInfo(
  { remoteAddr, localAddr, tls }: Connection,
  listener: ServerAddress,
): ConnectionInfo {
  const secure = listener.transport === "tcp" && listener.secure;
  return {
    scheme: secure ? "https" : "http",
    client: hostPort(remoteAddr),
    server: hostPort(localAddr) ?? unixPath(localAddr),
    tls: tls && tlsExtension(tls),
  };
}

/** Clients are not asked for certificates. */
function tlsExtension(
  { serverCert, version, cipherSuite }: TlsParameters,
): TlsExtension {
  return Object.freeze({
    server_cert: serverCert,
    client_cert_chain: Object.freeze([]),
    client_cert_name: null,
    client_cert_error: null,
    tls_version: version,
    cipher_suite: cipherSuite,
  });
}

/** Behind a proxy, it may be the path of a socket even on a TCP listener. */
function unixPath(address: Connection["localAddr"]): [string, null] | null {
  return "path" in address ? [address.path, null] : null;
}

function hostPort(address: Connection["remoteAddr"]): HostPort | null {
  if (!("hostname" in address)) return null;
  return [plainAddress(address.hostname), address.port];
}
