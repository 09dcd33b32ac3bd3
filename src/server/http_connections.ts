/**
 * From a socket to a connection that speaks HTTP, whose requests go to the
 * dispatcher. Which version it speaks, the client decides: over TLS by ALPN, in
 * clear text by its first bytes.
 *
 * HTTP/2 is loaded when the first client speaks it: a server that starts need not
 * wait for it.
 *
 * @module
 */

import type {
  RefusedBytes,
  ServedConnection,
} from "../http/served_connection.ts";
import { Http1Connection } from "../http1/connection.ts";
import type { Http2Connection } from "../http2/connection.ts";
import type { LogRecord } from "../logs/records.ts";
import type { Counts } from "../metrics/counts.ts";
import {
  Connection,
  type ConnectionOptions,
  type SocketConn,
} from "../net/connection.ts";
import type { Listener } from "../net/listener.ts";
import type { ByteReader } from "../streams/byte_reader.ts";
import type { ConnectionInfo } from "../asgi/http_scope.ts";
import { connectionInfo } from "./connection_info.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { ALPN_HTTP2 } from "./listen_options.ts";
import type { ResolvedOptions } from "./options.ts";

/** What the connections of a server have in common. */
export interface HttpConnectionsOptions
  extends Pick<ConnectionOptions, "clock"> {
  /** Limits, deadlines, and defaults. */
  readonly options: ResolvedOptions;
  /** Counts bytes and streams, if anybody wants to know. */
  readonly counts?: Counts | undefined;
  /** Called with what goes wrong. */
  log(record: LogRecord): void;
}

/** Options, one of which changes at a shutdown. */
type Advertising = ResolvedOptions & { altSvc?: string | undefined };

/** How long clients keep what the Alt-Svc field has said: a day. */
const ALT_SVC_SECONDS = 86_400;

/** Makes the connections of a server, whose requests a dispatcher answers. */
export class HttpConnections {
  readonly #dispatcher: Dispatcher;
  readonly #given: HttpConnectionsOptions;
  /** Loaded when it is needed. */
  #Http2Connection: typeof Http2Connection | undefined;
  #loaded: Promise<void> | undefined;
  /** The options of connections whose responses make HTTP/3 known. */
  readonly #advertising = new Map<Listener, Advertising>();

  /** `dispatcher` answers the requests of all of them. */
  constructor(dispatcher: Dispatcher, given: HttpConnectionsOptions) {
    this.#dispatcher = dispatcher;
    this.#given = given;
  }

  /**
   * Loads what would be loaded when a client asks for it. To be called while there
   * are descriptors: without, Deno can load nothing, now or later.
   */
  load(): Promise<void> | undefined {
    const { options, log } = this.#given;
    if (!options.http2) return undefined;
    return this.#loaded ??= this.#loadHttp2().catch((error) =>
      log({ level: "error", message: "Cannot load HTTP/2", error })
    );
  }

  /** Loads what a connection needs whose handshake has said what it speaks. */
  prepare({ alpnProtocol }: SocketConn): Promise<void> | undefined {
    const isMissing = this.#Http2Connection === undefined;
    return alpnProtocol === ALPN_HTTP2 && isMissing
      ? this.#loadHttp2()
      : undefined;
  }

  /** Makes the connection that serves what was accepted by `listener`. */
  connect(conn: SocketConn, listener: Listener): ServedConnection {
    const { clock, counts: meter } = this.#given;
    const { address, secure } = listener;
    const options = this.#optionsFor(listener);
    const { writeTimeout } = options;
    const transport = new Connection(conn, { writeTimeout, clock, meter });
    const info = connectionInfo(transport, address);
    if (transport.alpnProtocol === ALPN_HTTP2) {
      return this.#createHttp2(transport, info, options);
    }
    const connection = new Http1Connection(
      transport,
      (exchange) => this.#dispatcher.dispatch(exchange, info),
      options,
    );
    // V8 takes a function that is assigned where it is written for a lasting one:
    // it would keep the connection in memory until the next mark-compact.
    const onRefused = (refused: RefusedBytes) =>
      this.#dispatcher.recordRefused(refused, info, "1.1");
    const onPreface = (reader: ByteReader) =>
      this.#takeOver(transport, info, reader);
    connection.onRefused = onRefused;
    if (options.http2 && !secure) connection.onPreface = onPreface;
    return connection;
  }

  /** Responses make HTTP/3 known no more. */
  stopAdvertising(): void {
    for (const options of this.#advertising.values()) {
      options.altSvc = undefined;
    }
  }

  #optionsFor(listener: Listener): Advertising {
    const { options } = this.#given;
    if (listener.http3 === undefined) return options;
    const known = this.#advertising.get(listener);
    if (known !== undefined) return known;
    const advertising = { ...options, altSvc: altSvcOf(listener) };
    this.#advertising.set(listener, advertising);
    return advertising;
  }

  /** A client has begun to speak HTTP/2 in clear text. */
  #takeOver(
    transport: Connection,
    info: ConnectionInfo,
    reader: ByteReader,
  ): ServedConnection | Promise<ServedConnection> {
    const { options } = this.#given;
    if (this.#Http2Connection !== undefined) {
      return this.#createHttp2(transport, info, options, reader);
    }
    return this.#loadHttp2()
      .then(() => this.#createHttp2(transport, info, options, reader));
  }

  #createHttp2(
    transport: Connection,
    info: ConnectionInfo,
    options: ResolvedOptions,
    reader?: ByteReader,
  ): ServedConnection {
    const connection = new this.#Http2Connection!(
      transport,
      (exchange) => this.#dispatcher.dispatch(exchange, info),
      options,
      reader,
    );
    connection.meter = this.#given.counts;
    const onRefused = (refused: RefusedBytes) =>
      this.#dispatcher.recordRefused(refused, info, "2");
    connection.onRefused = onRefused;
    return connection;
  }

  async #loadHttp2(): Promise<void> {
    const { Http2Connection } = await import("../http2/connection.ts");
    this.#Http2Connection = Http2Connection;
  }
}

/** Over plain HTTP, nothing is made known: a listener with HTTP/3 speaks TLS. */
function altSvcOf({ address, http3 }: Listener): string | undefined {
  if (http3 === undefined || !("port" in address)) return undefined;
  const { altSvc = `h3=":${address.port}"; ma=${ALT_SVC_SECONDS}` } = http3;
  return altSvc ?? undefined;
}
