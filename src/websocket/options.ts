/**
 * Every limit, delay and setting of a WebSocket connection, with its default.
 *
 * @module
 */

/** How messages are compressed (permessage-deflate, RFC 7692). */
export interface CompressionOptions {
  /**
   * The window of what the server sends, in bits (9–15): clients need
   * `2 ** serverMaxWindowBits` bytes to decompress it.
   *
   * @default {15}
   */
  readonly serverMaxWindowBits: number;
  /**
   * The window of what clients send, in bits (8–15): decompression costs
   * `2 ** clientMaxWindowBits` bytes for each connection, and about 20 KiB. A
   * client that does not let the server choose gets 15.
   *
   * @default {12}
   */
  readonly clientMaxWindowBits: number;
  /**
   * Whether each message that the server sends is compressed on its own. Then
   * all connections share one compressor for short messages, and at most 16 for
   * those of more than 64 KiB (past that, long messages are sent as they are).
   * Otherwise, each connection that has sent a compressed message holds 150 to
   * 220 KiB, and small messages that resemble each other get smaller.
   *
   * @default {true}
   */
  readonly serverNoContextTakeover: boolean;
  /**
   * Whether clients must compress each message on its own.
   *
   * @default {false}
   */
  readonly clientNoContextTakeover: boolean;
  /**
   * Shorter messages (in bytes, or in UTF-16 code units) are sent as they are.
   *
   * @default {1024}
   */
  readonly threshold: number;
  /**
   * The effort, 1 (fastest) to 9 (smallest).
   *
   * @default {6}
   */
  readonly level: number;
  /**
   * The memory for matching, 1–9.
   *
   * @default {8}
   */
  readonly memLevel: number;
}

/** How a connection behaves. Times are in milliseconds, `Infinity` for never. */
export interface WebSocketOptions {
  /**
   * The size of the largest message that is read, once decompressed; a larger
   * one closes the connection with 1009.
   *
   * @default {16 MiB}
   */
  readonly maxMessageBytes: number;
  /**
   * How many bytes of messages are read ahead of the application (a message
   * counts for 64 bytes more than it has, a text for two bytes a UTF-16 code
   * unit). Past that, the socket is left alone. One message is always read ahead,
   * whatever its size.
   *
   * @default {64 KiB}
   */
  readonly readAheadBytes: number;
  /**
   * How long a message may take, from its first byte on, for its next 64 KiB or
   * its end; one that is slower closes the connection with 1008. The time in
   * which the client is not read does not count.
   *
   * @default {60_000}
   */
  readonly messageTimeout: number;
  /**
   * After how long a silence of the client it is sent a ping.
   *
   * @default {20_000}
   */
  readonly pingInterval: number;
  /**
   * How long the client may stay silent after a ping, until the connection
   * counts as lost.
   *
   * @default {20_000}
   */
  readonly pingTimeout: number;
  /**
   * After how long without a message, in either direction, the connection is
   * closed with 1001.
   *
   * @default {Infinity}
   */
  readonly idleTimeout: number;
  /**
   * How long the client may take to answer the server's Close.
   *
   * @default {5_000}
   */
  readonly closeTimeout: number;
  /**
   * How long the answer to the client's Close (or to its breach of the
   * protocol) waits for the application to take the messages before it: until
   * then, it can still answer them.
   *
   * @default {1_000}
   */
  readonly closeDelay: number;
  /**
   * How long the client may take to read what was sent, and to close, once both
   * sides have sent Close.
   *
   * @default {1_000}
   */
  readonly lingerTimeout: number;
}

/** The options that hold unless others are given. */
export const DEFAULT_WEBSOCKET_OPTIONS: WebSocketOptions = {
  maxMessageBytes: 16 * 1024 * 1024,
  readAheadBytes: 64 * 1024,
  messageTimeout: 60_000,
  pingInterval: 20_000,
  pingTimeout: 20_000,
  idleTimeout: Infinity,
  closeTimeout: 5_000,
  closeDelay: 1_000,
  lingerTimeout: 1_000,
};

/** The settings of compression that hold unless others are given. */
export const DEFAULT_COMPRESSION_OPTIONS: CompressionOptions = {
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 12,
  serverNoContextTakeover: true,
  clientNoContextTakeover: false,
  threshold: 1024,
  level: 6,
  memLevel: 8,
};
