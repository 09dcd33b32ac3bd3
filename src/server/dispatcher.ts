/**
 * From a request to the application: makes its scope, runs the cycle of its
 * protocol, holds the limits on what runs at once, and writes the access record
 * when it is over.
 *
 * @module
 */

import { InvalidEventError } from "../asgi/errors.ts";
import type { CycleContext } from "../asgi/http_cycle.ts";
import { HttpCycle } from "../asgi/http_cycle.ts";
import { type ConnectionInfo, httpScope } from "../asgi/http_scope.ts";
import { respond } from "../asgi/helpers.ts";
import { type LifespanCycle, withState } from "../asgi/lifespan_cycle.ts";
import { type Ending, ShutdownNotices } from "../asgi/shutdown_notice.ts";
import type { AsgiApp, HttpScope, WebSocketScope } from "../asgi/types.ts";
import type { Exchange } from "../http/exchange.ts";
import type { RefusedBytes } from "../http/served_connection.ts";
import type { AccessRecord, LogLevel, LogRecord } from "../logs/records.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { ForwardedReader } from "../middleware/forwarded_fields.ts";
import { rootPath } from "../middleware/root_path.ts";
import type { ResolvedOptions } from "./options.ts";
import { callUser, isInstance } from "../asgi/user_code.ts";
import type { WebSocketDispatcher } from "./websocket_dispatcher.ts";
import type { Outcome } from "./websocket_upgrade.ts";

/** What the server gives the dispatcher, and is told by it. */
export interface DispatcherHost {
  /** Opens a file for `http.response.pathsend`. */
  readonly openFile: CycleContext["openFile"];
  /** Told whenever a request is over, or the application has returned. */
  onChange(): void;
  /** Told of what goes wrong. */
  log(record: LogRecord): void;
  /** Told of each request that is over, if anybody wants to know. */
  readonly accessLog: ((record: AccessRecord) => void) | undefined;
  /** Counts requests, if anybody wants to know. */
  readonly metrics?: Metrics | undefined;
}

/** What a record says of the request, and by the clock of `performance`. */
interface BegunRecord
  extends Omit<AccessRecord, keyof Outcome | "type" | "duration"> {
  readonly start: number;
}

/** Calls the application for the requests of all connections of a server. */
export class Dispatcher {
  readonly #app: AsgiApp;
  readonly #options: ResolvedOptions;
  readonly #host: DispatcherHost;
  readonly #metrics: Metrics | undefined;
  readonly #httpContext: CycleContext;
  readonly #notices = new ShutdownNotices();
  readonly #proxies: ForwardedReader;
  /** Loaded when a request asks for another protocol, or many might. */
  #webSockets: WebSocketDispatcher | undefined;
  #loaded: Promise<void> | undefined;
  /** Calls of the application for requests that have not returned. */
  #requests = 0;

  /** Calls `app`, whose lifespan cycle holds the state of all its scopes. */
  constructor(
    app: AsgiApp,
    options: ResolvedOptions,
    lifespan: LifespanCycle,
    host: DispatcherHost,
  ) {
    this.#app = rootPath(withState(app, lifespan), options.rootPath);
    this.#proxies = new ForwardedReader({ trust: options.trustedProxies });
    this.#options = options;
    this.#host = host;
    this.#metrics = host.metrics;
    this.#httpContext = this.#createContext(() => this.#requests--);
  }

  /** Calls of the application that have not returned. */
  get running(): number {
    return this.#requests + (this.#webSockets?.running ?? 0);
  }

  /** WebSockets that have taken over the connection that they came by. */
  get unattachedWebSockets(): number {
    return this.#webSockets?.unattached ?? 0;
  }

  /** Closes WebSockets, and tells applications that the server wants to stop. */
  announceShutdown(): void {
    this.#notices.announce();
    this.#webSockets?.shutdown();
  }

  /** Cuts open WebSockets. */
  abort(): void {
    this.#webSockets?.abort();
  }

