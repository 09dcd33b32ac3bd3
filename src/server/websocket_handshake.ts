/**
 * What differs between the versions of HTTP for a WebSocket: how a request asks
 * for one, and with which fields it is accepted. HTTP/1.1 upgrades the connection
 * (RFC 6455); HTTP/2 and HTTP/3 give one of their streams (RFC 8441, RFC 9220).
 *
 * A request of HTTP/1.1 that asks for another protocol is answered as if it did
 * not. An extended CONNECT cannot be: it is refused with 501.
 *
 * @module
 */

import type { RequestInfo } from "../http/exchange.ts";
import type { Field } from "../http/fields.ts";
import {
  type Acceptance,
  acceptHeaders,
  agreementHeaders,
  checkExtendedConnect,
  checkHandshake,
  type Offer,
} from "../websocket/handshake.ts";

/** A request for a WebSocket that can be accepted. */
export interface WebSocketRequest extends Offer {
  /** The kind of the result. */
  readonly type: "request";
  /** The fields to accept it with. */
  acceptHeaders(acceptance: Acceptance): Field[];
}

/** A request for another protocol that is refused, and the response to it. */
export interface WebSocketRefusal {
  /** The kind of the result. */
  readonly type: "refusal";
  /** The status of the response. */
  readonly status: number;
  /** The fields that the response must have. */
  readonly headers: readonly Field[];
}

const NOT_IMPLEMENTED: WebSocketRefusal = {
  type: "refusal",
  status: 501,
  headers: [],
};

/** What a request asks for; `undefined` if it is to be answered as any other. */
export function readWebSocketRequest(
  request: RequestInfo,
): WebSocketRequest | WebSocketRefusal | undefined {
  return request.version === "1.0" || request.version === "1.1"
    ? readHandshake(request)
    : readExtendedConnect(request);
}

function readHandshake(
  request: RequestInfo,
): WebSocketRequest | WebSocketRefusal | undefined {
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

function readExtendedConnect(
  request: RequestInfo,
): WebSocketRequest | WebSocketRefusal {
  const connect = checkExtendedConnect(request) ?? NOT_IMPLEMENTED;
  if (connect.type === "refusal") return connect;
  const { subprotocols, extensions } = connect;
  return {
    type: "request",
    subprotocols,
    extensions,
    acceptHeaders: (acceptance) => agreementHeaders(connect, acceptance),
  };
}
