/**
 * The lifespan cycle (ASGI lifespan 2.0): one call of the application that
 * lasts from before the first request until after the last.
 *
 * Whether an application supports it shows only when it is called: one that
 * throws, or returns, before it has answered the start-up does not, unless the
 * mode is "on".
 *
 * @module
 */

import {
  EventSink,
  EventSource,
  type EventTaker,
  handled,
} from "../streams/event_streams.ts";
import { InvalidEventError } from "./errors.ts";
import { type EventPort, receiveOf, sendOf } from "./event_port.ts";
import type {
  AsgiApp,
  LifespanReceiveEvent,
  LifespanScope,
  LifespanSendEvent,
  Receive,
  Send,
} from "./types.ts";

/** Whether lifespan is tried, required, or left out. */
export type LifespanMode = "auto" | "on" | "off";

/** Thrown when an application fails to start, or to stop. */
export class LifespanError extends Error {
  /** The name of the class. */
  override readonly name = "LifespanError";
}

type Phase = "startup" | "running" | "shutdown" | "over";
type Outcome = "complete" | "failed" | "unsupported";

const EVENT_TYPE = /^lifespan\.(startup|shutdown)\.(?:complete|failed)$/;

/** One call of an application with the lifespan scope. */
export class LifespanCycle
  implements
    EventPort<LifespanReceiveEvent, LifespanSendEvent>,
    EventTaker<LifespanSendEvent> {
  /** The events for the application. */
  readonly source: EventSource<LifespanReceiveEvent> = new EventSource(this);
  /** What the application put into its state while it started. */
  readonly state: Record<string, unknown> = {};

  readonly #app: AsgiApp;
  readonly #mode: LifespanMode;
  readonly #onAppError: (error: unknown) => void;
  readonly #sink: EventSink<LifespanSendEvent>;
  #phase: Phase = "startup";
  #startupSent = false;
  #supported = false;
  #outcome = Promise.withResolvers<Outcome>();
  #shutdownAsked = Promise.withResolvers<LifespanReceiveEvent>();
  #stopped: Promise<void> | undefined;
  #message = "";
  #thrown: unknown;

  /**
   * Nothing is called yet. `onAppError` is told of what the application throws
   * between its start-up and its shutdown.
   */
  constructor(
    app: AsgiApp,
    mode: LifespanMode,
    onAppError: (error: unknown) => void,
  ) {
    this.#app = app;
    this.#onAppError = onAppError;
    this.#mode = mode;
    this.#sink = new EventSink(this);
  }

  /** Whether the application took part in the start-up. */
  get supported(): boolean {
    return this.#supported;
  }

  /** What the application has thrown, if anything. */
  get thrown(): unknown {
    return this.#thrown;
  }

  /** Why the application says that it has failed; "" if it gave no reason. */
  get message(): string {
    return this.#message;
  }

  /**
   * Calls the application, and waits until it has started.
   *
   * @throws {LifespanError} If it fails to start, with its message; in mode
   * "on" also if it does not support lifespan.
   */
  async startup(): Promise<void> {
    if (this.#mode === "off") return;
    handled(this.#call());
    const outcome = await this.#outcome.promise;
    if (outcome === "failed") {
      throw new LifespanError(
        `Cannot start application: ${this.#message || "it gave no reason"}`,
      );
    }
    this.#supported = outcome === "complete";
    if (!this.#supported && this.#mode === "on") {
      throw new LifespanError("Cannot start application: it has no lifespan", {
        cause: this.#thrown,
      });
    }
  }

  /**
   * Tells the application that the server stops, and waits until it has
   * stopped. However often it is called, the application is told once.
   *
   * @throws {LifespanError} If it fails to stop, with its message.
   */
  async shutdown(): Promise<void> {
    if (this.#supported && this.#phase === "running") {
      this.#stopped = this.#stop();
    }
    await this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#phase = "shutdown";
    this.#outcome = Promise.withResolvers();
    this.#shutdownAsked.resolve({ type: "lifespan.shutdown" });
    if (await this.#outcome.promise !== "failed") return;
    throw new LifespanError(
      `Cannot stop application: ${this.#message || "it gave no reason"}`,
      { cause: this.#thrown },
    );
  }

  /** Whether no other event follows. */
  isLast(event: LifespanReceiveEvent): boolean {
    return event.type === "lifespan.shutdown";
  }

  /** Takes an event of the application. */
  send(event: LifespanSendEvent): Promise<void> {
    const [, phase] = EVENT_TYPE.exec(String(event?.type)) ?? [];
    if (phase !== undefined && phase === this.#phase) {
      const started = event.type === "lifespan.startup.complete";
      this.#phase = started ? "running" : "over";
      return this.#sink.write(event);
    }
    return handled(Promise.reject(
      new InvalidEventError(
        `Cannot send ${event?.type}: it is not due in phase "${this.#phase}"`,
      ),
    ));
  }

  /** What fails to send has been told of its failure. */
  abort(): void {}

  async #call(): Promise<void> {
    const scope: LifespanScope = {
      type: "lifespan",
      asgi: { version: "3.0", spec_version: "2.0" },
      state: this.state,
    };
    try {
      await this.#app(
        scope,
        receiveOf(this) as Receive,
        sendOf(this) as unknown as Send,
      );
    } catch (error) {
      this.#thrown = error;
    }
    this.#returned();
  }

  /** What the return of the application means depends on when it comes. */
  #returned(): void {
    const phase = this.#phase;
    this.#phase = "over";
    if (phase === "startup") this.#outcome.resolve("unsupported");
    if (phase === "running" && this.#thrown !== undefined) {
      this.#onAppError(this.#thrown);
    }
    if (phase !== "shutdown") return;
    if (this.#thrown !== undefined) this.#message = String(this.#thrown);
    this.#outcome.resolve(this.#thrown === undefined ? "complete" : "failed");
  }

  /** Makes the next event, when it is due. */
  nextEvent(): LifespanReceiveEvent | Promise<LifespanReceiveEvent> {
    if (this.#startupSent) return this.#shutdownAsked.promise;
    this.#startupSent = true;
    return { type: "lifespan.startup" };
  }

  /** Takes the application's answer. */
  takeEvent(event: LifespanSendEvent): undefined {
    this.#message = String(event.message ?? "");
    this.#outcome.resolve(
      event.type.endsWith("failed") ? "failed" : "complete",
    );
  }

  /** Behind the last event, nothing is left to do. */
  endOfEvents(): void {}
}
