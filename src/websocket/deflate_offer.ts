/**
 * Negotiation of permessage-deflate (RFC 7692, sections 5 and 7.1). Offers are
 * looked at in the client's order, and the first that can be met is accepted;
 * one with an unknown, repeated or malformed parameter is passed over.
 *
 * | parameter                  | in the offer                 | in the answer |
 * |----------------------------|------------------------------|---------------|
 * | server_no_context_takeover | a demand                     | if demanded, or configured |
 * | client_no_context_takeover | a promise                    | if promised, or configured |
 * | server_max_window_bits=N   | a demand                     | the smaller of N and the configured, unless that is 15 and none was demanded |
 * | client_max_window_bits(=N) | a permission (and a promise) | only if permitted: the smaller of N and the configured |
 *
 * @module
 */

import { type Extension, formatExtension } from "./extensions.ts";
import type { CompressionOptions } from "./options.ts";

const NAME = "permessage-deflate";
const MAX_WINDOW_BITS = 15;
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/** What was agreed on. */
export interface DeflateAgreement {
  /** The window of what the server sends, in bits. */
  readonly serverMaxWindowBits: number;
  /** The window of what the client sends, in bits. */
  readonly clientMaxWindowBits: number;
  /** Whether the server compresses each message on its own. */
  readonly serverNoContextTakeover: boolean;
  /** Whether the client compresses each message on its own. */
  readonly clientNoContextTakeover: boolean;
  /** The value of Sec-WebSocket-Extensions that says so. */
  readonly response: string;
}

/** The parameters of one offer. */
interface DeflateOffer {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number | undefined;
  clientMaxWindowBits: number | undefined;
}

/**
 * Accepts the first offer of compression that can be met; `undefined` if there
 * is none.
 *
 * @example
 * ```ts
 * import {
 *   DEFAULT_COMPRESSION_OPTIONS,
 *   negotiateDeflate,
 * } from "jsr:@x/asgi/websocket";
 *
 * const offers = [{ name: "permessage-deflate", parameters: [] }];
 * negotiateDeflate(offers, DEFAULT_COMPRESSION_OPTIONS)?.response;
 * // "permessage-deflate; server_no_context_takeover"
 * ```
 */
export function negotiateDeflate(
  offers: readonly Extension[],
  options: CompressionOptions,
): DeflateAgreement | undefined {
  for (const { name, parameters } of offers) {
    if (name.toLowerCase() !== NAME) continue;
    const offer = readOffer(parameters);
    if (offer !== undefined) return agree(offer, options);
  }
}

function readOffer(
  parameters: Extension["parameters"],
): DeflateOffer | undefined {
  const names = new Set(parameters.map(([name]) => name));
  if (names.size < parameters.length) return undefined;
  const offer: DeflateOffer = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: undefined,
    clientMaxWindowBits: undefined,
  };
  const understood = parameters.every(([name, value]) =>
    readParameter(offer, name, value)
  );
  return understood ? offer : undefined;
}

/** Reads one parameter into the offer; `false` if it cannot be accepted. */
function readParameter(
  offer: DeflateOffer,
  name: string,
  value: string | true,
): boolean {
  switch (name) {
    case "server_no_context_takeover":
      offer.serverNoContextTakeover = true;
      return value === true;
    case "client_no_context_takeover":
      offer.clientNoContextTakeover = true;
      return value === true;
    case "server_max_window_bits":
      offer.serverMaxWindowBits = Number(value);
      return isWindowBits(value);
    case "client_max_window_bits":
      offer.clientMaxWindowBits = value === true
        ? MAX_WINDOW_BITS
        : Number(value);
      return value === true || isWindowBits(value);
    default:
      return false;
  }
}

function isWindowBits(value: string | true): boolean {
  return value !== true && WINDOW_BITS.test(value);
}

function agree(
  offer: DeflateOffer,
  options: CompressionOptions,
): DeflateAgreement {
  const agreed = {
    serverNoContextTakeover: offer.serverNoContextTakeover ||
      options.serverNoContextTakeover,
    clientNoContextTakeover: offer.clientNoContextTakeover ||
      options.clientNoContextTakeover,
    serverMaxWindowBits: Math.min(
      offer.serverMaxWindowBits ?? MAX_WINDOW_BITS,
      options.serverMaxWindowBits,
    ),
    clientMaxWindowBits: offer.clientMaxWindowBits === undefined
      ? MAX_WINDOW_BITS
      : Math.min(offer.clientMaxWindowBits, options.clientMaxWindowBits),
  };
  return { ...agreed, response: formatAgreement(agreed, offer) };
}

function formatAgreement(
  agreed: Omit<DeflateAgreement, "response">,
  offer: DeflateOffer,
): string {
  const parameters: [string, string | true][] = [];
  if (agreed.serverNoContextTakeover) {
    parameters.push(["server_no_context_takeover", true]);
  }
  if (agreed.clientNoContextTakeover) {
    parameters.push(["client_no_context_takeover", true]);
  }
  const { serverMaxWindowBits: server, clientMaxWindowBits: client } = agreed;
  if (server < MAX_WINDOW_BITS || offer.serverMaxWindowBits !== undefined) {
    parameters.push(["server_max_window_bits", String(server)]);
  }
  if (offer.clientMaxWindowBits !== undefined && client < MAX_WINDOW_BITS) {
    parameters.push(["client_max_window_bits", String(client)]);
  }
  return formatExtension({ name: NAME, parameters });
}
