/**
 * A request out of the fields of a HEADERS (RFC 9113, sections 8.1 to 8.5). The
 * rules are those of HTTP/3 too, and in `http/`; here a breach of them gets the
 * error of HTTP/2: a malformed request is a stream error PROTOCOL_ERROR
 * (section 8.1.1).
 *
 * @module
 */

import { checkTrailers, MalformedError } from "../http/field_section.ts";
import type { Field } from "../http/fields.ts";
import { HttpError } from "../http/http_error.ts";
import {
  type FieldLimits,
  readRequestFields,
  type RequestFields,
} from "../http/request_fields.ts";
import { streamError } from "./frames.ts";

/** A block of fields that was decoded. */
export interface DecodedBlock {
  /** The stream that it came on. */
  readonly streamId: number;
  /** The fields, in their order, pseudo-fields too. */
  readonly fields: readonly Field[];
  /** Whether the stream ends with it. */
  readonly endStream: boolean;
}

/**
 * Reads the fields of a request.
 *
 * @throws {Http2Error} PROTOCOL_ERROR of the stream, if they are malformed.
 * @throws {HttpError} 413, 414 or 417, if the request is not served.
 */
export function readRequest(
  { streamId, fields, endStream }: DecodedBlock,
  limits: FieldLimits,
): RequestFields {
  return onStream(
    streamId,
    () => readRequestFields(fields, !endStream, limits),
  );
}

/**
 * Checks the fields after the content, which then are dropped: ASGI has no event
 * for them.
 *
 * @throws {Http2Error} PROTOCOL_ERROR of the stream, if they are malformed.
 */
export function readTrailers({ streamId, fields }: DecodedBlock): void {
  onStream(streamId, () => checkTrailers(fields));
}

function onStream<T>(streamId: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw streamError(streamId, "PROTOCOL_ERROR", error.message);
  }
}

/**
 * What CONNECT is served with: WebSocket, and no tunnel of TCP.
 *
 * @throws {HttpError} If it is for anything else.
 */
export function checkConnect(
  protocol: string | undefined,
  endStream: boolean,
): void {
  if (protocol === undefined) {
    throw new HttpError(501, "Cannot serve CONNECT");
  }
  if (endStream) {
    throw new HttpError(400, "Cannot serve CONNECT that has ended");
  }
}
