/**
 * HTTP/1.0 and HTTP/1.1 for servers (RFC 9110, RFC 9112): a strict parser of
 * request heads and bodies over any `ReadableStream<Uint8Array>`, and the
 * connection that serves requests over any transport of bytes.
 *
 * Nothing here knows of sockets or of ASGI.
 *
 * ```ts
 * import { ByteReader, RequestBody, RequestHeadParser } from "jsr:@x/asgi/http1";
 *
 * const wire = "POST /items HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
 * const reader = new ByteReader(new Blob([wire]).stream());
 * const head = await new RequestHeadParser(reader).read();
 * const body = new RequestBody(reader, head!.framing);
 * console.log(head!.method, new TextDecoder().decode((await body.read())!));
 * ```
 *
 * @module
 */

export type { Field } from "../http/fields.ts";
export {
  ByteReader,
  LineError,
  type LineFault,
} from "../streams/byte_reader.ts";
export type { BodyFraming, ConnectionFields } from "./connection_fields.ts";
export {
  type ExchangeHandler,
  Http1Connection,
  type PrefaceHandler,
} from "./connection.ts";
export type {
  Answerable,
  Disconnect,
  DisconnectListener,
  Exchange,
  RequestInfo,
} from "../http/exchange.ts";
export type {
  RefusedBytes,
  ServedConnection,
  UpgradedConnection,
} from "../http/served_connection.ts";
export { Http1Exchange } from "./exchange.ts";
export { HttpError } from "../http/http_error.ts";
export { DEFAULT_LIMITS, type RequestLimits } from "../http/limits.ts";
export { DEFAULT_HTTP1_OPTIONS, type Http1Options } from "./options.ts";
export { RequestBody } from "./request_body.ts";
export { type RequestHead, RequestHeadParser } from "./request_head.ts";
export type { RequestTarget } from "../http/request_target.ts";
export type { ResponseDefaults } from "../http/response_fields.ts";
export { reasonPhrase } from "../http/status.ts";
export type { Transport } from "../http/transport.ts";
export type { Deadline, DisposableDeadline } from "../streams/deadline.ts";
export type { ByteStream } from "../streams/byte_stream.ts";
export { UpgradedStream } from "./upgraded_stream.ts";
