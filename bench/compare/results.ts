/**
 * What the comparison finds out, as it stands in its JSON file: of each server
 * in each case, every run, and the medians of all runs.
 *
 * @module
 */

import type { Machine } from "./machine.ts";
import { median } from "./statistics.ts";

/** What a figure is in. */
export type Unit =
  | "requests/s"
  | "messages/s"
  | "MiB/s"
  | "ms"
  | "MiB"
  | "KiB";

/** The figures of a run, or the medians of several. */
export interface Figures {
  /** What the case is about, in its unit. */
  readonly value: number;
  /** Half of all answers took no longer, in milliseconds. */
  readonly p50?: number;
  /** Of a hundred answers, 99 took no longer, in milliseconds. */
  readonly p99?: number;
  /** The server's processor time for each request, in microseconds. */
  readonly cpuPerRequest?: number;
  /** The cores that the server kept busy. */
  readonly serverCores?: number;
  /** The cores that the load generator kept busy; at 1 it was the limit. */
  readonly loadCores?: number;
  /** Answers that did not come, or were no success. */
  readonly errors?: number;
  /** The value as it was seen, where `value` is computed from it. */
  readonly seen?: number;
}

/** What was found of a server in a case. */
export interface ServerResult extends Figures {
  readonly server: string;
  /** Every run, in the order in which they ran. */
  readonly runs: readonly Figures[];
}

/** What was found in a case. */
export interface CaseResult {
  readonly case: string;
  readonly title: string;
  readonly unit: Unit;
  readonly better: "higher" | "lower";
  /** In the order of the case; those that failed are left out. */
  readonly servers: readonly ServerResult[];
  readonly failures: readonly Failure[];
}

/** A server that could not be measured. */
export interface Failure {
  readonly server: string;
  readonly reason: string;
}

/** All that was found out. */
export interface Results {
  /** When it began, in ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: number;
  readonly seconds: number;
  readonly connections: number;
  /** Servers that are not there, and why. */
  readonly missing: readonly Failure[];
  readonly cases: readonly CaseResult[];
}

const KEYS = [
  "value",
  "p50",
  "p99",
  "cpuPerRequest",
  "serverCores",
  "loadCores",
  "errors",
  "seen",
] as const satisfies readonly (keyof Figures)[];

/** The median of each figure. */
export function summarize(
  server: string,
  runs: readonly Figures[],
): ServerResult {
  const medians: Record<string, number> = {};
  for (const key of KEYS) {
    const values = runs.map((run) => run[key]).filter((v) => v !== undefined);
    if (values.length > 0) medians[key] = median(values);
  }
  return { server, ...medians as { value: number }, runs };
}

/** What was found of a server in a case, if it was measured. */
export function findResult(
  results: Results,
  caseName: string,
  server: string,
): ServerResult | undefined {
  return results.cases.find((result) => result.case === caseName)
    ?.servers.find((result) => result.server === server);
}
