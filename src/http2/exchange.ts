/**
 * An exchange on a stream of HTTP/2 (RFC 9113, section 8.1).
 *
 * @module
 */

import type { MessageStream } from "../http/message_stream.ts";
import type { StreamExchange } from "../http/stream_exchange.ts";

/** A request, and the means to answer it. */
export type Http2Exchange = StreamExchange<MessageStream>;
