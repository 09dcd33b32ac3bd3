/**
 * What this package wants to reach, each against a peer in the same run: reads
 * the results, and says what is met.
 *
 *     deno run --allow-read bench/compare/targets.ts RESULTS.json
 *
 * @module
 */

import { HTTP2_TARGETS } from "./http2_targets.ts";
import { formatNumber, formatTable } from "./report.ts";
import { findResult, type Results, type ServerResult } from "./results.ts";
import type { Target } from "./target.ts";

/** A target, and what became of it. */
export interface Verdict {
  readonly target: Target;
  /** The figure, or the ratio; `undefined` if it was not measured. */
  readonly reached: number | undefined;
  /** How much less processor time a request takes than with the peer. */
  readonly byCpu: number | undefined;
  readonly met: boolean | undefined;
}

const UVICORN = "uvicorn-httptools";

/** All targets. */
export const TARGETS: readonly Target[] = [
  { case: "hello-32", peer: UVICORN, atLeast: 1.2 },
  { case: "hello-32", peer: "node-http", atLeast: 1 },
  { case: "hello-32", peer: "bare", atLeast: 0.65 },
  { case: "browser", peer: UVICORN, atLeast: 1 },
  { case: "browser", peer: "node-http", atLeast: 0.8 },
  { case: "pipelined", peer: "node-http", atLeast: 1.2 },
  { case: "echo-1k", peer: UVICORN, atLeast: 1.2 },
  { case: "echo-1k", peer: "node-http", atLeast: 0.9 },
  { case: "echo-10k", peer: UVICORN, atLeast: 1.2 },
  { case: "echo-10k", peer: "node-http", atLeast: 0.9 },
  { case: "upload", peer: "deno-serve", atLeast: 0.8 },
  { case: "download", peer: "deno-serve", atLeast: 0.8 },
  { case: "hello-32", peer: "node-http", figure: "p99", atMost: 1.5 },
  { case: "new-connection", peer: "node-http", atLeast: 0.9 },
  { case: "tls", peer: "node-http", atLeast: 0.9 },
  { case: "websocket-text", peer: "ws", atLeast: 1 },
  { case: "websocket-binary", peer: "ws", atLeast: 1 },
  { case: "hello-32", server: "x-asgi-log", peer: "x-asgi", atLeast: 0.85 },
  {
    case: "workers",
    server: "x-asgi-2-workers",
    peer: "x-asgi-1-worker",
    atLeast: 1.6,
  },
  { case: "idle-connections", atMost: 12 },
  { case: "startup", peer: "deno-serve", atMost: 1.3 },
  ...HTTP2_TARGETS,
];

/** Holds results against a target. */
export function judge(target: Target, results: Results): Verdict {
  const { server = "x-asgi", peer, figure = "value" } = target;
  const { atLeast = -Infinity, atMost = Infinity } = target;
  const ours = findResult(results, target.case, server);
  const theirs = peer && findResult(results, target.case, peer) || undefined;
  const reached = peer === undefined
    ? ours?.[figure]
    : ratio(ours?.[figure], theirs?.[figure]);
  return {
    target,
    reached,
    byCpu: figure === "value" ? cpuRatio(ours, theirs) : undefined,
    met: reached === undefined
      ? undefined
      : reached >= atLeast && reached <= atMost,
  };
}

function cpuRatio(
  ours: ServerResult | undefined,
  theirs: ServerResult | undefined,
): number | undefined {
  return ratio(theirs?.cpuPerRequest, ours?.cpuPerRequest);
}

function ratio(
  one: number | undefined,
  other: number | undefined,
): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other;
}

/** A table of all targets that were measured. */
export function formatVerdicts(results: Results): string {
  const verdicts = TARGETS.map((target) => judge(target, results))
    .filter(({ met }) => met !== undefined);
  const costs = verdicts.filter(({ target }) => isCost(target));
  const single = verdicts.filter(({ target }) => !isCost(target));
  const header = ["target", "wanted", "reached", "by CPU time", ""];
  const met = verdicts.filter(({ met }) => met).length;
  const others = TARGETS.length - verdicts.length;
  return [
    "",
    `Targets: ${met} of ${verdicts.length} met, ${others} not measured`,
    ...single.length === 0
      ? []
      : formatTable([header, ...single.map((v) => rowOf(v, results))]),
    ...costs.length === 0 ? [] : formatCosts(costs),
  ].join("\n");
}

function isCost({ figure }: Target): boolean {
  return figure === "cpuPerRequest";
}

/** A row for each case, and a column for each peer. */
function formatCosts(verdicts: readonly Verdict[]): string[] {
  const peers = [...new Set(verdicts.map(({ target }) => target.peer!))];
  const cases = [...new Set(verdicts.map(({ target }) => target.case))];
  const rows = cases.map((name) => [
    name,
    ...peers.map((peer) => {
      const verdict = verdicts.find(({ target }) =>
        target.case === name && target.peer === peer
      );
      return verdict === undefined ? "" : formatCost(verdict);
    }),
  ]);
  return [
    "",
    "Processor time of a request, ours / theirs, and what it may be at most",
    '("!" where it is more):',
    ...formatTable([["case", ...peers], ...rows]),
  ];
}

function formatCost({ target, reached, met }: Verdict): string {
  const ratio = formatNumber(reached);
  return `${met ? "" : "! "}${ratio} (${formatNumber(target.atMost)})`;
}

function rowOf(
  { target, reached, byCpu, met }: Verdict,
  results: Results,
): string[] {
  const { server = "x-asgi", peer, figure = "value" } = target;
  const what = figure === "value" ? "" : ` ${figure}`;
  const against = peer === undefined ? "" : ` / ${peer}`;
  const unit = peer === undefined
    ? ` ${results.cases.find((c) => c.case === target.case)?.unit ?? ""}`
    : "";
  return [
    `${target.case}${what}: ${server}${against}`,
    target.atLeast === undefined ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`,
    formatNumber(reached) + unit,
    formatNumber(byCpu),
    met ? "met" : "not met",
  ];
}

if (import.meta.main) {
  const [path] = Deno.args;
  console.log(formatVerdicts(JSON.parse(Deno.readTextFileSync(path))));
}
