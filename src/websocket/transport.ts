/**
 * What a WebSocket connection needs of what carries it: an upgraded HTTP/1
 * connection, or a stream of HTTP/2 or HTTP/3.
 *
 * @module
 */

import type { ByteStream } from "../streams/byte_stream.ts";

/** A way for bytes in both directions, open for as long as the connection is. */
export type WebSocketTransport = Omit<ByteStream, "bytesSent" | "close">;
