/**
 * What a client may do before its connection is taken for an attack, and how long
 * things take. None of this is an option: an honest client stays far below.
 *
 * @module
 */

import type { Rate } from "../http/token_bucket.ts";

/** The payload of a frame on the control stream, in bytes. */
export const MAX_CONTROL_FRAME_BYTES = 16 * 1024;
/** Pairs in SETTINGS. */
export const MAX_SETTINGS = 64;
/** Frames and streams that carry nothing: as many, and more for each request. */
export const MAX_IDLE_FRAMES = 1000;
/** How many more for each request. */
export const IDLE_FRAMES_PER_REQUEST = 10;
/** And for each second: some clients send them now and then to be noticed. */
export const IDLE_FRAMES_PER_SECOND = 1;
/** Requests that the client cancels before their end. */
export const CANCEL_RATE: Rate = { burst: 100, perSecond: 10 };
/** Of more requests than this, not more than half may be cancelled. */
export const MIN_REQUESTS_FOR_SHARE = 200;
/** Content of one DATA frame, in bytes. */
export const MAX_DATA_BYTES = 64 * 1024;
/**
 * After so long without a write, in milliseconds, a response is probed: a client
 * that has cancelled it is not noticed otherwise.
 */
export const PROBE_INTERVAL_MS = 15_000;
/** How long requests may be under way when the server leaves, in milliseconds. */
export const LEAVE_TIMEOUT_MS = 1000;
/** The same, where the client has no request that is not answered. */
export const IDLE_LEAVE_TIMEOUT_MS = 300;
/**
 * How long what was sent last may take to arrive before the connection is closed,
 * in milliseconds: a close drops what was not acknowledged.
 */
export const DELIVERY_TIMEOUT_MS = 1000;
