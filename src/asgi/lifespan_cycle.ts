/**
 * The lifespan cycle (ASGI lifespan 2.0): one call of the application that
 * lasts from before the first request until after the last.
 *
 * Whether an application supports it shows only when it is called: one that
 * throws, or returns, before it has answered the start-up does not, unless the
 * mode is "on". If it has received the start-up before it throws, it knows the
 * scope, and has failed to start.
 *
 * @module
 */

import {
  DemandPipe,
  type EventHandler,
  type EventMaker,
  HandledPipe,
} from "../streams/event_pipe.ts";
import { handled } from "../streams/handled.ts";
import { messageOf, textOf } from "./user_code.ts";
import { InvalidEventError } from "./errors.ts";
import {
  type ReceiveEnd,
  receiveOf,
  type SendEnd,
  sendOf,
} from "./receive_and_send.ts";
import type {
  AsgiApp,
  LifespanReceiveEvent,
  LifespanScope,
  LifespanSendEvent,
  Receive,
  Send,
} from "./types.ts";

/**
 * An application as it is called for requests: with a shallow copy of the state
 * that it has built in its lifespan. What that state throws, the call throws.
 */
export function withState(app: AsgiApp, lifespan: LifespanCycle): AsgiApp {
  return (scope, receive, send) => {
    if (scope.type !== "lifespan" && lifespan.supported) {
      scope.state = { ...lifespan.state };
    }
    return app(scope, receive, send);
  };
}

/** Whether lifespan is tried, required, or not used. */
export type LifespanMode = "auto" | "on" | "off";

/** Thrown when an application fails to start, or to stop. */
export class LifespanError extends Error {
  /** The name of the class. */
  override readonly name = "LifespanError";
}

type Phase = "startup" | "running" | "shutdown" | "over";
type Outcome = "complete" | "failed" | "unsupported";

const EVENT_TYPE = /^lifespan\.(startup|shutdown)\.(complete|failed)$/;

/** What an application has answered, and why. */
interface LifespanAnswer {
  readonly outcome: Outcome;
  readonly message: string;
}

/** One call of an application with the lifespan scope. */
export class LifespanCycle
  implements
    ReceiveEnd<LifespanReceiveEvent>,
    SendEnd<LifespanSendEvent>,
    EventMaker<LifespanReceiveEvent>,
    EventHandler<LifespanAnswer> {
  /** What the application put into its state while it started. */
  readonly state: Record<string, unknown> = {};

  readonly #app: AsgiApp;
  readonly #mode: LifespanMode;
  readonly #onAppError: (error: unknown) => void;
  readonly #toApp = new DemandPipe<LifespanReceiveEvent>();
  readonly #fromApp = new HandledPipe<LifespanAnswer>({
    highWaterMark: 1,
    size: () => 1,
  });
  #phase: Phase = "startup";
  /** Whether the last answer was that all is well. */
  #complete = false;
  #startupSent = false;
  #supported = false;
  #outcome = Promise.withResolvers<Outcome>();
  #shutdownAsked = Promise.withResolvers<LifespanReceiveEvent>();
  #stopped: Promise<void> | undefined;
  #message = "";
  #thrown: { readonly error: unknown } | undefined;
  /** Why the first of the events was refused that were. */
  #refused: { readonly error: unknown } | undefined;

  /**
   * Nothing is called yet. `onAppError` is called with what the application
   * throws between its start-up and its shutdown, or after that.
   */
  constructor(
    app: AsgiApp,
    mode: LifespanMode,
    onAppError: (error: unknown) => void,
  ) {
    this.#app = app;
    this.#onAppError = onAppError;
    this.#mode = mode;
    this.#toApp.takeFrom(this);
    this.#fromApp.giveTo(this);
  }

  /** Whether the application took part in the start-up. */
  get supported(): boolean {
    return this.#supported;
  }

  /** What the application has thrown, or what an event of it was refused with. */
  get fault(): { readonly error: unknown } | undefined {
    return this.#thrown ?? this.#refused;
  }

  /** The fault of an application that began to start, and is served without. */
  get failedStart(): { readonly error: unknown } | undefined {
    return this.#startupSent && !this.#supported ? this.fault : undefined;
  }

  /**
   * Why the application says that it has failed; "" if it gave no reason. One
   * that has started may say something, too.
   */
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
    if (this.#supported || this.#mode !== "on") return;
    const { failedStart } = this;
    const reason = failedStart === undefined
      ? "it has no lifespan"
      : messageOf(failedStart.error);
    throw new LifespanError(`Cannot start application: ${reason}`, {
      cause: this.fault?.error,
    });
  }

  /**
   * Lets the application know that the server stops, and waits until it has
   * stopped. However often it is called, that happens once.
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
      { cause: this.fault?.error },
    );
  }

  /** The application waits for the next event. */
  read(): Promise<LifespanReceiveEvent> {
    return this.#toApp.read();
  }

  /** Whether no other event follows. */
  isLast(event: LifespanReceiveEvent): boolean {
    return event.type === "lifespan.shutdown";
  }

  /** Takes an event of the application. */
  send(event: LifespanSendEvent): Promise<void> {
    try {
      return this.#fromApp.write(this.#accept(event));
    } catch (error) {
      this.refused(error);
      return handled(Promise.reject(error));
    }
  }

  /** An event of the application was refused. */
  refused(error: unknown): void {
    this.#refused ??= { error };
  }

  #accept(event: LifespanSendEvent): LifespanAnswer {
    const { type, message } = event ?? {};
    const text = textOf(type);
    const [, phase, outcome] = EVENT_TYPE.exec(text) ?? [];
    if (phase !== this.#phase) {
      throw new InvalidEventError(
        `Cannot send ${text}: it is not due in phase "${this.#phase}"`,
      );
    }
    this.#phase = text === "lifespan.startup.complete" ? "running" : "over";
    this.#complete = outcome === "complete";
    return { outcome: outcome as Outcome, message: textOf(message ?? "") };
  }

  /** What an application aborts its stream with, it knows. */
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
      this.#thrown = { error };
    }
    this.#returned();
  }

  /** What the return of the application means depends on when it comes. */
  #returned(): void {
    const phase = this.#phase;
    const thrown = this.#thrown;
    this.#phase = "over";
    if (phase === "startup") this.#outcome.resolve("unsupported");
    if (phase === "shutdown") {
      this.#message = thrown === undefined ? "" : messageOf(thrown.error);
      this.#outcome.resolve(thrown === undefined ? "complete" : "failed");
    } else if (this.#complete && thrown !== undefined) {
      this.#onAppError(thrown.error);
    }
  }

  /** Makes the next event, when it is due. */
  nextEvent(): LifespanReceiveEvent | Promise<LifespanReceiveEvent> {
    if (this.#startupSent) return this.#shutdownAsked.promise;
    this.#startupSent = true;
    return { type: "lifespan.startup" };
  }

  /** Deals with the application's answer. */
  handleEvent({ outcome, message }: LifespanAnswer): undefined {
    this.#message = message;
    this.#outcome.resolve(outcome);
  }
}
