/**
 * The life of a server: it starts the application, accepts, and stops in steps.
 * First nothing new is accepted, and everything is asked to come to its end; at
 * the timeout, what is left is cut; then the application is stopped.
 *
 * @module
 */

import { LifespanCycle } from "../asgi/lifespan_cycle.ts";
import type { AsgiApp } from "../asgi/types.ts";
import { callUser } from "../asgi/user_code.ts";
import type { Metrics } from "../metrics/metrics.ts";
import {
  type AcceptedConn,
  type AcceptFailure,
  delay,
} from "../net/accept_loop.ts";
import { DeadlineClock } from "../net/deadlines.ts";
import { openFile } from "../net/file.ts";
import type { Listener } from "../net/listener.ts";
import {
  describeAddress,
  type ServerAddress,
  urlOf,
} from "../net/listener_address.ts";
import { listenToSignals } from "../net/signals.ts";
import { Application } from "./application.ts";
import { Connections } from "./connections.ts";
import { Dispatcher } from "./dispatcher.ts";
import { HttpConnections } from "./http_connections.ts";
import type { Http3Service } from "./http3_service.ts";
import { Listeners } from "./listeners.ts";
import {
  type ResolvedOptions,
  resolveOptions,
  type ServeOptions,
} from "./options.ts";
import type { Server, ShutdownOptions } from "./server.ts";
import { ServerLog } from "./server_log.ts";
import { flushStderr } from "./stderr_log.ts";

/** So many connections may come to use up the descriptors. */
const MANY = 16;
/** Deadlines are checked this often, unless a shorter one asks for more. */
const MAX_TICK_MS = 500;
const MIN_TICK_MS = 5;

/** A server that is listening. */
export class AsgiServer implements Server {
  readonly addr: ServerAddress;
  readonly addrs: readonly ServerAddress[];
  readonly url: string;
  readonly finished: Promise<void>;

  readonly #options: ResolvedOptions;
  readonly #metrics: Metrics | undefined;
  readonly #log: ServerLog;
  readonly #listeners: Listeners;
  readonly #application: Application;
  readonly #dispatcher: Dispatcher;
  readonly #http: HttpConnections;
  readonly #connections: Connections;
  readonly #clock: DeadlineClock;
  /** Loaded if a listener asks for it. */
  #http3: Http3Service | undefined;

  /** Aborted one after the other: no more work, no more patience, no more. */
  readonly #stopping = new AbortController();
  readonly #cut = new AbortController();
  readonly #over = new AbortController();
  /** Aborted when the application that stops is waited for no longer. */
  #patience: AbortController | undefined;

