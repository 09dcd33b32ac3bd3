/**
 * `serve`: listens, accepts, runs each connection, and drains them at the end.
 *
 * @module
 */

import { type CycleContext, HttpCycle } from "./asgi/http_cycle.ts";
import {
  type ConnectionInfo,
  httpScope,
  webSocketScope,
} from "./asgi/http_scope.ts";
import { LifespanCycle, LifespanError } from "./asgi/lifespan_cycle.ts";
import { WebSocketCycle } from "./asgi/websocket_cycle.ts";
import { checkHandshake, type Handshake } from "./websocket/handshake.ts";
import { DEFAULT_WEBSOCKET_OPTIONS } from "./websocket/options.ts";
import {
  type UpgradeOptions,
  UpgradingWebSocket,
} from "./websocket_upgrade.ts";
import { respond } from "./asgi/helpers.ts";
import type {
  AsgiApp,
  HostPort,
  HttpScope,
  WebSocketScope,
} from "./asgi/types.ts";
import { Http1Connection } from "./http1/connection.ts";
import type { Http1Exchange } from "./http1/exchange.ts";
import { Connection } from "./net/connection.ts";
import { DeadlineClock } from "./net/deadlines.ts";
import { openFile } from "./net/file.ts";
import { acceptAll, delay, formatAddress, listen } from "./net/listener.ts";
import {
  type LogLevel,
  type LogRecord,
  type ResolvedOptions,
  resolveOptions,
  type ServeOptions,
  type ServerAddress,
} from "./options.ts";

/** How a server is shut down. */
export interface ShutdownOptions {
  /**
   * How long responses in flight may take, in milliseconds; then they are cut.
   * Default: the server's `shutdownTimeout`.
   */
  timeout?: number;
}

/** A server that is listening. */
export interface Server extends AsyncDisposable {
  /** Where the server listens. */
  readonly addr: ServerAddress;
  /** The URL of the server's root. */
  readonly url: string;
  /**
   * Resolves when the server has stopped, its last connection is closed, and
   * the application has stopped. It rejects with a {@linkcode LifespanError} if
   * the application fails to start or to stop.
   */
  readonly finished: Promise<void>;
  /**
   * Stops accepting, closes idle connections, lets responses in flight end
   * (with `connection: close`), and cuts what is left at the timeout.
   *
   * @returns When the server is finished.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
  /** Lets the server keep the process alive, as it does from the start. */
  ref(): void;
  /** Lets the process end although the server listens. */
  unref(): void;
}

/**
 * Serves an ASGI application over HTTP/1.1 and HTTP/1.0, and over WebSocket.
 *
 * It binds at once, and accepts once the application has started (ASGI
 * lifespan). If the application fails to start, or to stop, `finished` rejects
 * with a {@linkcode LifespanError}.
 *
 * @throws {TypeError | RangeError} If an option is wrong.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 *
 * @example
 * ```ts
 * import { respond, serve } from "jsr:@x/asgi";
 *
 * const server = serve(async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: `Hello from ${scope.path}` });
 * }, { port: 0 });
 * await server.shutdown();
 * ```
 */
export function serve(app: AsgiApp, options: ServeOptions = {}): Server {
  if (typeof app !== "function") {
    throw new TypeError(`Cannot serve: the app must be a function, not ${app}`);
  }
  return new AsgiServer(app, options);
}

/** Deadlines are checked this often, unless a shorter one asks for more. */
const MAX_TICK_MS = 500;
const MIN_TICK_MS = 5;

class AsgiServer implements Server {
  readonly addr: ServerAddress;
  readonly url: string;
  readonly finished: Promise<void>;

  readonly #app: AsgiApp;
  readonly #options: ResolvedOptions;
  readonly #log: (record: LogRecord) => void;
  readonly #listener: Deno.TcpListener;
  readonly #clock: DeadlineClock;
  readonly #lifespan: LifespanCycle;
  readonly #httpContext: CycleContext;
  readonly #webSocketContext: CycleContext;
  readonly #connections = new Set<Http1Connection>();
  readonly #stopping = new AbortController();
  readonly #webSocketOptions: UpgradeOptions;
  /** Calls of the application that have not returned, by protocol. */
  #requests = 0;
  #webSockets = 0;
  #aborted = false;
  #change: Promise<void> | undefined;
  #onChange: () => void = () => {};

