/**
 * `serve`: listens, accepts, runs each connection, and drains them at the end.
 *
 * @module
 */

import { LifespanCycle, LifespanError } from "../asgi/lifespan_cycle.ts";
import type { AsgiApp } from "../asgi/types.ts";
import { Connections } from "./connections.ts";
import { Dispatcher } from "./dispatcher.ts";
import { httpConnections } from "./http_connections.ts";
import { listenTargets } from "./listen_options.ts";
import type { LogLevel, LogRecord } from "../logs/records.ts";
import { RecurringWarning } from "../logs/recurring_warning.ts";
import type { Metrics } from "../metrics/metrics.ts";
import {
  type AcceptedConn,
  type AcceptFailure,
  delay,
} from "../net/accept_loop.ts";
import { DeadlineClock } from "../net/deadlines.ts";
import { openFile } from "../net/file.ts";
import { listenAll, type Listener } from "../net/listener.ts";
import {
  describeAddress,
  type ServerAddress,
  type TcpAddress,
  urlOf,
} from "../net/listener_address.ts";
import { ProxyHeaderError } from "../net/proxy_protocol.ts";
import { listenToSignals } from "../net/signals.ts";
import {
  type ResolvedOptions,
  resolveOptions,
  type ServeOptions,
} from "./options.ts";
import { flushStderr, logToStderr } from "./stderr_log.ts";
import { callUser } from "../asgi/user_code.ts";

/** How a server is shut down. */
export interface ShutdownOptions {
  /**
   * How long responses in flight may take, in milliseconds; then they are cut.
   * Default: the server's `shutdownTimeout`.
   */
  timeout?: number;
}

