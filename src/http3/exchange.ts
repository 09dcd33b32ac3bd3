/**
 * One request and its response on a stream of HTTP/3: the side of the application
 * (RFC 9114, section 4).
 *
 * @module
 */

import type { Exchange } from "../http/exchange.ts";

/** A request, and the means to answer it. */
export type Http3Exchange = Exchange;