  constructor(app: AsgiApp, options: ServeOptions) {
    this.#app = app;
    this.#options = resolveOptions(options);
    this.#log = options.log ?? logToStderr;
    this.#httpContext = this.#createContext(() => this.#requests--);
    this.#webSocketContext = this.#createContext(() => this.#webSockets--);
    this.#webSocketOptions = webSocketOptions(this.#options);
    this.#clock = new DeadlineClock(tickFor(this.#options));
    this.#listener = listen(this.#options);
    const { hostname, port } = this.#listener.addr;
    this.addr = { transport: "tcp", hostname, port };
    this.url = `http://${formatAddress(reachable(hostname), port)}/`;
    this.#lifespan = new LifespanCycle(
      app,
      this.#options.lifespan,
      this.#httpContext.onAppError,
    );
    this.finished = this.#run(options);
  }

  async shutdown({ timeout }: ShutdownOptions = {}): Promise<void> {
    const ms = timeout ?? this.#options.shutdownTimeout;
    this.#stop();
    const finished = new AbortController();
    this.#abortAfter(ms, finished.signal);
    try {
      await this.finished;
    } finally {
      finished.abort();
    }
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  // Life of the server.

  async #run({ onListen, signal }: ServeOptions): Promise<void> {
    const shutdown = (): void => void this.shutdown();
    signal?.addEventListener("abort", shutdown, { once: true });
    if (signal?.aborted) this.#stop();
    try {
      await this.#startup();
      if (onListen !== undefined) onListen(this.addr);
      else this.#say("info", `Listening on ${this.url}`);
      await this.#acceptAll();
      while (this.#connections.size > 0 || this.#appsToWaitFor > 0) {
        await this.#nextChange();
      }
      await this.#within(
        this.#options.shutdownTimeout,
        "stop",
        () => this.#lifespan.shutdown(),
      );
    } finally {
      signal?.removeEventListener("abort", shutdown);
      this.#stop();
    }
  }

  async #startup(): Promise<void> {
    await this.#within(
      this.#options.startupTimeout,
      "start",
      () => this.#lifespan.startup(),
    );
    const { thrown } = this.#lifespan;
    if (thrown === undefined) return;
    // Most throw because they know no such scope; but some have failed.
    this.#say("debug", "The application has no lifespan", thrown);
  }

  /** Waits for the application to start or stop, but not for ever. */
  async #within(
    ms: number,
    doing: "start" | "stop",
    wait: () => Promise<void>,
  ): Promise<void> {
    const done = new AbortController();
    const tooLate = delay(ms, done.signal).then(() => {
      if (done.signal.aborted) return;
      throw new LifespanError(
        `Cannot ${doing} application: it takes more than ${ms} ms`,
      );
    });
    try {
      await Promise.race([wait(), tooLate]);
    } finally {
      done.abort();
    }
  }

  #acceptAll(): Promise<void> {
    return acceptAll(this.#listener, {
      onConnection: (conn) => this.#accept(conn),
      onAcceptError: (error, retryMs) =>
        this.#say("warn", `Cannot accept, retry in ${retryMs} ms`, error),
    }, this.#stopping.signal);
  }

  /** Applications that run on behind their response; not once all was cut. */
  get #appsToWaitFor(): number {
    return this.#aborted ? 0 : this.#requests + this.#webSockets;
  }

  #stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#listener.close();
    for (const connection of this.#connections) connection.shutdown();
    this.#changed();
  }

  async #abortAfter(ms: number, finished: AbortSignal): Promise<void> {
    if (ms > 0) await delay(ms, finished);
    if (finished.aborted) return;
    this.#aborted = true;
    for (const connection of this.#connections) connection.abort();
    this.#changed();
  }

  // Connections.

  async #accept(conn: Deno.Conn): Promise<void> {
    await this.#waitForRoom();
    if (this.#stopping.signal.aborted) return conn[Symbol.dispose]();
    const { writeTimeout } = this.#options;
    const clock = this.#clock;
    const transport = new Connection(conn, { writeTimeout, clock });
    const info = connectionInfo(transport);
    const connection = new Http1Connection(
      transport,
      (exchange) => this.#handle(exchange, info),
      this.#options,
    );
    connection.onIdle = () => this.#changed();
    this.#connections.add(connection);
    this.#runConnection(connection);
  }

  async #runConnection(connection: Http1Connection): Promise<void> {
    try {
      await connection.run();
    } catch (error) {
      this.#say("debug", "Connection lost", error);
    } finally {
      this.#connections.delete(connection);
      this.#changed();
    }
  }

  /** Past `maxConnections`, the oldest connection that is idle makes room. */
  async #waitForRoom(): Promise<void> {
    while (this.#connections.size >= this.#options.maxConnections) {
      if (this.#stopping.signal.aborted) return;
      this.#connections.values().find(({ evictable }) => evictable)?.shutdown();
      await this.#nextChange();
    }
  }

  // Requests.

  async #handle(exchange: Http1Exchange, info: ConnectionInfo): Promise<void> {
    const handshake = exchange.request.upgrade
      ? checkHandshake(exchange.request)
      : undefined;
    if (handshake === undefined) await this.#handleHttp(exchange, info);
    else if (handshake.type === "handshake") {
      await this.#handleWebSocket(exchange, handshake, info);
    } else await exchange.refuse(handshake.status, handshake.headers);
    this.#changed();
  }

  async #handleWebSocket(
    exchange: Http1Exchange,
    handshake: Handshake,
    info: ConnectionInfo,
  ): Promise<void> {
    if (this.#webSockets >= this.#options.maxWebSockets) {
      return await exchange.refuse(503, [["retry-after", "1"]]);
    }
    this.#webSockets++;
    const wire = new UpgradingWebSocket(
      exchange,
      handshake,
      this.#webSocketOptions,
      () => this.#clock.create(),
    );
    const { subprotocols } = handshake;
    const scope = webSocketScope(exchange.request, info, subprotocols);
    this.#addState(scope);
    const cycle = new WebSocketCycle(wire, scope, this.#webSocketContext);
    await cycle.run(this.#app);
  }

  async #handleHttp(
    exchange: Http1Exchange,
    info: ConnectionInfo,
  ): Promise<void> {
    const { request } = exchange;
    const busy = this.#requests >= this.#options.maxConcurrentRequests;
    this.#requests++;
    const bodyless = request.method === "HEAD";
    const cycle = new HttpCycle(exchange, this.#httpContext, bodyless);
    const app = busy ? serviceUnavailable : this.#app;
    const scope = httpScope(request, info);
    this.#addState(scope);
    await cycle.run(app, scope);
  }

  /** Each scope has a shallow copy of what the application keeps. */
  #addState(scope: HttpScope | WebSocketScope): void {
    if (this.#lifespan.supported) scope.state = { ...this.#lifespan.state };
  }

  #createContext(onAppReturned: () => void): CycleContext {
    return {
      openFile,
      onAppError: (error) =>
        this.#say("error", "The application failed", error),
      onIgnoredEvent: (type) =>
        this.#say("debug", `Ignored ${type} behind a complete response`),
      onAppReturned: () => {
        onAppReturned();
        this.#changed();
      },
    };
  }

  // Waiting for any of this to change.

  #nextChange(): Promise<void> {
    return this.#change ??= new Promise((resolve) => this.#onChange = resolve);
  }

  #changed(): void {
    this.#change = undefined;
    this.#onChange();
  }

  #say(level: LogLevel, message: string, error?: unknown): void {
    this.#log({ level, message, error });
  }
}

