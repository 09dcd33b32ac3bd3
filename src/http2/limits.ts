/**
 * What a client may do before its connection is taken for an attack. None of
 * this is an option: an honest client stays far below.
 *
 * @module
 */

import type { Rate } from "../http/token_bucket.ts";

/** Frames that continue one header block. */
export const MAX_CONTINUATIONS = 8;
/** Parameters in one SETTINGS. */
export const MAX_SETTINGS = 32;
/** Control frames since the last request, or the last content. */
export const MAX_CONTROL_FRAMES = 1000;
/** How many more each second: a stream may be silent for hours. */
export const CONTROL_FRAMES_PER_SECOND = 100;
/**
 * What a client may answer to DATA: the windows of the stream and the connection,
 * and a PING that measures how long its way is, as those of gRPC do.
 */
export const CONTROL_FRAMES_PER_DATA = 4;
/** Content that was sent to a client allows a control frame for so many bytes. */
export const SENT_BYTES_PER_CONTROL_FRAME = 512;
/** Streams that the server has reset, and frames of which may be under way. */
export const MAX_RESET_STREAMS = 128;
/** Stream identifiers that a client may skip and are remembered. */
export const MAX_SKIPPED_STREAMS = 128;

/** Streams that end early. */
export const RESET_RATE: Rate = { burst: 500, perSecond: 50 };
/** Frames that are legal, and of no use. */
export const GLITCH_RATE: Rate = { burst: 1000, perSecond: 100 };

/** What a reset costs that the client provoked: more than one of its own. */
export const PROVOKED_RESET_COST = 5;
/** What an empty CONTINUATION costs: no client sends one. */
export const EMPTY_CONTINUATION_COST = 10;
/** DATA below this size that joins unread content is small. */
export const SMALL_DATA_BYTES = 64;
/** How many small DATA frames there may be while no application reads any. */
export const MAX_SMALL_DATA = 64 * 1024;

/** How long a client may take to acknowledge SETTINGS, in milliseconds. */
export const SETTINGS_TIMEOUT_MS = 10_000;
/** How long it may take to acknowledge that the server leaves. */
export const LEAVE_TIMEOUT_MS = 1_000;
/** The same for a client that has no request under way. */
export const IDLE_LEAVE_TIMEOUT_MS = 300;
/** How long it may take to end a request that was answered before. */
export const END_TIMEOUT_MS = 100;
/** The window of the connection: what may be on its way, of all requests. */
export const CONNECTION_WINDOW = 1024 * 1024;
/** With so much waiting for a write, the client is not read any more. */
export const MAX_BACKLOG_BYTES = 128 * 1024;
/** Progress that counts, for content that waits for the client's window. */
export const MIN_PROGRESS_BYTES = 1024;
