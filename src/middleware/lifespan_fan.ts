/**
 * One lifespan for several applications: each has a lifespan cycle of its own, and
 * to the server they are one.
 *
 * They start one after the other in their order, and stop in the opposite one,
 * whether at the end or because one of them has failed to start. An application
 * that knows no lifespan is left out; if none knows it, neither do they all. One
 * that throws as it starts is left out, too, but the server hears why.
 *
 * @module
 */

import { messageOf } from "../asgi/user_code.ts";
import { LifespanCycle } from "../asgi/lifespan_cycle.ts";
import type {
  AsgiApp,
  HttpScope,
  LifespanScope,
  Receive,
  Send,
  WebSocketScope,
} from "../asgi/types.ts";

/** What each application has put into its state. */
type States = ReadonlyMap<AsgiApp, Record<string, unknown>>;

/** The lifespan of several applications; one that is given twice starts once. */
export class LifespanFan {
  readonly #apps: readonly AsgiApp[];
  /**
   * Where their states are in the state of all. Each server has its own, so
   * that nothing is kept here.
   */
  readonly #key = Symbol("states");

  /** Joins the lives of `apps`. */
  constructor(apps: Iterable<AsgiApp>) {
    this.#apps = [...apps];
  }

  /**
   * Handles the scope of the server's life.
   *
   * @throws {AggregateError} If no application knows lifespan.
   */
  async run(scope: LifespanScope, receive: Receive, send: Send): Promise<void> {
    const lives = new Lives(this.#apps);
    const failure = await lives.start();
    if (failure !== undefined) {
      return await send({ type: "lifespan.startup.failed", message: failure });
    }
    // Who receives the start-up, says that it knows it.
    if (lives.begun) await receive();
    lives.requireSupport();
    Reflect.set(scope.state, this.#key, lives.states);
    const warning = lives.warning;
    await send({ type: "lifespan.startup.complete", message: warning });
    await receive();
    const message = await lives.stop();
    await send(
      message === undefined
        ? { type: "lifespan.shutdown.complete" }
        : { type: "lifespan.shutdown.failed", message },
    );
  }

  /**
   * A copy of a scope with what `app` put into its state, and not what others
   * did. What stands around all of them is in it, too.
   */
  scopeFor<S extends HttpScope | WebSocketScope>(app: AsgiApp, scope: S): S {
    if (scope.state === undefined) return { ...scope };
    const states = Reflect.get(scope.state, this.#key) as States | undefined;
    const state = { ...scope.state, ...states?.get(app) };
    Reflect.deleteProperty(state, this.#key);
    return { ...scope, state };
  }
}

/** One life of each application. */
class Lives {
  readonly #cycles: ReadonlyMap<AsgiApp, LifespanCycle>;
  readonly #failures: string[] = [];

  constructor(apps: readonly AsgiApp[]) {
    // What is thrown amid a life comes out at its end: there is no log here.
    const onAppError = (error: unknown): void => this.#failed(messageOf(error));
    this.#cycles = new Map(
      apps.map((app) => [app, new LifespanCycle(app, "auto", onAppError)]),
    );
  }

  /** Starts all, or none; why it was none. */
  async start(): Promise<string | undefined> {
    for (const cycle of this.#cycles.values()) {
      try {
        await cycle.startup();
      } catch {
        this.#failed(cycle.message);
        return await this.stop();
      }
    }
  }

  /** Whether any knows lifespan, although it may have failed to start. */
  get begun(): boolean {
    return this.#cycles.values()
      .some(({ supported, failedStart }) => supported || !!failedStart);
  }

  /** Which have failed to start, and what others say that have started. */
  get warning(): string {
    return this.#cycles.values().map(({ failedStart, message }) =>
      failedStart ? `failed to start: ${messageOf(failedStart.error)}` : message
    ).filter((text) => text !== "").toArray().join("; ");
  }

  /** @throws {AggregateError} If none has started. */
  requireSupport(): void {
    const cycles = [...this.#cycles.values()];
    if (cycles.some(({ supported }) => supported)) return;
    throw new AggregateError(
      cycles.flatMap(({ fault }) => fault === undefined ? [] : [fault.error]),
      `Cannot start applications: ${this.warning || "none has a lifespan"}`,
    );
  }

  /** Stops those that have started; what has failed by then. */
  async stop(): Promise<string | undefined> {
    for (const cycle of [...this.#cycles.values()].reverse()) {
      try {
        await cycle.shutdown();
      } catch {
        this.#failed(cycle.message);
      }
    }
    return this.#failures.length === 0 ? undefined : this.#failures.join("; ");
  }

  /** The states of those that know lifespan. */
  get states(): States {
    const known = [...this.#cycles].filter(([, cycle]) => cycle.supported);
    return new Map(known.map(([app, cycle]) => [app, cycle.state]));
  }

  #failed(message: string): void {
    this.#failures.push(message || "it gave no reason");
  }
}
