/**
 * HTTP/2 for servers (RFC 9113, with HPACK, WebSocket by RFC 8441 and priorities
 * by RFC 9218): the connection that serves requests over any transport of bytes,
 * and the pieces that it is made of, which do no I/O.
 *
 * Nothing here knows of sockets or of ASGI.
 *
 * ```ts
 * import { FrameReader, FrameWriter } from "jsr:@x/asgi/http2";
 *
 * const sent: Uint8Array[] = [];
 * const writer = new FrameWriter({ bytes: (bytes) => sent.push(bytes.slice()) });
 * writer.ping(new Uint8Array(8), false);
 *
 * const reader = new FrameReader({ preface: false });
 * reader.push(new Uint8Array(await new Blob(sent as BlobPart[]).arrayBuffer()));
 * console.log(reader.next()?.type); // 6: PING
 * ```
 *
 * @module
 */

export type { Field } from "../http/fields.ts";
export type {
  Answerable,
  Disconnect,
  DisconnectListener,
  Exchange,
  RequestInfo,
} from "../http/exchange.ts";
export { HttpError } from "../http/http_error.ts";
export { DEFAULT_LIMITS, type RequestLimits } from "../http/limits.ts";
export type { RequestTarget } from "../http/request_target.ts";
export type { ResponseDefaults } from "../http/response_fields.ts";
export type { MessageStream } from "../http/message_stream.ts";
export type { RequestFields } from "../http/request_fields.ts";
export type {
  ExchangeContext,
  ExchangeOptions,
  StreamExchange,
} from "../http/stream_exchange.ts";
export type {
  RefusedBytes,
  ServedConnection,
  UpgradedConnection,
} from "../http/served_connection.ts";
export type { Transport } from "../http/transport.ts";
export {
  ByteReader,
  LineError,
  type LineFault,
} from "../streams/byte_reader.ts";
export type { ByteStream } from "../streams/byte_stream.ts";
export type { Deadline, DisposableDeadline } from "../streams/deadline.ts";
export {
  Http2Connection,
  type Http2Handler,
  type Http2Meter,
} from "./connection.ts";
export {
  ERROR_CODES,
  type ErrorName,
  FLAGS,
  type Frame,
  FRAME_TYPES,
  Http2Error,
} from "./frames.ts";
export { FrameReader, type FrameReaderOptions } from "./frame_reader.ts";
export { type FrameOutput, FrameWriter, type Setting } from "./frame_writer.ts";
export { type Http2Exchange } from "./exchange.ts";
export { DEFAULT_HTTP2_OPTIONS, type Http2Options } from "./options.ts";