  /**
   * Binds at once; accepts once the application has started.
   *
   * @throws {TypeError | RangeError} If an option is wrong, or a certificate.
   * @throws {Deno.errors.AddrInUse} If an address is taken.
   */
  constructor(app: AsgiApp, given: ServeOptions) {
    const options = resolveOptions(given);
    const { metrics, accessLog } = given;
    const log = new ServerLog(given.log);
    this.#options = options;
    this.#metrics = metrics;
    metrics?.attach(() => Deno.memoryUsage().rss);
    this.#log = log;
    this.#listeners = new Listeners(given, options);
    this.addrs = this.#listeners.addresses;
    this.addr = this.addrs[0];
    this.url = urlOf(this.addr);
    const lifespan = new LifespanCycle(
      app,
      options.lifespan,
      (error) => log.say("error", "The application failed", error),
    );
    this.#application = new Application(lifespan, { options, log });
    this.#dispatcher = new Dispatcher(app, {
      options,
      lifespan,
      openFile,
      log: log.write,
      accessLog,
      metrics,
    });
    const clock = new DeadlineClock(tickFor(options));
    this.#clock = clock;
    const common = { options, clock, counts: metrics?.counts };
    this.#http = new HttpConnections(this.#dispatcher, {
      ...common,
      log: log.write,
    });
    this.#connections = new Connections(this.#http, {
      ...common,
      onLost: (error) => log.connectionLost(error),
    });
    this.finished = this.#run(given);
  }

  async shutdown(
    { timeout = this.#options.shutdownTimeout }: ShutdownOptions = {},
  ): Promise<void> {
    this.#begin(timeout);
    await this.finished;
  }

  reloadCertificates(): Promise<void> {
    if (this.#listeners.accepting && !this.#stopping.signal.aborted) {
      return this.#listeners.reload();
    }
    return Promise.reject(
      new Error("Cannot reload certificates: the server does not accept"),
    );
  }

  ref(): void {
    this.#listeners.keepAlive(true);
  }

  unref(): void {
    this.#listeners.keepAlive(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  // Life of the server.

  async #run({ onListen, signal }: ServeOptions): Promise<void> {
    const shutdown = (): void => this.#begin();
    using _signals = this.#options.signals ? this.#listenToSignals() : null;
    signal?.addEventListener("abort", shutdown, { once: true });
    if (signal?.aborted) shutdown();
    try {
      await this.#application.start(this.#cut.signal);
      try {
        await this.#openHttp3();
        if (!this.#stopping.signal.aborted) await this.#serve(onListen);
      } finally {
        this.#patience = new AbortController();
        await this.#application.stop(this.#patience.signal);
      }
    } finally {
      signal?.removeEventListener("abort", shutdown);
      this.#stop();
      this.#over.abort();
      await this.#http3?.close();
      await flushStderr();
    }
  }

  /** Accepts until it is to stop, and waits for what is open then. */
  async #serve(onListen: ServeOptions["onListen"]): Promise<void> {
    this.#metrics?.setReady(!this.#stopping.signal.aborted);
    const accepting = this.#listeners.accept({
      onConnection: (conn, listener) => this.#accept(conn, listener),
      onFailure: (failure) => this.#acceptFailed(failure),
    });
    const acceptingQuic = this.#http3?.run() ?? [];
    try {
      this.#announce(onListen);
      const stopping = aborted(this.#stopping.signal);
      await Promise.race([stopping, ...accepting, ...acceptingQuic]);
    } finally {
      if (!this.#stopping.signal.aborted) this.#begin();
      const cut = this.#cut.signal;
      await this.#listeners.stop(cut);
      await Promise.allSettled(accepting);
      await this.#connections.finish();
      await this.#dispatcher.finish(cut);
    }
  }

  /** Loads HTTP/3 before clients learn of it: they need not wait then. */
  async #openHttp3(): Promise<void> {
    const listeners = this.#listeners.withHttp3;
    if (listeners.length === 0) return;
    const { Http3Service } = await import("./http3_service.ts");
    this.#http3 = new Http3Service({
      options: this.#options,
      counts: this.#metrics?.counts,
      clock: this.#clock,
      dispatcher: this.#dispatcher,
      connections: this.#connections,
    });
    for (const listener of listeners) await this.#http3.open(listener);
  }

  #announce(onListen: ServeOptions["onListen"]): void {
    if (onListen === undefined) {
      return this.#log.say("info", `Listening on ${urls(this.addrs)}`);
    }
    callUser(
      () => onListen(this.addr, this.addrs),
      (error) => this.#log.say("error", "onListen failed", error),
    );
  }

  async #accept(conn: AcceptedConn, listener: Listener): Promise<void> {
    await this.#connections.accept(conn, listener);
    if (this.#connections.open < MANY) return;
    // While there are descriptors; past that, nothing can be loaded.
    await this.#dispatcher.load();
    await this.#http.load();
  }

  #acceptFailed({ cause, error, retryMs }: AcceptFailure): void {
    if (cause === "lost") return this.#log.connectionLost(error);
    if (cause === "exhausted") this.#connections.shed();
    this.#log.acceptFailed(error, retryMs);
  }

  /** Begins to stop, or hastens it. */
  #begin(timeout = this.#options.shutdownTimeout): void {
    this.#stop();
    if (timeout <= 0) {
      this.#patience?.abort();
      this.#abort();
    } else {
      delay(timeout, this.#over.signal).then(() => this.#abort())
        .catch((error) =>
          this.#log.say("error", "Cannot cut what is left", error)
        );
    }
  }

  #stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#metrics?.setReady(false);
    if (!this.#listeners.accepting) this.#listeners.close();
    this.#http.stopAdvertising();
    this.#http3?.refuse();
    this.#dispatcher.announceShutdown();
    this.#connections.shutdown();
  }

  #abort(): void {
    this.#cut.abort();
    this.#connections.abort();
  }

  // Signals and certificates.

  #listenToSignals(): Disposable {
    const { secure } = this.#listeners;
    return listenToSignals({
      onStop: (signal, again) => {
        const what = again ? "cutting what is left" : this.#stopNotice;
        this.#log.say("info", `Received ${signal}: ${what}`);
        this.#begin(again ? 0 : undefined);
      },
      onReload: secure ? () => this.#reloadOnSignal() : undefined,
    });
  }

  /** What is to be known while the end is waited for. */
  get #stopNotice(): string {
    const { shutdownTimeout: ms } = this.#options;
    const limit = ms === Infinity ? "" : ` within ${ms / 1000} s`;
    return `shutting down${limit}; another signal cuts what is left`;
  }

  #reloadOnSignal(): void {
    this.reloadCertificates().then(
      () => this.#log.say("info", "Received SIGHUP: certificates reloaded"),
      (error) => this.#log.say("error", "Cannot reload certificates", error),
    );
  }
}

function urls(addresses: readonly ServerAddress[]): string {
  return addresses.map((address) => describeAddress(address)).join(", ");
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function tickFor(options: ResolvedOptions): number {
  const shortest = Math.min(
    options.handshakeTimeout,
    options.headerTimeout,
    options.keepAliveTimeout,
    options.bodyTimeout,
    options.writeTimeout,
    options.drainTimeout,
    options.messageTimeout,
    options.pingInterval,
    options.pingTimeout,
    options.webSocketIdleTimeout,
    options.closeTimeout,
  );
  return Math.max(MIN_TICK_MS, Math.min(shortest / 10, MAX_TICK_MS));
}
