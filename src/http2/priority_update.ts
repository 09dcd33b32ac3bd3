/**
 * PRIORITY_UPDATE of HTTP/2 (RFC 9218, section 7.1). The priority tree of RFC 7540
 * is not read.
 *
 * @module
 */

import { parsePriority, type PriorityUpdate } from "../http/priority.ts";
import { decodeByteString } from "../streams/byte_string.ts";
import { type Frame, readUint31 } from "./frames.ts";

/** Reads a PRIORITY_UPDATE; `undefined` if it is not about a client's stream. */
export function readPriorityUpdate(
  { bytes, start, end }: Frame,
): PriorityUpdate | undefined {
  const streamId = readUint31(bytes, start);
  if (streamId % 2 === 0) return undefined;
  const value = bytes.subarray(start + 4, end);
  return { streamId, priority: parsePriority(decodeByteString(value)) };
}
