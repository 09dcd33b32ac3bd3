/**
 * Load over HTTP/2, by `h2load`; over HTTP/1 as well, so that both can be
 * compared under the same load.
 *
 * @module
 */

import { type Seen, underLoad } from "./load.ts";
import type { Figures } from "./results.ts";
import type { RunningServer } from "./running_server.ts";
import { cacheFolder } from "./tools.ts";

/** What `h2load` sends. */
export interface Http2Load {
  readonly path: string;
  readonly connections: number;
  /** Requests that are under way on each connection. */
  readonly streams: number;
  /** Bytes of content, sent by POST. Default: 0, a GET. */
  readonly body?: number | undefined;
}

/** Loads a server; the value is in requests a second. */
export async function loadHttp2(
  server: RunningServer,
  { path, connections, streams, body = 0 }: Http2Load,
  seconds: number,
): Promise<Figures> {
  const content = body > 0 ? ["-d", await contentOf(body)] : [];
  return await underLoad(server, seconds, "h2load", [
    ...["-D", `${seconds}`, "-c", `${connections}`, "-m", `${streams}`],
    ...server.http2 ? [] : ["--h1"],
    ...content,
    server.origin + path,
  ], parseH2load);
}

/** A file of so many bytes. */
async function contentOf(bytes: number): Promise<string> {
  const path = `${cacheFolder()}/content-${bytes}`;
  await Deno.writeFile(path, new Uint8Array(bytes).fill(0x78));
  return path;
}

/** Finds the figures in what `h2load` prints; it knows no percentiles. */
export function parseH2load(output: string): Seen | undefined {
  const rate = /^finished in \S+, ([\d.]+) req\/s/m.exec(output);
  const counts = /(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/
    .exec(output);
  if (rate === null || counts === null) return undefined;
  const [count, failed, errored, timeout] = counts.slice(1).map(Number);
  return {
    count,
    seconds: count / Number(rate[1]),
    p50: 0,
    p99: 0,
    // A request that failed by an error is among both.
    errors: Math.max(failed, errored) + timeout,
    cpu: undefined,
  };
}
