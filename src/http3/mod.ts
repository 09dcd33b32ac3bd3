/**
 * HTTP/3 for servers (RFC 9114, with QPACK, WebSocket by RFC 9220 and priorities by
 * RFC 9218): the connection that serves requests over any QUIC connection, and the
 * pieces that it is made of, which do no I/O. It is experimental.
 *
 * Nothing here knows of sockets or of ASGI.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeSection, FrameReader, QpackDecoder } from "jsr:@x/asgi/http3";
 *
 * const section = encodeSection([[":status", "200"], ["x", "1"]]);
 * const reader = new FrameReader(() => "whole");
 * reader.push(Uint8Array.of(0x01, section.length, ...section));
 *
 * const headers = reader.next()!;
 * assertEquals(headers.type, 0x01);
 * const list = new QpackDecoder().decode(headers.bytes);
 * assertEquals(list?.fields, [[":status", "200"], ["x", "1"]]);
 * ```
 *
 * @module
 */

export type { Field } from "../http/fields.ts";
export type { FieldList, FieldListLimits } from "../http/field_list.ts";
export type {
  Answerable,
  Disconnect,
  DisconnectListener,
  Exchange,
  RequestInfo,
} from "../http/exchange.ts";
export { HttpError } from "../http/http_error.ts";
export { DEFAULT_LIMITS, type RequestLimits } from "../http/limits.ts";
export type { MessageStream } from "../http/message_stream.ts";
export type { RequestFields } from "../http/request_fields.ts";
export type {
  ExchangeContext,
  ExchangeOptions,
  StreamExchange,
} from "../http/stream_exchange.ts";
export type { RequestTarget } from "../http/request_target.ts";
export type { ResponseDefaults } from "../http/response_fields.ts";
export type {
  RefusedBytes,
  ServedConnection,
  UpgradedConnection,
} from "../http/served_connection.ts";
export {
  ByteReader,
  LineError,
  type LineFault,
} from "../streams/byte_reader.ts";
export type { ByteStream } from "../streams/byte_stream.ts";
export type { Deadline, DisposableDeadline } from "../streams/deadline.ts";
export {
  Http3Connection,
  type Http3Handler,
  type Http3Meter,
} from "./connection.ts";
export { ERROR_CODES, type ErrorName, Http3Error } from "./errors.ts";
export type { Http3Exchange } from "./exchange.ts";
export {
  type ChooseUse,
  encodeFrame,
  FRAME_TYPES,
  type FrameName,
  type FramePart,
  FrameReader,
  type FrameUse,
} from "./frames.ts";
export { DEFAULT_HTTP3_OPTIONS, type Http3Options } from "./options.ts";
export { QpackDecoder, type QpackDecoderOptions } from "./qpack/decoder.ts";
export { encodeSection } from "./qpack/encoder.ts";
export {
  QPACK_ERROR_CODES,
  QpackError,
  type QpackErrorName,
} from "./qpack/qpack_error.ts";
export type {
  QuicClose,
  QuicReceiveStream,
  QuicSendStream,
  QuicStream,
  QuicTransport,
} from "./transport.ts";
