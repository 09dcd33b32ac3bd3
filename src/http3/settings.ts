/**
 * SETTINGS (RFC 9114, section 7.2.4): what the client says of itself, and what the
 * server does. As the server does not set the capacity of QPACK's table, it is 0.
 *
 * @module
 */

import { Http3Error } from "./errors.ts";
import { encodeFrame } from "./frames.ts";
import { MAX_SETTINGS } from "./limits.ts";
import { encodeVarints, PayloadReader } from "./varint.ts";

/** Their identifiers. */
export const SETTINGS = {
  QPACK_MAX_TABLE_CAPACITY: 0x01,
  MAX_FIELD_SECTION_SIZE: 0x06,
  QPACK_BLOCKED_STREAMS: 0x07,
  ENABLE_CONNECT_PROTOCOL: 0x08,
  H3_DATAGRAM: 0x33,
} as const;

/** Those of HTTP/2 that have no meaning here (section 11.2.2). */
const OF_HTTP2: ReadonlySet<number> = new Set([0x00, 0x02, 0x03, 0x04, 0x05]);
const SWITCHES: ReadonlySet<number> = new Set([
  SETTINGS.ENABLE_CONNECT_PROTOCOL,
  SETTINGS.H3_DATAGRAM,
]);

/** What the server needs to know of a client. */
export interface ClientSettings {
  /**
   * The largest field section that it accepts, as `fieldSize` counts; `Infinity`
   * until it says so.
   */
  readonly maxFieldSectionSize: number;
}

/** What holds until the client says something else. */
export const DEFAULT_SETTINGS: ClientSettings = {
  maxFieldSectionSize: Infinity,
};

/**
 * Reads the payload of the client's SETTINGS.
 *
 * @throws {Http3Error} If it breaks a rule.
 */
export function readSettings(payload: Uint8Array): ClientSettings {
  const values = new Map<number, number>();
  const reader = new PayloadReader(payload);
  while (!reader.done) {
    const id = reader.varint();
    const value = reader.varint();
    if (id === undefined || value === undefined) {
      throw new Http3Error("H3_FRAME_ERROR", "SETTINGS is cut");
    }
    checkSetting(values, id, value);
    values.set(id, value);
  }
  return {
    maxFieldSectionSize: values.get(SETTINGS.MAX_FIELD_SECTION_SIZE) ??
      DEFAULT_SETTINGS.maxFieldSectionSize,
  };
}

function checkSetting(
  earlier: ReadonlyMap<number, number>,
  id: number,
  value: number,
): void {
  if (earlier.size >= MAX_SETTINGS) {
    throw new Http3Error("H3_EXCESSIVE_LOAD", "Too many settings");
  }
  // Identifiers that no number can hold exactly can't be compared.
  const isRepeated = id !== Infinity && earlier.has(id);
  if (isRepeated || OF_HTTP2.has(id) || SWITCHES.has(id) && value > 1) {
    throw new Http3Error("H3_SETTINGS_ERROR", "A setting is not allowed");
  }
}

/** The SETTINGS of the server; `maxFieldSectionSize` is what it accepts. */
export function encodeSettings(
  { maxFieldSectionSize }: ClientSettings,
): Uint8Array {
  const payload = encodeVarints(
    SETTINGS.MAX_FIELD_SECTION_SIZE,
    maxFieldSectionSize,
    SETTINGS.ENABLE_CONNECT_PROTOCOL,
    1,
  );
  return encodeFrame("SETTINGS", payload);
}
