/**
 * An exchange on a stream of HTTP/3 (RFC 9114, section 4.1).
 *
 * @module
 */

import type { MessageStream } from "../http/message_stream.ts";
import type { StreamExchange } from "../http/stream_exchange.ts";

/** A request, and the means to answer it. */
export type Http3Exchange = StreamExchange<MessageStream>;
