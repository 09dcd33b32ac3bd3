/**
 * SETTINGS, the client's and the server's (RFC 9113, section 6.5; RFC 8441,
 * section 3; RFC 9218, section 2.1).
 *
 * | the client's            | initially | must be                    | else               |
 * |-------------------------|-----------|----------------------------|--------------------|
 * | HEADER_TABLE_SIZE       | 4096      | anything                   |                    |
 * | ENABLE_PUSH             | 1         | 0 or 1                     | PROTOCOL_ERROR     |
 * | MAX_CONCURRENT_STREAMS  | no limit  | anything                   |                    |
 * | INITIAL_WINDOW_SIZE     | 65,535    | at most 2³¹ − 1            | FLOW_CONTROL_ERROR |
 * | MAX_FRAME_SIZE          | 16,384    | 2¹⁴ to 2²⁴ − 1             | PROTOCOL_ERROR     |
 * | MAX_HEADER_LIST_SIZE    | no limit  | anything                   |                    |
 * | ENABLE_CONNECT_PROTOCOL | 0         | 0 or 1, never 0 after 1    | PROTOCOL_ERROR     |
 * | NO_RFC7540_PRIORITIES   | 0         | 0 or 1, as in the first    | PROTOCOL_ERROR     |
 *
 * A parameter that is not known is ignored; more than 32 in a frame are
 * ENHANCE_YOUR_CALM. All errors end the connection.
 *
 * @module
 */

import {
  connectionError,
  type ErrorName,
  type Frame,
  type Http2Error,
  MAX_31_BITS,
  MAX_FRAME_BYTES,
  readUint32,
} from "./frames.ts";
import type { Setting } from "./frame_writer.ts";
import { MAX_SETTINGS } from "./limits.ts";

/** The parameters that there are. */
export const SETTINGS = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8,
  NO_RFC7540_PRIORITIES: 9,
} as const;

/** The name of a parameter. */
export type SettingName = keyof typeof SETTINGS;

/** The values of all parameters. */
export type SettingValues = Readonly<Record<SettingName, number>>;

/** The values that hold until others are sent. */
export const DEFAULT_SETTINGS: SettingValues = {
  HEADER_TABLE_SIZE: 4096,
  ENABLE_PUSH: 1,
  MAX_CONCURRENT_STREAMS: Infinity,
  INITIAL_WINDOW_SIZE: 65_535,
  MAX_FRAME_SIZE: MAX_FRAME_BYTES,
  MAX_HEADER_LIST_SIZE: Infinity,
  ENABLE_CONNECT_PROTOCOL: 0,
  NO_RFC7540_PRIORITIES: 0,
};

/** A parameter that was sent, and what it was before. */
export interface SettingChange {
  /** Which one. */
  readonly name: SettingName;
  /** Its value now. */
  readonly value: number;
  /** Its value before, which may be the same. */
  readonly previous: number;
}

const PARAMETER_BYTES = 6;
const MAX_FRAME_SIZE_LIMIT = 0xff_ffff;

const NAMES = new Map<number, SettingName>(
  (Object.keys(SETTINGS) as SettingName[]).map((name) => [
    SETTINGS[name],
    name,
  ]),
);

/** What a value must be. */
const CHECKS: Partial<
  Record<SettingName, readonly [ErrorName, (value: number) => boolean]>
> = {
  ENABLE_PUSH: ["PROTOCOL_ERROR", isSwitch],
  INITIAL_WINDOW_SIZE: ["FLOW_CONTROL_ERROR", (value) => value <= MAX_31_BITS],
  MAX_FRAME_SIZE: [
    "PROTOCOL_ERROR",
    (value) => value >= MAX_FRAME_BYTES && value <= MAX_FRAME_SIZE_LIMIT,
  ],
  ENABLE_CONNECT_PROTOCOL: ["PROTOCOL_ERROR", isSwitch],
  NO_RFC7540_PRIORITIES: ["PROTOCOL_ERROR", isSwitch],
};

function isSwitch(value: number): boolean {
  return value === 0 || value === 1;
}

/** The parameters of the client. */
export class ClientSettings {
  readonly #values: Record<SettingName, number> = { ...DEFAULT_SETTINGS };
  #frames = 0;

  /** The values as they are now. */
  get values(): SettingValues {
    return this.#values;
  }

  /**
   * Applies a SETTINGS frame that is no acknowledgment. It is to be acknowledged
   * once its changes are in force, and before anything that depends on them.
   *
   * @returns What was sent, in its order, repeated parameters too.
   * @throws {Http2Error} As the table says.
   */
  apply({ bytes, start, end }: Frame): SettingChange[] {
    if (end - start > MAX_SETTINGS * PARAMETER_BYTES) {
      throw connectionError("ENHANCE_YOUR_CALM", "Too many parameters at once");
    }
    const changes: SettingChange[] = [];
    for (let at = start; at < end; at += PARAMETER_BYTES) {
      const name = NAMES.get(bytes[at] << 8 | bytes[at + 1]);
      if (name === undefined) continue;
      changes.push(this.#set(name, readUint32(bytes, at + 2)));
    }
    this.#frames++;
    return changes;
  }

  #set(name: SettingName, value: number): SettingChange {
    const previous = this.#values[name];
    const [code, accepts] = CHECKS[name] ?? [];
    if (accepts?.(value) === false) throw refused(name, value, code);
    if (name === "ENABLE_CONNECT_PROTOCOL" && value < previous) {
      throw refused(name, value);
    }
    // Within the first frame, the last value counts.
    if (
      name === "NO_RFC7540_PRIORITIES" && this.#frames > 0 && value !== previous
    ) {
      throw refused(name, value);
    }
    this.#values[name] = value;
    return { name, value, previous };
  }
}

function refused(
  name: SettingName,
  value: number,
  code: ErrorName = "PROTOCOL_ERROR",
): Http2Error {
  return connectionError(code, `Cannot set ${name} to ${value}`);
}

/**
 * The parameters of the server. They are in force when the client has
 * acknowledged them; until then it may go by the initial ones, which allow less
 * in all that the server changes.
 */
export class ServerSettings {
  readonly #values: SettingValues;
  #unacknowledged = 0;
  #acknowledged = false;

  /** What is not given stays as it is initially. */
  constructor(values: Partial<SettingValues>) {
    this.#values = { ...DEFAULT_SETTINGS, ...values };
  }

  /** The values that the server wants. */
  get values(): SettingValues {
    return this.#values;
  }

  /** Whether an acknowledgment is due: it has 10 seconds. */
  get awaited(): boolean {
    return this.#unacknowledged > 0;
  }

  /** Whether the client has acknowledged the values. */
  get inForce(): boolean {
    return this.#acknowledged;
  }

  /** The parameters to be sent: those that are not what they are initially. */
  toSend(): Setting[] {
    this.#unacknowledged++;
    return (Object.keys(SETTINGS) as SettingName[])
      .filter((name) => this.#values[name] !== DEFAULT_SETTINGS[name])
      .map((name) => [SETTINGS[name], this.#values[name]]);
  }

  /** The client has acknowledged SETTINGS; one too many is ignored. */
  acknowledge(): void {
    if (this.#unacknowledged === 0) return;
    this.#unacknowledged--;
    this.#acknowledged = true;
  }
}
