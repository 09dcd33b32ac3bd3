/**
 * Runs an ASGI application where a `fetch` handler is expected.
 *
 * The cycles are those of the server, driven over a `Response` in place of a
 * connection: so events are checked alike, and mistakes get the same messages.
 *
 * @module
 */

import { HttpCycle } from "../asgi/http_cycle.ts";
import {
  LifespanCycle,
  type LifespanMode,
  withState,
} from "../asgi/lifespan_cycle.ts";
import { type Ending, ShutdownNotices } from "../asgi/shutdown_notice.ts";
import type {
  AsgiApp,
  HttpScope,
  ReadableFile,
  WebSocketScope,
} from "../asgi/types.ts";
import { WebSocketCycle } from "../asgi/websocket_cycle.ts";
import { FetchExchange } from "./_fetch_exchange.ts";
import { type UpgradeWebSocket, UpgradingRequest } from "./_fetch_websocket.ts";
import { guarded, refuseHttp, refuseWebSocket } from "./_guard.ts";
import {
  isHandshake,
  requestScope,
  webSocketRequestScope,
} from "./_request_scope.ts";
import { callUser } from "../asgi/user_code.ts";

/** How an application is run. */
export interface ToFetchOptions {
  /**
   * Whether the application is called with the lifespan: if it can be ("auto"),
   * always ("on"), or never ("off"). Default: "auto".
   */
  lifespan?: LifespanMode;
  /**
   * Called with what the application throws; the client gets a plain 500.
   * Without it, or if it throws itself, the promise of the response rejects, so
   * that the runtime reports the error; what is thrown after a complete response
   * goes unreported, and so does a rejection of an async `onError`.
   */
  onError?: (error: unknown) => void;
  /**
   * Opens a file for `http.response.pathsend`, such as `Deno.open`. Without it
   * the extension is not offered.
   */
  openFile?: (path: string) => Promise<ReadableFile & Disposable>;
  /**
   * Opens a WebSocket, as `Deno.upgradeWebSocket` does. Without it WebSockets
   * are refused with a 501.
   */
  upgradeWebSocket?: UpgradeWebSocket;
}

/** A `fetch` handler that runs an ASGI application. */
export interface FetchApp extends AsyncDisposable {
  /**
   * Answers a request. `info` is what the runtime gives its handlers; a
   * `remoteAddr` in it, as that of `Deno.serve`, becomes the scope's client.
   *
   * @throws {LifespanError} If the application has failed to start.
   */
  (request: Request, info?: object): Promise<Response>;
  /**
   * Starts the application; otherwise the first request does. It is started
   * once, however often this is called.
   *
   * @throws {LifespanError} If it fails to start.
   */
  startup(): Promise<void>;
  /**
   * Announces to running responses that they should end, closes WebSockets, waits
   * until every call of the application has returned, and stops it. Later
   * requests get a 503. Call it together with the shutdown of the runtime's
   * server, which waits for responses too.
   *
   * @throws {LifespanError} If the application fails to stop.
   */
  shutdown(): Promise<void>;
}

/**
 * Makes a `fetch` handler of an ASGI application, for `Deno.serve`,
 * `deno serve` (`export default { fetch: toFetch(app) }`), or an edge runtime.
 * Requests and responses are streamed, and the application can notice that its
 * client disconnects, by the request's signal or by the response's body.
 *
 * What `fetch` can't carry is not offered in `scope.extensions`, and rejects
 * the `send` that tries it: trailers, early hints, statuses above 599, and
 * headers of `websocket.accept`.
 *
 * @example
 * ```ts
 * import { respond } from "jsr:@x/asgi";
 * import { toFetch } from "jsr:@x/asgi/fetch";
 *
 * const handler = toFetch(async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: `Hello from ${scope.path}` });
 * });
 * const response = await handler(new Request("http://localhost/world"));
 * console.log(await response.text()); // Hello from /world
 * ```
 */
export function toFetch(
  app: AsgiApp,
  options: ToFetchOptions = {},
): FetchApp {
  const runner = new AppRunner(app, options);
  const shutdown = (): Promise<void> => runner.shutdown();
  return Object.assign(
    (request: Request, info?: object) => runner.answer(request, info),
    {
      startup: () => runner.startup(),
      shutdown,
      [Symbol.asyncDispose]: shutdown,
    },
  );
}

/** Calls an application for requests. */
class AppRunner {
  readonly #app: AsgiApp;
  readonly #options: ToFetchOptions;
  readonly #lifespan: LifespanCycle;
  readonly #notices = new ShutdownNotices();
  readonly #webSockets = new Set<WebSocketCycle>();
  #started: Promise<void> | undefined;
  #running = 0;
  #idle = Promise.withResolvers<void>();
  #stopped: Promise<void> | undefined;