/** A server that is listening, by default at an address of any kind. */
export interface Server<Address extends ServerAddress = ServerAddress>
  extends AsyncDisposable {
  /** Where the server listens: the first address, if there are several. */
  readonly addr: Address;
  /** Every address that the server listens on. */
  readonly addrs: readonly ServerAddress[];
  /** The URL of the server's root, at the first address; `unix:` and the path for a unix socket. */
  readonly url: string;
  /**
   * Resolves when the server has stopped, its last connection is closed, and
   * the application has stopped. It rejects with a {@linkcode LifespanError} if
   * the application fails to start or to stop.
   */
  readonly finished: Promise<void>;
  /**
   * Answers what waits to be accepted, closes idle connections, lets responses
   * in flight end (with `connection: close`), and cuts what is left at the
   * timeout. Called again, it can only hasten the end; with a timeout of 0
   * while the application stops, that is waited for no longer.
   *
   * @returns When the server is finished.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
  /**
   * Reads the files of certificates and keys again, and uses those that have
   * changed for new connections; open ones are left alone.
   *
   * @throws {TypeError} If one is of no use; then the old one stays.
   */
  reloadCertificates(): Promise<void>;
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
 * @throws {TypeError | RangeError} If an option is wrong, or a certificate.
 * @throws {Deno.errors.AddrInUse} If an address is taken.
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
export function serve(
  app: AsgiApp,
  options?: ServeOptions & { listen?: undefined },
): Server<TcpAddress>;
/**
 * Serves an ASGI application at any addresses.
 *
 * @throws {TypeError | RangeError} If an option is wrong, or a certificate.
 * @throws {Deno.errors.AddrInUse} If an address is taken.
 */
export function serve(app: AsgiApp, options?: ServeOptions): Server;
export function serve(app: AsgiApp, options: ServeOptions = {}): Server {
  if (typeof app !== "function") {
    throw new TypeError(`Cannot serve: the app must be a function, not ${app}`);
  }
  return new AsgiServer(app, options);
}

/** So many connections may come to use up the descriptors. */
const MANY = 16;
/** Deadlines are checked this often, unless a shorter one asks for more. */
const MAX_TICK_MS = 500;
const MIN_TICK_MS = 5;

class AsgiServer implements Server {
  readonly addr: ServerAddress;
  readonly addrs: readonly ServerAddress[];
  readonly url: string;
  readonly finished: Promise<void>;

  readonly #options: ResolvedOptions;
  readonly #metrics: Metrics | undefined;
  readonly #log: (record: LogRecord) => void;
  readonly #listeners: readonly Listener[];
  readonly #clock: DeadlineClock;
  readonly #lifespan: LifespanCycle;
  readonly #dispatcher: Dispatcher;
  readonly #connections: Connections;
  readonly #acceptFailures = new RecurringWarning();
  readonly #proxyFaults = new RecurringWarning();
  #accepting = false;
  #reloading: Promise<void> = Promise.resolve();

  /** Aborted one after the other: no more work, no more patience, no more. */
  readonly #stopping = new AbortController();
  readonly #cut = new AbortController();
  readonly #over = new AbortController();
  /** Aborted when the application that stops is waited for no longer. */
  #patience: AbortController | undefined;

  constructor(app: AsgiApp, options: ServeOptions) {
    this.#options = resolveOptions(options);
    this.#metrics = options.metrics;
    this.#metrics?.attach(() => Deno.memoryUsage().rss);
    this.#log = guardedLog(options.log ?? logToStderr);
    this.#clock = new DeadlineClock(tickFor(this.#options));
    this.#listeners = listenAll(listenTargets(options), this.#options);
    this.addrs = this.#listeners.map(({ address }) => address);
    this.addr = this.addrs[0];
    this.url = urlOf(this.addr);
    this.#lifespan = new LifespanCycle(
      app,
      this.#options.lifespan,
      (error) => this.#say("error", "The application failed", error),
    );
    this.#dispatcher = new Dispatcher(app, {
      options: this.#options,
      lifespan: this.#lifespan,
      openFile,
      log: this.#log,
      accessLog: options.accessLog,
      metrics: options.metrics,
    });
    this.#connections = new Connections({
      options: this.#options,
      connect: httpConnections(this.#dispatcher, {
        options: this.#options,
        clock: this.#clock,
        meter: options.metrics?.counts,
      }),
      clock: this.#clock,
      counts: options.metrics?.counts,
      onLost: (error) => this.#lost(error),
    });
    this.finished = this.#run(options);
  }

  async shutdown(
    { timeout = this.#options.shutdownTimeout }: ShutdownOptions = {},
  ): Promise<void> {
    this.#begin(timeout);
    await this.finished;
  }

  reloadCertificates(): Promise<void> {
    const reload = (): Promise<void> => this.#reload();
    return this.#reloading = this.#reloading.then(reload, reload);
  }

  ref(): void {
    for (const listener of this.#listeners) listener.keepAlive(true);
  }

  unref(): void {
    for (const listener of this.#listeners) listener.keepAlive(false);
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
      await this.#startApplication();
      try {
        if (!this.#stopping.signal.aborted) await this.#serve(onListen);
      } finally {
        await this.#stopApplication();
      }
    } finally {
      signal?.removeEventListener("abort", shutdown);
      this.#stop();
      this.#over.abort();
      await flushStderr();
    }
  }

  async #startApplication(): Promise<void> {
    await within(this.#lifespan.startup(), {
      ms: this.#options.startupTimeout,
      cut: this.#cut.signal,
      failure: "Cannot start application",
      cause: () => this.#lifespan.fault?.error,
    });
    this.#reportStart();
  }

  #reportStart(): void {
    const { supported, fault, failedStart, message } = this.#lifespan;
    if (supported) {
      if (message === "") return;
      this.#say("warn", `The application has started, and says: ${message}`);
    } else if (failedStart !== undefined) {
      const warning =
        "The application failed to start, and is served all the same";
      this.#say("warn", warning, failedStart.error);
    } else if (fault !== undefined) {
      this.#say("debug", "The application has no lifespan", fault.error);
    }
  }

  async #stopApplication(): Promise<void> {
    this.#patience = new AbortController();
    await within(this.#lifespan.shutdown(), {
      ms: this.#options.shutdownTimeout,
      cut: this.#patience.signal,
      failure: "Cannot stop application",
      cause: () => this.#lifespan.fault?.error,
    });
  }

  /** Accepts until it is to stop, and waits for what is open then. */
  async #serve(onListen: ServeOptions["onListen"]): Promise<void> {
    this.#accepting = true;
    this.#metrics?.setReady(!this.#stopping.signal.aborted);
    const accepting = this.#listeners.map((listener) =>
      this.#acceptAll(listener)
    );
    try {
      this.#announce(onListen);
      await Promise.race([aborted(this.#stopping.signal), ...accepting]);
    } finally {
      if (!this.#stopping.signal.aborted) this.#begin();
      const cut = this.#cut.signal;
      await Promise.all(this.#listeners.map((listener) => listener.stop(cut)));
      await Promise.allSettled(accepting);
      await this.#connections.finish();
      await this.#dispatcher.finish(cut);
    }
  }

  #announce(onListen: ServeOptions["onListen"]): void {
    if (onListen === undefined) {
      return this.#say("info", `Listening on ${urls(this.addrs)}`);
    }
    callUser(
      () => onListen(this.addr, this.addrs),
      (error) => this.#say("error", "onListen failed", error),
    );
  }

  #acceptAll(listener: Listener): Promise<void> {
    return listener.run({
      onConnection: (conn) => this.#accept(conn, listener),
      onFailure: (failure) => this.#acceptFailed(failure),
    });
  }

  async #accept(conn: AcceptedConn, listener: Listener): Promise<void> {
    await this.#connections.accept(conn, listener);
    if (this.#connections.open >= MANY) await this.#dispatcher.load();
  }

  #acceptFailed({ cause, error, retryMs }: AcceptFailure): void {
    if (cause === "lost") return this.#lost(error);
    if (cause === "exhausted") this.#connections.shed();
    // Without the error itself: where no file can be opened any more, to
    // look at its stack for the first time would end the process.
    const message = `Cannot accept, retry in ${retryMs} ms: ${error}`;
    this.#warn(this.#acceptFailures, message);
  }

  /** Begins to stop, or hastens it. */
  #begin(timeout = this.#options.shutdownTimeout): void {
    this.#stop();
    if (timeout <= 0) {
      this.#patience?.abort();
      this.#abort();
    } else {
      delay(timeout, this.#over.signal).then(() => this.#abort())
        .catch((error) => this.#say("error", "Cannot cut what is left", error));
    }
  }

  #stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#metrics?.setReady(false);
    if (!this.#accepting) {
      for (const listener of this.#listeners) listener.close();
    }
    this.#dispatcher.announceShutdown();
    this.#connections.shutdown();
  }

  #abort(): void {
    this.#cut.abort();
    this.#connections.abort();
    this.#dispatcher.abort();
  }

  // Signals and certificates.

  #listenToSignals(): Disposable {
    const secure = this.#listeners.some((listener) => listener.secure);
    return listenToSignals({
      onStop: (signal, again) => {
        const what = again ? "cutting what is left" : this.#stopNotice;
        this.#say("info", `Received ${signal}: ${what}`);
        this.#begin(again ? 0 : undefined);
      },
      onReload: secure ? () => this.#reloadOnSignal() : undefined,
    });
  }

  /** What whoever waits for the end wants to know. */
  get #stopNotice(): string {
    const { shutdownTimeout: ms } = this.#options;
    const limit = ms === Infinity ? "" : ` within ${ms / 1000} s`;
    return `shutting down${limit}; another signal cuts what is left`;
  }

  #reloadOnSignal(): void {
    this.reloadCertificates().then(
      () => this.#say("info", "Received SIGHUP: certificates reloaded"),
      (error) => this.#say("error", "Cannot reload certificates", error),
    );
  }

  async #reload(): Promise<void> {
    if (!this.#accepting || this.#stopping.signal.aborted) {
      throw new Error("Cannot reload certificates: the server does not accept");
    }
    const results: PromiseSettledResult<void>[] = [];
    for (const listener of this.#listeners) {
      results.push(...await Promise.allSettled([listener.reload()]));
    }
    const failure = results.find(({ status }) => status === "rejected");
    if (failure?.status === "rejected") throw failure.reason;
  }

  /** A proxy that sends no header is misconfigured: that must be found out. */
  #lost(error: unknown): void {
    const message = "Connection lost";
    if (error instanceof ProxyHeaderError) {
      this.#warn(this.#proxyFaults, message, error);
    } else {
      this.#say("debug", message, error);
    }
  }

  /** Warns of what clients can repeat at will: now and then, else it is a detail. */
  #warn(warning: RecurringWarning, message: string, error?: unknown): void {
    const repeated = warning.occur();
    if (repeated === undefined) this.#say("debug", message, error);
    else this.#say("warn", message + repeated, error);
  }

  #say(level: LogLevel, message: string, error?: unknown): void {
    this.#log({ level, message, error });
  }
}

