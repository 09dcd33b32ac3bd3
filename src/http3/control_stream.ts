/**
 * The control stream of a client (RFC 9114, section 6.2.1): its SETTINGS first, and
 * then what concerns the connection.
 *
 * @module
 */

import { parsePriority, type PriorityUpdate } from "../http/priority.ts";
import { decodeByteString } from "../streams/byte_string.ts";
import type { Budgets } from "./budgets.ts";
import { Http3Error } from "./errors.ts";
import { checkFrame } from "./frame_rules.ts";
import {
  FRAME_TYPES,
  type FramePart,
  FrameReader,
  type FrameUse,
} from "./frames.ts";
import { MAX_CONTROL_FRAME_BYTES } from "./limits.ts";
import { type ClientSettings, readSettings } from "./settings.ts";
import { PayloadReader } from "./varint.ts";

/** What is done about the frames. */
export interface ControlListener {
  /** Called once. */
  settingsCame(settings: ClientSettings): void;
  /** Called with a priority, before or after its request has come. */
  priorityUpdated(update: PriorityUpdate): void;
  /** The identifier that no request of the client can have reached. */
  readonly streamLimit: number;
}

/** Reads the control stream of one client. */
export class ControlStream {
  readonly #listener: ControlListener;
  readonly #budgets: Budgets;
  readonly #frames = new FrameReader((type, length) =>
    this.#choose(type, length)
  );
  #hasSettings = false;
  /** Those of GOAWAY only fall, those of MAX_PUSH_ID only rise. */
  #goawayId = Infinity;
  #maxPushId = 0;

  /** Creates a reader at the start of the stream, after its type. */
  constructor(listener: ControlListener, budgets: Budgets) {
    this.#listener = listener;
    this.#budgets = budgets;
  }

  /**
   * Takes bytes, in any pieces.
   *
   * @throws {Http3Error} If the client breaks a rule.
   */
  receive(bytes: Uint8Array): void {
    this.#frames.push(bytes);
    for (;;) {
      const part = this.#frames.next();
      if (part === undefined) return;
      this.#take(part);
    }
  }

  #choose(type: number, length: number): FrameUse {
    const isSettings = type === FRAME_TYPES.SETTINGS;
    if (!this.#hasSettings && !isSettings) {
      throw new Http3Error("H3_MISSING_SETTINGS", "SETTINGS must come first");
    }
    if (isSettings && this.#hasSettings) {
      throw new Http3Error("H3_FRAME_UNEXPECTED", "SETTINGS must come once");
    }
    const isKnown = checkFrame("control", type);
    if (!isSettings) this.#budgets.idleFrame();
    if (!isKnown) return "skip";
    if (length <= MAX_CONTROL_FRAME_BYTES) {
      this.#hasSettings = true;
      return "whole";
    }
    throw new Http3Error("H3_EXCESSIVE_LOAD", "A control frame is too large");
  }

  #take({ type, bytes }: FramePart): void {
    switch (type) {
      case FRAME_TYPES.SETTINGS:
        return this.#listener.settingsCame(readSettings(bytes));
      case FRAME_TYPES.GOAWAY:
        return this.#takeGoaway(readOne(bytes));
      case FRAME_TYPES.MAX_PUSH_ID:
        return this.#takeMaxPushId(readOne(bytes));
      case FRAME_TYPES.CANCEL_PUSH:
        readOne(bytes);
        throw wrongId("CANCEL_PUSH: nothing was pushed");
      default:
        return this.#listener.priorityUpdated(this.#readPriority(bytes));
    }
  }

  #takeGoaway(id: number): void {
    if (id > this.#goawayId) throw wrongId("GOAWAY: it must not rise");
    // It is about pushes: a client that leaves closes the connection itself.
    this.#goawayId = id;
  }

  #takeMaxPushId(id: number): void {
    if (id < this.#maxPushId) throw wrongId("MAX_PUSH_ID: it must not fall");
    this.#maxPushId = id;
  }

  #readPriority(payload: Uint8Array): PriorityUpdate {
    const reader = new PayloadReader(payload);
    const streamId = reader.varint();
    if (streamId === undefined) throw cut();
    const isRequest = streamId % 4 === 0 &&
      streamId < this.#listener.streamLimit;
    if (!isRequest) throw wrongId("PRIORITY_UPDATE: no stream of a request");
    const priority = parsePriority(decodeByteString(reader.rest()));
    return { streamId, priority };
  }
}

/** Reads a payload that is one integer. */
function readOne(payload: Uint8Array): number {
  const reader = new PayloadReader(payload);
  const value = reader.varint();
  if (value === undefined || !reader.done) throw cut();
  return value;
}

function cut(): Http3Error {
  return new Http3Error("H3_FRAME_ERROR", "A control frame has a wrong length");
}

function wrongId(why: string): Http3Error {
  return new Http3Error("H3_ID_ERROR", `Cannot accept identifier of ${why}`);
}
