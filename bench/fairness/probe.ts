/**
 * A client like any other: now and then it opens a connection, sends a request,
 * and waits for the answer. It comes at its times whether or not earlier answers
 * have come, as clients do that know nothing of each other.
 *
 * @module
 */

import { percentile } from "../compare/statistics.ts";

const INTERVAL_MS = 25;
/** An answer that takes longer counts for this much. */
const TIMEOUT_MS = 10_000;
const GET = new TextEncoder().encode(
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
);

/** How long answers took, in milliseconds. */
export interface Waits {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** How many requests there were, and how many of them got no answer. */
  readonly count: number;
  readonly failed: number;
}

/** Asks a server for a while, and waits for all answers. */
export async function probe(port: number, seconds: number): Promise<Waits> {
  const count = Math.ceil(seconds * 1000 / INTERVAL_MS);
  const begin = performance.now();
  const waits = await Promise.all(
    Array.from({ length: count }, (_, i) => ask(port, begin + i * INTERVAL_MS)),
  );
  const sorted = waits.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    max: sorted[sorted.length - 1],
    count,
    failed: waits.filter(({ answered }) => !answered).length,
  };
}

/** Asks once, at a time by the clock of `performance`. */
async function ask(
  port: number,
  at: number,
): Promise<{ readonly ms: number; readonly answered: boolean }> {
  const early = Math.max(0, at - performance.now());
  await new Promise((resolve) => setTimeout(resolve, early));
  const answered = await isAnswered(port);
  const ms = answered ? performance.now() - at : TIMEOUT_MS;
  return { ms, answered };
}

/** Whether a server answers a request in time. */
export async function isAnswered(port: number): Promise<boolean> {
  let conn: Deno.Conn | undefined;
  const timer = setTimeout(() => conn?.[Symbol.dispose](), TIMEOUT_MS);
  try {
    conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(GET);
    const start = new Uint8Array(64);
    const length = await conn.read(start) ?? 0;
    const text = new TextDecoder().decode(start.subarray(0, length));
    return text.startsWith("HTTP/1.1 200");
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    conn?.[Symbol.dispose]();
  }
}