  /**
   * Loads what would be loaded when a request asks for it. To be called while
   * there are descriptors: without, Deno can load nothing, now or later, and the
   * process may end for it.
   */
  load(): Promise<void> {
    return this.#loaded ??= this.#loadWebSockets().then(
      () => {},
      (error) => this.#say("error", "Cannot load WebSocket", error),
    );
  }

  /**
   * Answers a request; resolves when its response is complete or aborted, or
   * when it has become a WebSocket, which goes on without its HTTP connection.
   */
  dispatch(
    exchange: Exchange,
    connection: ConnectionInfo,
  ): Promise<void> {
    const info = this.#seenByClient(exchange, connection);
    return exchange.request.protocol !== undefined || this.#observed
      ? this.#observe(exchange, info)
      : this.#runHttp(exchange, info);
  }

  /** Whether somebody wants to know of each request. */
  get #observed(): boolean {
    return this.#host.accessLog !== undefined || this.#metrics !== undefined;
  }

  async #observe(exchange: Exchange, info: ConnectionInfo): Promise<void> {
    const start = this.#metrics?.requestBegan();
    const record = this.#beginRecord(exchange, info);
    const upgraded = exchange.request.protocol !== undefined
      ? (await this.#loadWebSockets()).dispatch(
        exchange,
        info,
        (outcome) => this.#endRecord(record, "websocket", outcome),
      )
      : undefined;
    if (upgraded === undefined) {
      await this.#runHttp(exchange, info);
      this.#endRecord(record, "http", exchange);
    } else {
      await upgraded;
    }
    if (start !== undefined) {
      this.#metrics!.requestEnded(start, exchange.request.method, exchange);
    }
    this.#host.onChange();
  }

  /** Records an answer to bytes that were no request. */
  recordRefused(refused: RefusedBytes, info: ConnectionInfo): void {
    if (refused.refusal !== undefined) this.#metrics?.refused(refused.refusal);
    this.#endRecord(this.#beginRecord(NO_REQUEST, info), "http", refused);
  }

  /** What is known of the client's own connection, through whatever proxies. */
  #seenByClient(
    { request }: Exchange,
    info: ConnectionInfo,
  ): ConnectionInfo {
    const origin = this.#proxies.read(info, request.headers);
    if (origin === undefined) return info;
    const { client = info.client, secure = info.scheme === "https" } = origin;
    return { ...info, client, scheme: secure ? "https" : "http" };
  }

  #runHttp(exchange: Exchange, info: ConnectionInfo): Promise<void> {
    const { request } = exchange;
    const busy = this.#requests >= this.#options.maxConcurrentRequests;
    if (busy) this.#metrics?.refused(503);
    this.#requests++;
    const bodyless = request.method === "HEAD";
    const cycle = new HttpCycle(exchange, this.#httpContext, bodyless);
    const scope = httpScope(request, info, exchange);
    this.#complete(scope, cycle);
    return cycle.run(busy ? serviceUnavailable : this.#app, scope);
  }

  async #loadWebSockets(): Promise<WebSocketDispatcher> {
    const { WebSocketDispatcher } = await import("./websocket_dispatcher.ts");
    if (this.#webSockets !== undefined) return this.#webSockets;
    this.#webSockets = new WebSocketDispatcher({
      app: this.#app,
      options: this.#options,
      createCalls: (onAppReturned) => this.#createContext(onAppReturned),
      metrics: this.#metrics,
      complete: (scope, cycle) => this.#complete(scope, cycle),
      onChange: () => this.#host.onChange(),
    });
    if (this.#notices.announced) this.#webSockets.shutdown();
    return this.#webSockets;
  }

  /** Adds what the server knows and no wire does: the notice of the shutdown. */
  #complete(scope: HttpScope | WebSocketScope, cycle: Ending): void {
    scope.extensions["server.shutdown"] = this.#notices.create(cycle);
  }

  #createContext(onAppReturned: () => void): CycleContext {
    return {
      openFile: this.#host.openFile,
      onAppError: (error) => {
        this.#metrics?.appFailed();
        this.#say("error", "The application failed", error);
      },
      onRefusedEvent: (error) => {
        const level = isInstance(error, InvalidEventError) ? "warn" : "debug";
        this.#say(level, "An event of the application was refused", error);
      },
      onIgnoredEvent: (type) =>
        this.#say("debug", `Ignored ${type} behind a complete response`),
      onAppReturned: () => {
        onAppReturned();
        this.#host.onChange();
      },
    };
  }

  #beginRecord(
    { request }: Pick<Exchange, "request">,
    { client, scheme }: ConnectionInfo,
  ): BegunRecord | undefined {
    if (this.#host.accessLog === undefined) return undefined;
    const { path, query } = request.target;
    return {
      client,
      scheme,
      httpVersion: request.version,
      method: request.method,
      target: query === "" ? path : `${path}?${query}`,
      headers: request.headers,
      time: Date.now(),
      start: performance.now(),
    };
  }

  #endRecord(
    record: BegunRecord | undefined,
    type: AccessRecord["type"],
    { status, bytesSent, aborted }: Outcome,
  ): void {
    const { accessLog } = this.#host;
    if (record === undefined || accessLog === undefined) return;
    const { start, ...request } = record;
    const duration = performance.now() - start;
    const outcome = { status, bytesSent, aborted };
    callUser(
      () => accessLog({ type, ...request, duration, ...outcome }),
      // A log that fails is no reason to fail a connection.
      (error) => this.#say("error", "The access log failed", error),
    );
  }

  #say(level: LogLevel, message: string, error?: unknown): void {
    this.#host.log({ level, message, error });
  }
}

/** What a record says of bytes that are no request. */
const NO_REQUEST: Pick<Exchange, "request"> = {
  request: {
    version: "1.1",
    method: "",
    target: { path: "", query: "" },
    headers: [],
    protocol: undefined,
  },
};

/** Answers what comes past `maxConcurrentRequests`. */
const serviceUnavailable: AsgiApp = async (_scope, _receive, send) => {
  await respond(send, 503, {
    headers: [["content-type", "text/plain"], ["retry-after", "1"]],
    body: "Service Unavailable\n",
  });
};
