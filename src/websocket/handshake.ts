/**
 * The opening handshake: what a request asks for, how to refuse it, and the fields
 * of the response that accepts it. Pure functions over a description of the
 * request.
 *
 * Over HTTP/1.1 (RFC 6455, section 4.2), a 101 accepts it, whose Connection field
 * is for the layer of HTTP to write:
 *
 * | request                                            | answer             |
 * |----------------------------------------------------|--------------------|
 * | no `upgrade: websocket` and `connection: upgrade`  | not for WebSocket  |
 * | HTTP/1.0, where Upgrade is ignored (RFC 9110, 7.8) | not for WebSocket  |
 * | another version than 13, or none                   | 426, with 13       |
 * | not GET; with a body; no key, two, or a bad one;   |                    |
 * | malformed or repeated subprotocols, or extensions  | 400                |
 * | any other                                          | to be accepted     |
 *
 * Over HTTP/2 and HTTP/3 (RFC 8441, RFC 9220), it is an extended CONNECT of one
 * stream, and a 200 accepts it. There is no key, and no Upgrade:
 *
 * | request                                            | answer             |
 * |----------------------------------------------------|--------------------|
 * | no CONNECT, or `:protocol` is not websocket        | not for WebSocket  |
 * | another version than 13, or none                   | 400, with 13       |
 * | malformed or repeated subprotocols, or extensions  | 400                |
 * | any other                                          | to be accepted     |
 *
 * @module
 */

import { nodeCrypto } from "./_node_modules.ts";
import {
  type Field,
  isToken,
  listsToken,
  trimWhitespace,
} from "../http/fields.ts";
import { type Extension, parseExtensions } from "./extensions.ts";

const VERSION = "13";
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** The parts of a request that decide on a handshake. */
export interface HandshakeRequest {
  /** The method, as "GET". */
  readonly method: string;
  /** The version of HTTP, as "1.1". */
  readonly version: string;
  /** Names in lowercase. */
  readonly headers: readonly Field[];
}

/** The parts of a request of HTTP/2 or HTTP/3 that decide on a handshake. */
export interface ExtendedConnectRequest extends HandshakeRequest {
  /** The value of `:protocol`, if there is one. */
  readonly protocol: string | undefined;
}

/** What a client offers, in every version of HTTP. */
export interface Offer {
  /** What the client offers to speak, in the order of its preference. */
  readonly subprotocols: readonly string[];
  /** The extensions that the client offers, in the order of its preference. */
  readonly extensions: readonly Extension[];
}

/** A handshake over HTTP/1.1 that can be accepted. */
export interface Handshake extends Offer {
  /** The kind of the result. */
  readonly type: "handshake";
  /** The client's key, for {@linkcode acceptKey}. */
  readonly key: string;
}

/** An extended CONNECT that can be accepted. */
export interface ExtendedConnect extends Offer {
  /** The kind of the result. */
  readonly type: "extended connect";
}

/** A handshake that must be refused, and the response to do it with. */
export interface HandshakeRefusal {
  /** The kind of the result. */
  readonly type: "refusal";
  /** The status of the response. */
  readonly status: 400 | 426;
  /** The fields that the response must have. */
  readonly headers: readonly Field[];
}

/**
 * Checks whether a request is a handshake, and a good one.
 *
 * @returns `undefined` if the request does not ask for WebSocket at all.
 *
 * @example
 * ```ts
 * import { checkHandshake } from "jsr:@x/asgi/websocket";
 *
 * checkHandshake({ method: "GET", version: "1.1", headers: [] }); // undefined
 * ```
 */
export function checkHandshake(
  request: HandshakeRequest,
): Handshake | HandshakeRefusal | undefined {
  const { method, version, headers } = request;
  if (version === "1.0" || !asksForWebSocket(headers)) return undefined;
  if (method !== "GET" || hasBody(headers)) return BAD_REQUEST;
  const versions = valuesOf(headers, "sec-websocket-version");
  if (versions.length > 1) return BAD_REQUEST;
  if (versions[0] !== VERSION) return UPGRADE_REQUIRED;
  const keys = valuesOf(headers, "sec-websocket-key");
  if (keys.length !== 1 || !KEY.test(keys[0])) return BAD_REQUEST;
  const subprotocols = offeredSubprotocols(headers);
  const extensions = offeredExtensions(headers);
  if (subprotocols === undefined || extensions === undefined) {
    return BAD_REQUEST;
  }
  return { type: "handshake", key: keys[0], subprotocols, extensions };
}

/**
 * Checks whether a request of HTTP/2 or HTTP/3 asks for a WebSocket, and properly.
 *
 * @returns `undefined` if the request does not ask for WebSocket at all.
 *
 * @example
 * ```ts
 * import { checkExtendedConnect } from "jsr:@x/asgi/websocket";
 *
 * const result = checkExtendedConnect({
 *   method: "CONNECT",
 *   version: "2",
 *   protocol: "websocket",
 *   headers: [["sec-websocket-version", "13"]],
 * });
 * result?.type; // "extended connect"
 * ```
 */
