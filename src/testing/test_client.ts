/**
 * A client that calls an application in process. It drives the cycles that the
 * server drives, so an application meets the same rules and the same messages.
 *
 * @module
 */

import { show } from "../asgi/event_checks.ts";
import { HttpCycle } from "../asgi/http_cycle.ts";
import { LifespanCycle, LifespanError } from "../asgi/lifespan_cycle.ts";
import type { AsgiApp, HttpScope, WebSocketScope } from "../asgi/types.ts";
import { WebSocketCycle } from "../asgi/websocket_cycle.ts";
import { AppErrors, CallErrors } from "./_app_errors.ts";
import { Calls } from "./_calls.ts";
import { ServedExchange } from "./_served_exchange.ts";
import {
  adjustScope,
  buildHandshake,
  buildRequest,
  httpScopeOf,
  type ScopeOptions,
  webSocketScopeOf,
} from "./_request.ts";
import { RequestContent } from "./_request_content.ts";
import { isWithin } from "./_timing.ts";
import { TestWebSocketWire } from "./_websocket_wire.ts";
import { ClientExchange, type TestExchange } from "./exchange.ts";
import type {
  TestClientOptions,
  TestRequestInit,
  TestShutdownOptions,
  TestWebSocketInit,
} from "./options.ts";
import {
  ClientWebSocket,
  type TestWebSocket,
  WebSocketDeniedError,
} from "./websocket.ts";

const SHUTDOWN_TIMEOUT_MS = 10_000;
const LIFESPAN_TIMEOUT_MS = 10_000;

/**
 * Calls an application in process, without a socket.
 *
 * @example
 * ```ts
 * import { type AsgiApp, respond } from "jsr:@x/asgi";
 * import { TestClient } from "jsr:@x/asgi/testing";
 * import { assertEquals } from "jsr:@std/assert@^1";
 *
 * const app: AsgiApp = async (scope, _receive, send) => {
 *   if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
 *   await respond(send, 200, { body: `Hello from ${scope.path}` });
 * };
 *
 * await using client = await TestClient.start(app);
 * const response = await client.fetch("/world");
 * assertEquals(await response.text(), "Hello from /world");
 * ```
 */
export class TestClient implements AsyncDisposable {
  readonly #app: AsgiApp;
  readonly #options: TestClientOptions;
  readonly #errors: AppErrors;
  readonly #lifespan: LifespanCycle;
  /** The notices of the shutdown, for each request that is not over. */
  readonly #notices = new Set<AbortController>();
  #announced = false;
  readonly #calls = new Calls();
  readonly #webSockets = new Set<WebSocketCycle>();
  #stopped: Promise<void> | undefined;

