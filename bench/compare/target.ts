/**
 * What a target is.
 *
 * @module
 */

/** A bound on a figure, or on its ratio to a peer's. */
export interface Target {
  readonly case: string;
  /** Default: "x-asgi". */
  readonly server?: string;
  /** The server that it is held against; none: the figure itself is bounded. */
  readonly peer?: string;
  /** Default: "value". */
  readonly figure?: "value" | "p99" | "cpuPerRequest";
  readonly atLeast?: number;
  readonly atMost?: number;
}
