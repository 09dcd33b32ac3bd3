/**
 * The life of an HTTP/2 connection, from the client's SETTINGS to its end:
 * {@linkcode CONNECTION_TABLE} says what may happen when, and here is what is done
 * about it.
 *
 * | while                          | the client has      | then                  |
 * |--------------------------------|---------------------|-----------------------|
 * | its SETTINGS have not come     | `headerTimeout`     | GOAWAY                |
 * | ours are not acknowledged      | 10 s                | SETTINGS_TIMEOUT      |
 * | a header block is not complete | `headerTimeout`     | ENHANCE_YOUR_CALM     |
 * | no stream is open              | `keepAliveTimeout`  | GOAWAY                |
 * | the server is about to leave   | 1 s; 300 ms if idle | the last stream is known |
 * | everything was sent            | `drainTimeout`      | close                 |
 *
 * @module
 */

import type { Transport } from "../http/transport.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";
import { handled } from "../streams/handled.ts";
import {
  CONNECTION_TABLE,
  type ConnectionEvent,
  type ConnectionState,
} from "../http/stream_connection_state.ts";
import {
  connectionError,
  ERROR_CODES,
  type Http2Error,
  MAX_31_BITS,
} from "./frames.ts";
import {
  IDLE_LEAVE_TIMEOUT_MS,
  LEAVE_TIMEOUT_MS,
  SETTINGS_TIMEOUT_MS,
} from "./limits.ts";
import type { Http2Options } from "./options.ts";
import type { FramesListener } from "./received_frames.ts";
import type { ServerSettings } from "./settings.ts";
import type { Streams } from "./streams.ts";
import type { Http2Wire } from "./wire.ts";

/** What the client acknowledges before the server leaves. */
const LEAVE_PING = new Uint8Array(8).fill(0x2a);

/** What the life of a connection is about. */
export interface LifecycleParts {
  readonly transport: Transport;
  readonly wire: Http2Wire;
  readonly streams: Streams;
  readonly settings: ServerSettings;
  readonly options: Http2Options;
}

/** The life of one connection. */
export class Lifecycle implements FramesListener {
  readonly #transport: Transport;
  readonly #wire: Http2Wire;
  readonly #streams: Streams;
  readonly #settings: ServerSettings;
  readonly #options: Http2Options;
  #state: ConnectionState = "fresh";
  /** Whether a request has come. */
  #used = false;
  #midBlock = false;
  #clientLeaves = false;
  /** Since when the client has kept the server waiting. */
  #waitingFrom: number | undefined = performance.now();
  /** For the acknowledgments of the client. */
  #ackDeadline: DisposableDeadline | undefined;

  /** Nothing was sent yet. */
  constructor(parts: LifecycleParts) {
    this.#transport = parts.transport;
    this.#wire = parts.wire;
    this.#streams = parts.streams;
    this.#settings = parts.settings;
    this.#options = parts.options;
  }

  /** Whether requests are served, or will be. */
  get serves(): boolean {
    return this.#state === "fresh" || this.#state === "open";
  }

  /** Whether what the client sends is dropped. */
  get over(): boolean {
    return this.#state === "lingering" || this.#state === "closed";
  }

  /** Whether a request has come. */
  get used(): boolean {
    return this.#used;
  }

  /** As `waitingSince` of a connection. */
  get waitingSince(): number | undefined {
    return this.#streams.size > 0 ? undefined : this.#waitingFrom;
  }

