/**
 * From a request to the application: makes its scope, runs the cycle of its
 * protocol, holds the limits on what runs at once, and writes the access record
 * when it is over.
 *
 * @module
 */

import { InvalidEventError } from "../asgi/errors.ts";
import type { AppCalls } from "../asgi/app_calls.ts";
import type { CycleContext } from "../asgi/http_cycle.ts";
import { HttpCycle } from "../asgi/http_cycle.ts";
import { type ConnectionInfo, httpScope } from "../asgi/http_scope.ts";
import { respond } from "../asgi/helpers.ts";
import { type LifespanCycle, withState } from "../asgi/lifespan_cycle.ts";
import { type Ending, ShutdownNotices } from "../asgi/shutdown_notice.ts";
import type { AsgiApp, HttpScope, WebSocketScope } from "../asgi/types.ts";
import type { Exchange, RequestInfo } from "../http/exchange.ts";
import type { RefusedBytes } from "../http/served_connection.ts";
import type { AccessRecord, LogLevel, LogRecord } from "../logs/records.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { ForwardedReader } from "../middleware/forwarded_fields.ts";
import { rootPath } from "../middleware/root_path.ts";
import {
  AccessRecords,
  type BegunRecord,
  type Outcome,
} from "./access_records.ts";
import type { ResolvedOptions } from "./options.ts";
import { isInstance } from "../asgi/user_code.ts";
import type { WebSocketDispatcher } from "./websocket_dispatcher.ts";

/** What a dispatcher works with, and reports to. */
export interface DispatcherOptions {
  /** The limits. */
  readonly options: ResolvedOptions;
  /** Holds the state of all scopes. */
  readonly lifespan: LifespanCycle;
  /** Opens a file for `http.response.pathsend`. */
  readonly openFile: CycleContext["openFile"];
  /** Called with what goes wrong. */
  log(record: LogRecord): void;
  /** Called for each request that is over, if anybody wants to know. */
  readonly accessLog?: ((record: AccessRecord) => void) | undefined;
  /** Counts requests, if anybody wants to know. */
  readonly metrics?: Metrics | undefined;
}

/** Calls the application for the requests of all connections of a server. */
export class Dispatcher {
  readonly #app: AsgiApp;
  readonly #options: ResolvedOptions;
  readonly #log: (record: LogRecord) => void;
  readonly #metrics: Metrics | undefined;
  readonly #records: AccessRecords | undefined;
  readonly #calls: Omit<AppCalls, "onAppReturned">;
  readonly #httpContext: CycleContext;
  readonly #notices = new ShutdownNotices();
  /** Reads what proxies say of their clients, if any proxy is trusted. */
  readonly #proxies: ForwardedReader | undefined;
  /** Loaded when a request asks for another protocol, or many might. */
  #webSockets: WebSocketDispatcher | undefined;
  #loaded: Promise<void> | undefined;
  /** Calls of the application for requests that have not returned. */
  #requests = 0;
  /** Called whenever one returns, or a WebSocket is over. */
  #onChange: (() => void) | undefined;

