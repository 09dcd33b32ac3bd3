/**
 * An exchange on a stream of HTTP/3 (RFC 9114, section 4.1).
 *
 * @module
 */

import type { StreamExchange } from "../http/stream_exchange.ts";
import type { Http3Stream } from "./stream.ts";

/** A request, and the means to answer it. */
export type Http3Exchange = StreamExchange<Http3Stream>;