export function checkExtendedConnect(
  { method, version, protocol, headers }: ExtendedConnectRequest,
): ExtendedConnect | HandshakeRefusal | undefined {
  if (version.startsWith("1.") || method !== "CONNECT") return undefined;
  if (protocol?.toLowerCase() !== "websocket") return undefined;
  const versions = valuesOf(headers, "sec-websocket-version");
  if (versions.length !== 1 || versions[0] !== VERSION) return WRONG_VERSION;
  const subprotocols = offeredSubprotocols(headers);
  const extensions = offeredExtensions(headers);
  if (subprotocols === undefined || extensions === undefined) {
    return BAD_REQUEST;
  }
  return { type: "extended connect", subprotocols, extensions };
}

/**
 * The subprotocols that a request offers; `undefined` if the offer is malformed.
 * Unlike the key, they are the same in every version of HTTP.
 */
export function offeredSubprotocols(
  headers: readonly Field[],
): string[] | undefined {
  const values = valuesOf(headers, "sec-websocket-protocol");
  if (values.length === 0) return [];
  const names = values.join(",").split(",").map(trimWhitespace)
    .filter((name) => name !== "");
  const unique = new Set(names).size === names.length;
  return names.length > 0 && unique && names.every(isToken) ? names : undefined;
}

/**
 * The extensions that a request offers; `undefined` if the offer is malformed.
 * Unlike the key, they are the same in every version of HTTP.
 */
export function offeredExtensions(
  headers: readonly Field[],
): Extension[] | undefined {
  const values = valuesOf(headers, "sec-websocket-extensions");
  return values.length === 0 ? [] : parseExtensions(values.join(","));
}

/** The value of Sec-WebSocket-Accept for the client's key. */
export function acceptKey(key: string): string {
  return nodeCrypto().createHash("sha1").update(key + ACCEPT_GUID).digest(
    "base64",
  );
}

/** What a handshake is accepted with. */
export interface Acceptance {
  /** One of the offered subprotocols. */
  readonly subprotocol?: string | null;
  /** The value of Sec-WebSocket-Extensions: what was agreed on. */
  readonly extensions?: string;
}

/**
 * The fields of the 101 that accepts a handshake.
 *
 * @throws {TypeError} If the subprotocol was not offered.
 *
 * @example
 * ```ts
 * import { acceptHeaders, checkHandshake } from "jsr:@x/asgi/websocket";
 *
 * const handshake = checkHandshake({
 *   method: "GET",
 *   version: "1.1",
 *   headers: [
 *     ["connection", "Upgrade"],
 *     ["upgrade", "websocket"],
 *     ["sec-websocket-version", "13"],
 *     ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
 *     ["sec-websocket-protocol", "chat"],
 *   ],
 * });
 * if (handshake?.type === "handshake") {
 *   acceptHeaders(handshake, { subprotocol: "chat" });
 * }
 * ```
 */
export function acceptHeaders(
  handshake: Handshake,
  acceptance: Acceptance = {},
): Field[] {
  return [
    ["upgrade", "websocket"],
    ["sec-websocket-accept", acceptKey(handshake.key)],
    ...agreementHeaders(handshake, acceptance),
  ];
}

/**
 * The fields that say what was agreed on: all there are in the 200 that accepts an
 * extended CONNECT.
 *
 * @throws {TypeError} If the subprotocol was not offered.
 */
export function agreementHeaders(
  offer: Offer,
  { subprotocol, extensions }: Acceptance = {},
): Field[] {
  const headers: Field[] = [];
  if (typeof subprotocol === "string") {
    if (!offer.subprotocols.includes(subprotocol)) {
      throw new TypeError(
        `Cannot accept WebSocket: subprotocol "${subprotocol}" is not offered`,
      );
    }
    headers.push(["sec-websocket-protocol", subprotocol]);
  }
  if (extensions) headers.push(["sec-websocket-extensions", extensions]);
  return headers;
}

const BAD_REQUEST: HandshakeRefusal = {
  type: "refusal",
  status: 400,
  headers: [],
};

/** RFC 6455, section 4.2.2, without an Upgrade that a 426 would speak of. */
const WRONG_VERSION: HandshakeRefusal = {
  type: "refusal",
  status: 400,
  headers: [["sec-websocket-version", VERSION]],
};

/** RFC 9110, section 15.5.22: the Upgrade field must say to what. */
const UPGRADE_REQUIRED: HandshakeRefusal = {
  type: "refusal",
  status: 426,
  headers: [
    ["connection", "upgrade"],
    ["upgrade", "websocket"],
    ["sec-websocket-version", VERSION],
  ],
};

function asksForWebSocket(headers: readonly Field[]): boolean {
  return lists(headers, "upgrade", "websocket") &&
    lists(headers, "connection", "upgrade");
}

function lists(headers: readonly Field[], name: string, token: string) {
  return headers.some(([key, value]) =>
    key === name && listsToken(value, token)
  );
}

function hasBody(headers: readonly Field[]): boolean {
  return headers.some(([name, value]) =>
    name === "transfer-encoding" || name === "content-length" && value !== "0"
  );
}

function valuesOf(headers: readonly Field[], name: string): string[] {
  return headers.filter(([key]) => key === name).map(([, value]) => value);
}