  /** Calls `app` for each request. */
  constructor(app: AsgiApp, given: DispatcherOptions) {
    const { options, lifespan, log, accessLog } = given;
    this.#app = rootPath(withState(app, lifespan), options.rootPath);
    if (options.trustedProxies.length > 0) {
      this.#proxies = new ForwardedReader({ trust: options.trustedProxies });
    }
    this.#options = options;
    this.#log = log;
    this.#metrics = given.metrics;
    this.#records = accessLog && new AccessRecords(accessLog, log);
    this.#calls = this.#createCalls();
    this.#httpContext = {
      ...this.#calls,
      openFile: given.openFile,
      onAppReturned: () => {
        this.#requests--;
        this.#onChange?.();
      },
    };
  }

  /**
   * Waits until no WebSocket is open, and no application runs on after its
   * response; for applications, not once `cut` is aborted.
   */
  async finish(cut: AbortSignal): Promise<void> {
    const changed = (): void => this.#onChange?.();
    cut.addEventListener("abort", changed);
    while (this.#openWebSockets > 0 || this.#running > 0 && !cut.aborted) {
      await new Promise<void>((resolve) => this.#onChange = resolve);
    }
    cut.removeEventListener("abort", changed);
  }

  /** Calls of the application that have not returned. */
  get #running(): number {
    return this.#requests + (this.#webSockets?.running ?? 0);
  }

  get #openWebSockets(): number {
    return this.#webSockets?.open ?? 0;
  }

  /** Closes WebSockets, and aborts the signals of `server.shutdown`. */
  announceShutdown(): void {
    this.#notices.announce();
    this.#webSockets?.shutdown();
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
   * when it has become a WebSocket, which goes on without its exchange.
   */
  dispatch(
    exchange: Exchange,
    connection: ConnectionInfo,
  ): Promise<void> {
    const info = this.#proxies === undefined
      ? connection
      : seenByClient(exchange, connection, this.#proxies);
    return exchange.request.protocol !== undefined || this.#observed
      ? this.#observe(exchange, info)
      : this.#runHttp(exchange, info);
  }

  /** Whether somebody wants to know of each request. */
  get #observed(): boolean {
    return this.#records !== undefined || this.#metrics !== undefined;
  }

  async #observe(exchange: Exchange, info: ConnectionInfo): Promise<void> {
    const start = this.#metrics?.requestBegan();
    try {
      await this.#record(exchange, info);
    } finally {
      const { method } = exchange.request;
      if (start !== undefined) {
        this.#metrics!.requestEnded(start, method, exchange);
      }
    }
  }

  async #record(exchange: Exchange, info: ConnectionInfo): Promise<void> {
    const { request } = exchange;
    const record = this.#records?.begin(request, info);
    const upgraded = request.protocol === undefined
      ? undefined
      : (await this.#loadWebSockets()).dispatch(
        exchange,
        info,
        (outcome) => this.#endRecord(record, "websocket", outcome),
      );
    if (upgraded === undefined) {
      await this.#runHttp(exchange, info);
      this.#endRecord(record, "http", exchange);
    } else {
      await upgraded;
    }
  }

  #endRecord(
    record: BegunRecord | undefined,
    type: AccessRecord["type"],
    outcome: Outcome,
  ): void {
    if (record !== undefined) this.#records!.end(record, type, outcome);
  }

  /** Records an answer to what was no request of a version of HTTP. */
  recordRefused(
    refused: RefusedBytes,
    info: ConnectionInfo,
    version: RequestInfo["version"],
  ): void {
    if (refused.refusal !== undefined) this.#metrics?.refused(refused.refusal);
    this.#records?.refused(refused, info, version);
  }

  #runHttp(exchange: Exchange, info: ConnectionInfo): Promise<void> {
    const { request } = exchange;
    const busy = this.#requests >= this.#options.maxConcurrentRequests;
    if (busy) this.#metrics?.refused(503);
    this.#requests++;
    const cycle = new HttpCycle(exchange, this.#httpContext, request.method);
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
      createCalls: (onAppReturned) => ({
        ...this.#calls,
        onAppReturned: () => {
          onAppReturned();
          this.#onChange?.();
        },
      }),
      metrics: this.#metrics,
      complete: (scope, cycle) => this.#complete(scope, cycle),
      onChange: () => this.#onChange?.(),
    });
    if (this.#notices.announced) this.#webSockets.shutdown();
    return this.#webSockets;
  }

  /** Adds what the server knows and no wire does: the notice of the shutdown. */
  #complete(scope: HttpScope | WebSocketScope, cycle: Ending): void {
    scope.extensions["server.shutdown"] = this.#notices.create(cycle);
  }

  /** What all calls of the application have in common. */
  #createCalls(): Omit<AppCalls, "onAppReturned"> {
    return {
      onAppError: (error) => {
        this.#metrics?.appFailed();
        this.#say("error", "The application failed", error);
      },
      onRefusedEvent: (error) => {
        const level = isInstance(error, InvalidEventError) ? "warn" : "debug";
        this.#say(level, "An event of the application was refused", error);
      },
      onIgnoredEvent: (type) =>
        this.#say("debug", `Ignored ${type} after a complete response`),
    };
  }

  #say(level: LogLevel, message: string, error?: unknown): void {
    this.#log({ level, message, error });
  }
}

/** What is known of the client's own connection, through whatever proxies. */
function seenByClient(
  { request }: Exchange,
  info: ConnectionInfo,
  proxies: ForwardedReader,
): ConnectionInfo {
  const origin = proxies.read(info, request.headers);
  if (origin === undefined) return info;
  const { client = info.client, secure = info.scheme === "https" } = origin;
  return { ...info, client, scheme: secure ? "https" : "http" };
}

/** Answers what comes past `maxConcurrentRequests`. */
const serviceUnavailable: AsgiApp = async (_scope, _receive, send) => {
  await respond(send, 503, {
    headers: [["content-type", "text/plain"], ["retry-after", "1"]],
    body: "Service Unavailable\n",
  });
};