/** Answers what comes past `maxConcurrentRequests`. */
const serviceUnavailable: AsgiApp = async (_scope, _receive, send) => {
  await respond(send, 503, {
    headers: [["content-type", "text/plain"], ["retry-after", "1"]],
    body: "Service Unavailable\n",
  });
};

function webSocketOptions(options: ResolvedOptions): UpgradeOptions {
  return {
    ...DEFAULT_WEBSOCKET_OPTIONS,
    maxMessageBytes: options.maxMessageBytes,
    pingInterval: options.pingInterval,
    pingTimeout: options.pingTimeout,
    idleTimeout: options.webSocketIdleTimeout,
    closeTimeout: options.closeTimeout,
    compression: options.compression,
  };
}

function tickFor(options: ResolvedOptions): number {
  const shortest = Math.min(
    options.headerTimeout,
    options.keepAliveTimeout,
    options.bodyTimeout,
    options.writeTimeout,
    options.drainTimeout,
    options.pingInterval,
    options.pingTimeout,
    options.webSocketIdleTimeout,
    options.closeTimeout,
  );
  return Math.max(MIN_TICK_MS, Math.min(shortest / 10, MAX_TICK_MS));
}

function connectionInfo(connection: Connection): ConnectionInfo {
  return {
    scheme: "http",
    client: hostPort(connection.remoteAddr),
    server: hostPort(connection.localAddr),
  };
}

/** IPv4 peers of a dual-stack listener get their IPv4 address back. */
function hostPort(address: Deno.Addr): HostPort | null {
  if (!("hostname" in address)) return null;
  return [address.hostname.replace(/^::ffff:(?=[0-9.]+$)/, ""), address.port];
}

/** An address under which a wildcard address can be reached. */
function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "::" ? "::1" : hostname;
}

const encoder = new TextEncoder();

function logToStderr({ level, message, error }: LogRecord): void {
  if (level === "debug") return;
  const detail = error === undefined ? "" : `: ${Deno.inspect(error)}`;
  Deno.stderr.writeSync(encoder.encode(`${level}: ${message}${detail}\n`));
}
