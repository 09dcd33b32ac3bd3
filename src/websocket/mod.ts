/**
 * WebSocket for servers (RFC 6455), with compression of messages (RFC 7692),
 * over bytes in both directions: the handshake as pure functions, and a
 * connection that is read by `receive`, with back pressure in both directions.
 *
 * Nothing here knows of sockets, of a version of HTTP, or of ASGI.
 *
 * ```ts
 * import {
 *   acceptHeaders,
 *   type ByteStream,
 *   checkHandshake,
 *   type HandshakeRequest,
 *   DEFAULT_COMPRESSION_OPTIONS,
 *   negotiateDeflate,
 *   WebSocketConnection,
 * } from "jsr:@x/asgi/websocket";
 *
 * async function echo(request: HandshakeRequest, stream: ByteStream) {
 *   const handshake = checkHandshake(request);
 *   if (handshake?.type !== "handshake") return;
 *   const deflate = negotiateDeflate(
 *     handshake.extensions,
 *     DEFAULT_COMPRESSION_OPTIONS,
 *   );
 *   const fields = acceptHeaders(handshake, { extensions: deflate?.response });
 *   const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
 *   const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
 *   await stream.write(
 *     new TextEncoder().encode(`${head}${lines.join("")}\r\n`),
 *   );
 *   const connection = new WebSocketConnection(stream, { deflate });
 *   for (;;) {
 *     const event = await connection.receive();
 *     if (event.type === "close") break;
 *     await connection.send(event.data);
 *   }
 *   await connection.streamClosed;
 * }
 * ```
 *
 * What is not supported: the client's side, extensions other than
 * permessage-deflate, sending or receiving a message before it is whole. A message
 * that the client compressed in blocks that say that they are the last ends the
 * compression's context.
 *
 * @module
 */

export type { Field } from "../http/fields.ts";
export { ByteReader } from "../streams/byte_reader.ts";
export { BufferBudget, type BufferMeter } from "./buffer_budget.ts";
export { isCloseCode } from "./close_codes.ts";
export { WebSocketConnection } from "./connection.ts";
export type {
  Close,
  WebSocketConnectionOptions,
} from "./connection_options.ts";
export { type DeflateAgreement, negotiateDeflate } from "./deflate_offer.ts";
export type { Extension, ExtensionParameter } from "./extensions.ts";
export {
  type Acceptance,
  acceptHeaders,
  acceptKey,
  agreementHeaders,
  checkExtendedConnect,
  checkHandshake,
  type ExtendedConnect,
  type ExtendedConnectRequest,
  type Handshake,
  type HandshakeRefusal,
  type HandshakeRequest,
  type Offer,
  offeredExtensions,
  offeredSubprotocols,
} from "./handshake.ts";
export type { SendOptions } from "./message_sender.ts";
export type { Message } from "./messages.ts";
export {
  type CompressionOptions,
  DEFAULT_COMPRESSION_OPTIONS,
  DEFAULT_WEBSOCKET_OPTIONS,
  type WebSocketOptions,
} from "./options.ts";
export type { Deadline, DisposableDeadline } from "../streams/deadline.ts";
export type { DemandListener, MessageSink } from "../streams/message_pipe.ts";
export type { ByteStream } from "../streams/byte_stream.ts";
export { WebSocketError } from "./websocket_error.ts";
