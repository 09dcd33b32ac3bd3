/**
 * What a case of the comparison is: who takes part, what they are asked, and
 * what is measured.
 *
 * @module
 */

import type { Figures, Unit } from "./results.ts";
import type { RunningServer } from "./running_server.ts";
import type { Settings } from "./settings.ts";

/** Something to compare servers in. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly better: "higher" | "lower";
  /** The names of those that take part, x-asgi first. */
  readonly servers: readonly string[];
  /** Whether servers serve over TLS. */
  readonly tls?: boolean;
  /** Whether servers are asked over HTTP/2. */
  readonly http2?: boolean;
  /** Whether each run needs a server that was just started. */
  readonly fresh?: boolean;
  /** What is asked before the first run, and how long the answer must be. */
  readonly check?: Check;
  /** The cores that a server runs on. Default: the one for servers. */
  cores?(server: string, settings: Settings): readonly number[];
  /** Measures a server once. */
  measure(server: RunningServer, settings: Settings): Promise<Figures>;
}

/** A question, and how many bytes a 200 answers it with. */
export interface Check {
  readonly path: string;
  /** Bytes that are sent. Default: none. */
  readonly body?: number;
  readonly length: number;
}