  private constructor(app: AsgiApp, options: TestClientOptions) {
    this.#app = app;
    this.#options = options;
    this.#errors = new AppErrors(options.raiseAppErrors ?? true);
    const { lifespan = "auto" } = options;
    this.#lifespan = new LifespanCycle(
      app,
      lifespan,
      (error) => this.#errors.all.push(error),
    );
  }

  /**
   * Starts the application.
   *
   * @throws {LifespanError} If it fails to start.
   */
  static async start(
    app: AsgiApp,
    options: TestClientOptions = {},
  ): Promise<TestClient> {
    if (typeof app !== "function") {
      throw new TypeError(
        `Cannot test: the app must be a function, not ${show(app)}`,
      );
    }
    const client = new TestClient(app, options);
    await client.#inTime(client.#lifespan.startup(), "start");
    const { failedStart } = client.#lifespan;
    if (failedStart !== undefined) client.#errors.all.push(failedStart.error);
    return client;
  }

  /** Whether the application takes part in the lifespan. */
  get hasLifespan(): boolean {
    return this.#lifespan.supported;
  }

  /**
   * What the application has put into its state when it started: the object
   * itself, of which each request's scope has a copy.
   */
  get state(): Record<string, unknown> {
    return this.#lifespan.state;
  }

  /**
   * What the application has thrown by now, or has done wrong otherwise; that
   * its client has disconnected is no error.
   */
  get errors(): readonly unknown[] {
    return this.#errors.all;
  }

  /**
   * What events were refused with: the first of each call that has not failed by
   * it. The server logs a warning for each.
   */
  get refusedEvents(): readonly unknown[] {
    return this.#calls.refused;
  }

  /** The types of the events that were sent after a complete response. */
  get ignoredEvents(): readonly string[] {
    return this.#calls.ignored;
  }

  /**
   * Makes a request. No redirects are followed, and no cookies are kept.
   *
   * @returns The response, once its head has come; see
   * {@linkcode TestExchange.response}.
   * @throws {TypeError} If the request is malformed.
   * @throws What the application throws, unless `raiseAppErrors` is off.
   */
  async fetch(
    target: string | URL,
    init?: TestRequestInit,
  ): Promise<Response> {
    return await this.request(target, init).response;
  }

  /**
   * Makes a request whose every part can be seen, and which the client can
   * leave.
   *
   * @throws {TypeError} If the request is malformed.
   */
  request(target: string | URL, init: TestRequestInit = {}): TestExchange {
    this.#requireRunning();
    init.signal?.throwIfAborted();
    const parts = this.#merge(init);
    const content = new RequestContent(init.body);
    const request = buildRequest(target, parts, content);
    const { method, target: { path } } = request.info;
    const errors = new CallErrors(this.#errors);
    const wire = new ServedExchange(request, content, errors);
    const call = this.#calls.begin(
      `${method} ${path}`,
      errors,
      () => exchange.disconnect(),
    );
    const exchange = new ClientExchange(wire, this.#errors, call.returned);
    const over = new DisposableStack();
    over.use(
      onAbort(init.signal, (reason) => wire.clientDisconnected("lost", reason)),
    );
    const scope = this.#complete(httpScopeOf(request), parts, over);
    const cycle = new HttpCycle(wire, call.context, method);
    over.defer(() => content.cancel());
    cycle.run(this.#app, scope)
      .finally(() => over.dispose())
      .catch((error) => errors.add(error));
    return exchange;
  }

  /**
   * Opens a WebSocket.
   *
   * @returns The WebSocket, once the application has accepted it.
   * @throws {TypeError} If the handshake is malformed.
   * @throws {WebSocketDeniedError} If the application denies it.
   * @throws What the application throws, unless `raiseAppErrors` is off.
   */
  async websocket(
    target: string | URL,
    init: TestWebSocketInit = {},
  ): Promise<TestWebSocket> {
    this.#requireRunning();
    init.signal?.throwIfAborted();
    const { subprotocols = [] } = init;
    const parts = this.#merge(init);
    const request = buildHandshake(target, parts, subprotocols);
    const errors = new CallErrors(this.#errors);
    const wire = new TestWebSocketWire(errors);
    const label = `WebSocket ${request.info.target.path}`;
    const call = this.#calls.begin(label, errors, () => wire.leave());
    const over = new DisposableStack();
    over.use(onAbort(init.signal, (reason) => wire.leave(reason)));
    const bare = webSocketScopeOf(request, subprotocols);
    const scope = this.#complete(bare, parts, over);
    const cycle = new WebSocketCycle(wire, scope, call.context);
    this.#webSockets.add(cycle);
    over.defer(() => this.#webSockets.delete(cycle));
    cycle.run(this.#app)
      .finally(() => over.dispose())
      .catch((error) => errors.add(error));
    const accepted = await wire.accepted;
    if (accepted !== undefined) {
      return new ClientWebSocket(wire, accepted, errors);
    }
    const response = await errors.raise(wire.denial.response);
    throw new WebSocketDeniedError(response);
  }

  /**
   * Announces to the application that the server wants to stop, as a server does at
   * the beginning of its shutdown: the signals of the extension
   * `server.shutdown` are aborted, and WebSockets are closed with 1012.
   */
  announceShutdown(): void {
    this.#announced = true;
    for (const notice of this.#notices) notice.abort(shutdownReason());
    for (const cycle of this.#webSockets) cycle.shutdown();
  }

  /**
   * Announces the shutdown, waits for what is in flight, disconnects what is
   * left at the timeout, and stops the application. Called again, it waits for
   * the same end.
   *
   * @throws {LifespanError} If the application fails to stop.
   * @throws {Error} If it still runs 5 s after its client has disconnected.
   * @throws What it has thrown before, if nothing has thrown that to the test.
   */
  shutdown(
    { timeout = SHUTDOWN_TIMEOUT_MS }: TestShutdownOptions = {},
  ): Promise<void> {
    return this.#stopped ??= this.#stop(timeout);
  }

  /**
   * Shuts down, if nothing has done so before; what is in flight is
   * disconnected at once.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    // The errors were reported to the caller that has shut it down before.
    if (this.#stopped !== undefined) await Promise.allSettled([this.#stopped]);
    else await this.shutdown({ timeout: 0 });
  }

  #requireRunning(): void {
    if (this.#stopped === undefined) return;
    throw new Error("Cannot make request: the client has shut down");
  }

  /** What a request says goes before what the client says. */
  #merge<Init extends ScopeOptions>(init: Init): Init {
    const extensions = { ...this.#options.extensions, ...init.extensions };
    return { ...this.#options, ...init, extensions };
  }

  /** Adds to a scope what the server adds to it, and what the test wants. */
  #complete<AnyScope extends HttpScope | WebSocketScope>(
    scope: AnyScope,
    parts: ScopeOptions,
    over: DisposableStack,
  ): AnyScope {
    const { state } = this.#options;
    if (this.#lifespan.supported || state !== undefined) {
      scope.state = { ...state, ...this.#lifespan.state };
    }
    const signal = this.#createNotice(over);
    scope.extensions["server.shutdown"] = { signal };
    return adjustScope(scope, parts);
  }

  #createNotice(over: DisposableStack): AbortSignal {
    const notice = new AbortController();
    if (this.#announced) notice.abort(shutdownReason());
    this.#notices.add(notice);
    over.defer(() => this.#notices.delete(notice));
    return notice.signal;
  }

  async #stop(timeout: number): Promise<void> {
    this.announceShutdown();
    try {
      await this.#calls.finish(timeout);
    } finally {
      await this.#inTime(this.#lifespan.shutdown(), "stop");
    }
    this.#errors.throwRest();
  }

  async #inTime(answer: Promise<void>, what: "start" | "stop"): Promise<void> {
    const { lifespanTimeout: ms = LIFESPAN_TIMEOUT_MS } = this.#options;
    if (await isWithin(answer, ms)) return;
    throw new LifespanError(
      `Cannot ${what} application: it takes more than ${ms} ms`,
      { cause: this.#lifespan.fault?.error },
    );
  }
}

function shutdownReason(): DOMException {
  return new DOMException("The server shuts down", "AbortError");
}

/** Calls back when a signal is aborted, until that is disposed of. */
function onAbort(
  signal: AbortSignal | undefined,
  call: (reason: unknown) => void,
): Disposable {
  const listener = (): void => call(signal?.reason);
  signal?.addEventListener("abort", listener, { once: true });
  return {
    [Symbol.dispose]: () => signal?.removeEventListener("abort", listener),
  };
}