  constructor(app: AsgiApp, options: ToFetchOptions) {
    this.#options = options;
    this.#lifespan = new LifespanCycle(
      app,
      options.lifespan ?? "auto",
      (error) => this.#report(error, ignore),
    );
    this.#app = withState(app, this.#lifespan);
  }

  startup(): Promise<void> {
    return this.#started ??= this.#startApp();
  }

  async #startApp(): Promise<void> {
    await this.#lifespan.startup();
    const { failedStart } = this.#lifespan;
    if (failedStart !== undefined) this.#report(failedStart.error, ignore);
  }

  shutdown(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#notices.announce();
    for (const cycle of this.#webSockets) cycle.shutdown();
    if (this.#running > 0) await this.#idle.promise;
    // Requests were answered with what has failed.
    await this.#started?.catch(ignore);
    await this.#lifespan.shutdown();
  }

  async answer(request: Request, info: object | undefined): Promise<Response> {
    const exchange = new FetchExchange(request);
    if (this.#stopped === undefined) await this.#start(exchange, info);
    else await exchange.refuse(503);
    return await exchange.response;
  }

  async #start(
    exchange: FetchExchange,
    info: object | undefined,
  ): Promise<void> {
    try {
      await this.startup();
    } catch (error) {
      return await this.#crashed(exchange, error);
    }
    if (this.#stopped !== undefined) return await exchange.refuse(503);
    const call = this.#run(exchange, info);
    // The response may be there, and is returned, before the call has ended.
    call.catch((error) => this.#crashed(exchange, error));
  }

  async #crashed(exchange: FetchExchange, error: unknown): Promise<void> {
    this.#failed(exchange, error);
    await exchange.refuse(500);
  }

  async #run(
    exchange: FetchExchange,
    info: object | undefined,
  ): Promise<void> {
    const { upgradeWebSocket } = this.#options;
    if (!isHandshake(exchange.request)) await this.#runHttp(exchange, info);
    else if (upgradeWebSocket === undefined) await exchange.refuse(501);
    else await this.#runWebSocket(exchange, info, upgradeWebSocket);
  }

  async #runHttp(
    exchange: FetchExchange,
    info: object | undefined,
  ): Promise<void> {
    const { openFile } = this.#options;
    const scope = requestScope(exchange.request, info);
    if (openFile !== undefined) scope.extensions["http.response.pathsend"] = {};
    const context = { ...this.#calls(exchange), openFile: openFile! };
    const cycle = new HttpCycle(exchange, context, scope.method);
    this.#complete(scope, cycle);
    await cycle.run(guarded(this.#app, refuseHttp(scope)), scope);
  }

  async #runWebSocket(
    exchange: FetchExchange,
    info: object | undefined,
    upgrade: UpgradeWebSocket,
  ): Promise<void> {
    const scope = webSocketRequestScope(exchange.request, info);
    const wire = new UpgradingRequest(exchange, upgrade);
    const cycle = new WebSocketCycle(wire, scope, this.#calls(exchange));
    this.#complete(scope, cycle);
    this.#webSockets.add(cycle);
    try {
      await cycle.run(guarded(this.#app, refuseWebSocket));
    } finally {
      this.#webSockets.delete(cycle);
    }
  }

  /** Adds what the scope of a request alone does not hold. */
  #complete(scope: HttpScope | WebSocketScope, cycle: Ending): void {
    scope.extensions["server.shutdown"] = this.#notices.create(cycle);
  }

  /** Counts a call that begins. */
  #calls(exchange: FetchExchange) {
    this.#running++;
    return {
      onAppError: (error: unknown) => this.#failed(exchange, error),
      onRefusedEvent: (error: unknown) => this.#report(error, ignore),
      onIgnoredEvent: () => {},
      onAppReturned: () => {
        if (--this.#running === 0 && this.#stopped) this.#idle.resolve();
      },
    };
  }

  #failed(exchange: FetchExchange, error: unknown): void {
    if (this.#options.onError === undefined) {
      exchange.fault = { error };
      return;
    }
    let isLate = false;
    this.#report(error, (error) => {
      if (!isLate) exchange.fault = { error };
    });
    isLate = true; // Where it rejects, the response is made before that is known.
  }

  /** Calls `onError`, and `onFailure` with what that throws. */
  #report(error: unknown, onFailure: (error: unknown) => void): void {
    callUser(() => this.#options.onError?.(error), onFailure);
  }
}

function ignore(): void {}
