/**
 * What differs between the versions of HTTP for a WebSocket: how a request asks
 * for one, and with which fields it is accepted. HTTP/1.1 upgrades the connection (RFC 6455); HTTP/2 and HTTP/3 will give
 * one of their streams (RFC 8441, RFC 9220).
 *
 * @module
 */

import type { RequestInfo } from "../http/exchange.ts";
import type { Field } from "../http/fields.ts";
import type { Extension } from "../websocket/extensions.ts";
import {
  type Acceptance,
  acceptHeaders,
  checkHandshake,
  type HandshakeRefusal,
} from "../websocket/handshake.ts";

/** A request for a WebSocket that can be accepted. */
export interface WebSocketRequest {
  /** The kind of the result. */
  readonly type: "request";
  /** What the client offers to speak, in the order of its preference. */
  readonly subprotocols: readonly string[];
  /** The extensions that the client offers, in the order of its preference. */
  readonly extensions: readonly Extension[];
  /** The fields to accept it with. */
  acceptHeaders(acceptance: Acceptance): Field[];
}

/** What a request asks for; `undefined` if it is no WebSocket. */
export function readWebSocketRequest(
  request: RequestInfo,
): WebSocketRequest | HandshakeRefusal | undefined {
  const handshake = checkHandshake(request);
  if (handshake?.type !== "handshake") return handshake;
  const { subprotocols, extensions } = handshake;
  return {
    type: "request",
    subprotocols,
    extensions,
    acceptHeaders: (acceptance) => acceptHeaders(handshake, acceptance),
  };
}