/** How long an application is waited for, and what is said of one that is not. */
interface Patience {
  readonly ms: number;
  /** Aborted when it is waited for no longer. */
  readonly cut: AbortSignal;
  readonly failure: string;
  /** What may have kept it, if anything is known. */
  cause(): unknown;
}

/** Waits for the application, but not for ever. */
async function within(
  waiting: Promise<void>,
  { ms, cut, failure, cause }: Patience,
): Promise<void> {
  // Timers take 5 ms to load, and most applications need none here.
  if (await isSettledSoon(waiting)) return await waiting;
  const done = new AbortController();
  try {
    await Promise.race([waiting, tooLate(done.signal)]);
  } finally {
    done.abort();
  }
  async function tooLate(done: AbortSignal): Promise<void> {
    await delay(ms, AbortSignal.any([done, cut]));
    await delay(0, done); // It may be about to be complete.
    if (done.aborted) return;
    const reason = cut.aborted
      ? "the server was cut short"
      : `it takes more than ${ms} ms`;
    throw new LifespanError(`${failure}: ${reason}`, { cause: cause() });
  }
}

/** Whether a promise is settled before anything else can happen. */
async function isSettledSoon(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  const settle = (): void => void (settled = true);
  promise.then(settle, settle);
  for (let turns = 0; turns < 16 && !settled; turns++) await undefined;
  return settled;
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

/** A log that never fails: what the user's fails to log goes to stderr. */
function guardedLog(
  log: (record: LogRecord) => void,
): (record: LogRecord) => void {
  return (record) =>
    callUser(() => log(record), (error) => {
      if (record.level === "debug") return;
      logToStderr({ level: "error", message: "The log failed", error });
      logToStderr(record);
    });
}
