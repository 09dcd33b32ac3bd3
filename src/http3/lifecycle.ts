/**
 * The life of an HTTP/3 connection, from the client's SETTINGS to its end:
 * {@linkcode CONNECTION_TABLE} says what may happen when, and here is what is done
 * about it.
 *
 * | while                        | for                 | then                    |
 * |------------------------------|---------------------|-------------------------|
 * | its SETTINGS have not come   | `headerTimeout`     | close                   |
 * | no stream is open            | `keepAliveTimeout`  | close                   |
 * | the server is about to leave | 1 s; 300 ms if idle | the last request is known |
 * | everything was sent          | 1 s                 | close                   |
 *
 * @module
 */

import {
  CONNECTION_TABLE,
  type ConnectionEvent,
  type ConnectionState,
} from "../http/stream_connection_state.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";
import type { ControlWriter } from "./control_writer.ts";
import { ERROR_CODES, type ErrorName } from "./errors.ts";
import {
  DELIVERY_TIMEOUT_MS,
  IDLE_LEAVE_TIMEOUT_MS,
  LEAVE_TIMEOUT_MS,
} from "./limits.ts";
import type { Http3Options } from "./options.ts";
import type { Streams } from "./streams.ts";
import type { QuicTransport } from "./transport.ts";

/** What the life of a connection is about. */
export interface LifecycleParts {
  readonly transport: QuicTransport;
  readonly control: ControlWriter;
  readonly streams: Streams;
  readonly options: Http3Options;
}

/** The life of one connection. */
export class Lifecycle {
  readonly #parts: LifecycleParts;
  readonly #deadline: DisposableDeadline;
  #state: ConnectionState = "fresh";
  /** Whether a request has come. */
  #used = false;
  /** Since when the client has kept the server waiting. */
  #waitingFrom: number | undefined = performance.now();
  /** Whether what was sent last may not have arrived. */
  #delivering = false;

  /** Nothing has come yet. */
  constructor(parts: LifecycleParts) {
    this.#parts = parts;
    this.#deadline = parts.transport.createDeadline();
  }

  /** Whether requests are served, or will be. */
  get serves(): boolean {
    return this.#state === "fresh" || this.#state === "open";
  }

  /** Whether the connection is closed. */
  get over(): boolean {
    return this.#state === "closed";
  }

  /** Whether a request has come. */
  get used(): boolean {
    return this.#used;
  }

  /** As `waitingSince` of a connection. */
  get waitingSince(): number | undefined {
    return this.#parts.streams.handled > 0 ? undefined : this.#waitingFrom;
  }

  /** Waits for the client to say what it is like. */
  begin(): void {
    this.#armDeadline();
  }

  /** The client has said what it is like. */
  settingsCame(): void {
    if (this.#state !== "fresh") return;
    this.#go("settings");
    this.#armDeadline();
  }

  /** A stream has begun. */
  streamCame(): void {
    this.#waitingFrom ??= performance.now();
    if (this.#state === "open") this.#deadline.disarm();
  }

  /** A request has come. */
  requestCame(): void {
    this.#used = true;
    this.#delivering = true;
  }

  /** No stream is open any more. */
  drained(): void {
    if (this.over) return;
    if (this.#state === "left") return this.#finish();
    if (this.#used) this.#waitingFrom = undefined;
    this.#armDeadline();
  }

  /** The first step: the client learns that the server is about to leave. */
  shutdown(): void {
    if (!this.serves) return;
    this.#go("leave");
    const { control, streams } = this.#parts;
    control.goaway();
    const isIdle = streams.size === 0;
    const ms = isIdle ? IDLE_LEAVE_TIMEOUT_MS : LEAVE_TIMEOUT_MS;
    this.#deadline.arm(ms, () => this.leave());
  }

  /** The second step, or the only one: what comes from now on is not served. */
  leave(): void {
    if (this.serves) this.#go("leave");
    this.#go("last stream");
    const { control, streams } = this.#parts;
    streams.close();
    control.goaway(streams.nextId);
    if (streams.size === 0) this.#finish();
  }

  /**
   * Nothing is owed. A close drops what was not acknowledged, so it has to wait,
   * unless nothing was sent for a while.
   */
  #finish(): void {
    this.#go("done");
    if (!this.#delivering) return this.close("H3_NO_ERROR");
    this.#deadline.arm(DELIVERY_TIMEOUT_MS, () => this.close("H3_NO_ERROR"));
  }

  /** Closes the connection at once, and says why. */
  close(name: ErrorName, reason = ""): void {
    this.closeWith(ERROR_CODES[name], reason);
  }

  /** As {@linkcode Lifecycle.close}, with a code of HTTP/3 or QPACK. */
  closeWith(code: number, reason: string): void {
    if (this.over) return;
    this.end();
    this.#parts.transport.close(code, reason);
  }

  /** The connection is closed: lets go of its deadline. */
  end(): void {
    this.#go("close");
    this.#deadline[Symbol.dispose]();
  }

  #go(event: ConnectionEvent): void {
    this.#state = CONNECTION_TABLE[this.#state][event] ?? this.#state;
  }

  #armDeadline(): void {
    if (!this.serves) return;
    const { headerTimeout, keepAliveTimeout } = this.#parts.options;
    if (this.#state === "fresh") {
      this.#deadline.arm(headerTimeout, this.#expired);
    } else if (this.#parts.streams.size > 0) this.#deadline.disarm();
    else this.#awaitRequest(keepAliveTimeout);
  }

  /** Part of the wait lets what was sent last arrive. */
  #awaitRequest(ms: number): void {
    const first = this.#delivering ? Math.min(DELIVERY_TIMEOUT_MS, ms) : ms;
    this.#deadline.arm(first, () => {
      this.#delivering = false;
      if (first === ms) this.#expired();
      else this.#deadline.arm(ms - first, this.#expired);
    });
  }

  readonly #expired = (): void => this.close("H3_NO_ERROR");
}