  /** Waits for the client to say what it is like. */
  begin(): void {
    this.#armDeadline();
    this.#awaitAck(SETTINGS_TIMEOUT_MS, () => {
      if (!this.#settings.awaited) return;
      const message = "SETTINGS were not acknowledged";
      this.fail(connectionError("SETTINGS_TIMEOUT", message));
    });
  }

  /** A request has come: its own deadlines bound what it waits for. */
  requestCame(): void {
    this.#used = true;
    if (!this.#midBlock) this.#transport.readDeadline.disarm();
  }

  /** Called by the frames. */
  settingsCame(): void {
    if (this.#state !== "fresh") return;
    this.#go("settings");
    this.#armDeadline();
  }

  /** Called by the frames. */
  settingsKnown(): void {
    this.#settings.acknowledge();
  }

  /** Called by the frames. */
  pingAcknowledged(payload: Uint8Array): void {
    if (payload.every((byte, i) => byte === LEAVE_PING[i])) this.#leave();
  }

  /** Called by the frames: its streams come to their end. */
  clientLeaves(): void {
    this.#clientLeaves = true;
    if (this.#streams.size > 0) return;
    this.#streams.close(); // What came with it, and after it, is not served.
    this.#finish();
  }

  /** Called by the frames. What else comes does not prolong the wait. */
  blockOpened(isOpen: boolean): void {
    this.#midBlock = isOpen;
    if (!isOpen) return this.#armDeadline();
    this.#waitingFrom ??= performance.now();
    const { headerTimeout } = this.#options;
    this.#transport.readDeadline.arm(headerTimeout, () => {
      const message = "A header block is too slow";
      this.fail(connectionError("ENHANCE_YOUR_CALM", message));
    });
  }

  /** No stream is open any more, after what came was dealt with. */
  drained(): void {
    if (this.over) return;
    if (this.#state === "left" || this.#clientLeaves) return this.#finish();
    if (this.#midBlock) return;
    if (this.#used) this.#waitingFrom = undefined;
    this.#armDeadline();
  }

  /** The first step: the client learns that the server is about to leave. */
  shutdown(): void {
    if (!this.serves) return;
    this.#go("leave");
    const { frames } = this.#wire;
    frames.goAway(MAX_31_BITS, ERROR_CODES.NO_ERROR);
    frames.ping(LEAVE_PING, false);
    this.#wire.flushSoon();
    const isIdle = this.#streams.size === 0;
    const ms = isIdle ? IDLE_LEAVE_TIMEOUT_MS : LEAVE_TIMEOUT_MS;
    this.#awaitAck(ms, () => this.#leave());
  }

  /** The second step: what comes from now on is not served. */
  #leave(): void {
    if (this.#state !== "leaving") return;
    this.#go("last stream");
    this.#streams.close();
    this.#wire.frames.goAway(this.#streams.lastId, ERROR_CODES.NO_ERROR);
    this.#wire.flushSoon();
    if (this.#streams.size === 0) this.#finish();
  }

  /** The client has broken a rule, or was too slow: nothing more is served. */
  fail(error: Http2Error): void {
    this.goAway(error.code, error.message);
  }

  /** Ends all streams, says why, and closes. */
  goAway(code: number, debug = ""): void {
    if (this.over) return;
    this.#wire.frames.goAway(this.#streams.lastId, code, debug);
    this.#finish();
    this.#streams.lose(new Error(debug || "The connection was closed"));
  }

  /** Nothing is owed: closes so that the client can read what was sent. */
  #finish(): void {
    if (this.over) return;
    this.#go("done");
    handled(this.#linger());
  }

  async #linger(): Promise<void> {
    this.#waitingFrom = performance.now();
    const { readDeadline } = this.#transport;
    readDeadline.disarm();
    try {
      await this.#wire.output.flush();
      await this.#transport.closeWrite();
      if (this.#state === "closed") return;
      const { drainTimeout } = this.#options;
      readDeadline.arm(drainTimeout, () => this.#transport.endRead());
    } catch {
      this.#transport.close(); // The client is lost.
    }
  }

  /** The connection is over: lets go of its deadlines. */
  end(): void {
    this.#go("close");
    this.#ackDeadline?.[Symbol.dispose]();
    this.#transport.readDeadline.disarm();
  }

  #go(event: ConnectionEvent): void {
    this.#state = CONNECTION_TABLE[this.#state][event] ?? this.#state;
  }

  #armDeadline(): void {
    const { headerTimeout, keepAliveTimeout } = this.#options;
    const { readDeadline } = this.#transport;
    if (this.over || this.#midBlock) return;
    if (this.#streams.size > 0) readDeadline.disarm();
    else {
      readDeadline.arm(
        this.#state === "fresh" ? headerTimeout : keepAliveTimeout,
        this.#expired,
      );
    }
  }

  readonly #expired = (): void => this.goAway(ERROR_CODES.NO_ERROR);

  #awaitAck(ms: number, onExpiry: () => void): void {
    this.#ackDeadline ??= this.#transport.createDeadline();
    this.#ackDeadline.arm(ms, onExpiry);
  }
}
