/**
 * Load on a server, by a program on a core of its own; and what both of them
 * spend on it.
 *
 * @module
 */

import { BROWSER_FIELDS } from "../_requests.ts";
import { endedChildrenSeconds } from "./proc.ts";
import type { Figures } from "./results.ts";
import type { RunningServer } from "./running_server.ts";

/** What `wrk` sends. */
export interface HttpLoad {
  /** Default: "/". */
  readonly path?: string;
  /** Connections at the same time. Default: 32. */
  readonly connections?: number;
  /** Bytes of content, sent by POST. Default: 0, a GET. */
  readonly body?: number;
  /** Requests that leave in one write. Default: 1. */
  readonly depth?: number;
  /** Whether with the fields of a browser. Default: `false`. */
  readonly browser?: boolean;
  /** Whether each request has a connection of its own. Default: `false`. */
  readonly close?: boolean;
}

/** What a load generator says that it has seen. */
export interface Seen {
  /** Answers, messages or transfers. */
  readonly count: number;
  readonly seconds: number;
  /** In milliseconds; 0 where it knows no times of single answers. */
  readonly p50: number;
  /** As `p50`. */
  readonly p99: number;
  readonly errors: number;
  /** Processor time, in seconds, if the generator knows its own. */
  readonly cpu: number | undefined;
}

/** Time for a generator to start and to end, besides that of its load. */
const EXTRA_MS = 20_000;
const SCRIPT = new URL("load.lua", import.meta.url).pathname;

/** Loads a server with `wrk`; the value is in requests a second. */
export function loadHttp(
  server: RunningServer,
  load: HttpLoad,
  seconds: number,
): Promise<Figures> {
  const { path = "/", connections = 32, body = 0, depth = 1 } = load;
  const fields = [
    ...load.browser ? BROWSER_FIELDS.filter(([name]) => name !== "host") : [],
    ...load.close ? [["connection", "close"]] : [],
  ];
  const method = body > 0 ? "POST" : "GET";
  return underLoad(server, seconds, "wrk", [
    ...["-t1", `-c${connections}`, `-d${seconds}s`, "-s", SCRIPT],
    ...fields.flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    ...[server.origin + path, "--", method, String(body), String(depth)],
  ]);
}

/** Loads a server with a program of this benchmark; the value is in answers a second. */
export function loadWith(
  program: "messages.ts" | "transfers.ts",
  server: RunningServer,
  seconds: number,
  ...args: string[]
): Promise<Figures> {
  const path = new URL(`generators/${program}`, import.meta.url).pathname;
  return underLoad(server, seconds, Deno.execPath(), [
    ...["run", "--allow-net", "--no-check", "--no-config", path],
    ...[String(server.port), String(seconds), ...args],
  ]);
}

/** Runs a load generator, and reads what it prints. */
export async function underLoad(
  server: RunningServer,
  seconds: number,
  program: string,
  args: readonly string[],
  parse: (output: string) => Seen | undefined = parseFigures,
): Promise<Figures> {
  const serverBefore = server.cpuSeconds();
  const loadBefore = endedChildrenSeconds();
  const { stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    signal: AbortSignal.timeout(seconds * 1000 + EXTRA_MS),
  }).output();
  const serverSeconds = server.cpuSeconds() - serverBefore;
  const childSeconds = endedChildrenSeconds() - loadBefore;
  const decoder = new TextDecoder();
  const seen = parse(decoder.decode(stdout));
  if (seen === undefined || seen.count === 0) {
    const said = decoder.decode(stderr).trim();
    throw new Error(`no answer to ${program}${said && `: ${said}`}`);
  }
  // `wrk` knows no times of bursts that it saw no whole one of, `h2load` none.
  const times = seen.p50 > 0 && seen.p99 > 0
    ? { p50: seen.p50, p99: seen.p99 }
    : {};
  return {
    value: seen.count / seen.seconds,
    ...times,
    errors: seen.errors,
    cpuPerRequest: serverSeconds / seen.count * 1e6,
    serverCores: serverSeconds / seen.seconds,
    loadCores: (seen.cpu ?? childSeconds) / seen.seconds,
  };
}

/**
 * Finds the line of figures in what a generator prints: a count; the time, its
 * median and its 99th percentile in microseconds; errors; and the processor
 * time in microseconds, if the generator knows it.
 */
export function parseFigures(output: string): Seen | undefined {
  const match = /^figures (\d+) (\d+) (\d+) (\d+) (\d+)(?: (\d+))?$/m.exec(
    output,
  );
  if (match === null) return undefined;
  const [count, time, p50, p99, errors, cpu] = match.slice(1).map(Number);
  return {
    count,
    seconds: time / 1e6,
    p50: p50 / 1e3,
    p99: p99 / 1e3,
    errors,
    cpu: match[6] === undefined ? undefined : cpu / 1e6,
  };
}
