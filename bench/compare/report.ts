/**
 * The results as text: what they were found on, and a table for each case.
 *
 * @module
 */

import type { CaseResult, Results, ServerResult } from "./results.ts";

/** From this many cores on, the load generator was the limit. */
const SATURATED = 0.95;

const COLUMNS = [
  "server",
  "median",
  "/ x-asgi",
  "p50 ms",
  "p99 ms",
  "µs CPU each",
  "server CPU",
  "load CPU",
  "spread",
];

/** What the results were found on. */
export function formatHeading(results: Omit<Results, "cases">): string {
  const { machine, versions, runs, seconds, missing } = results;
  const { processor, cores, memory, system } = machine;
  return [
    `${processor}, ${cores} cores, ${memory} GiB, ${system}`,
    Object.entries(versions).map((pair) => pair.join(" ")).join(", "),
    `Medians of ${runs} ${runs === 1 ? "run" : "runs"} of ${seconds} s each`,
    ...missing.map(({ server, reason }) => `Left out: ${server}: ${reason}`),
  ].join("\n");
}

/** The table of a case. */
export function formatCase(result: CaseResult): string {
  const { title, unit, better, servers, failures } = result;
  const ours = servers.find(({ server }) => server.startsWith("x-asgi"));
  const rows = servers.map((server) => rowOf(server, ours));
  return [
    "",
    `${result.case}: ${title} (${unit}, ${better} is better)`,
    ...servers.length === 0 ? [] : formatTable([COLUMNS, ...rows]),
    ...servers.flatMap(remarksOn),
    ...failures.map(({ server, reason }) => `  ${server} failed: ${reason}`),
  ].join("\n");
}

function rowOf(result: ServerResult, ours: ServerResult | undefined): string[] {
  const { server, value, p50, p99, cpuPerRequest } = result;
  return [
    server,
    formatNumber(value),
    ours === undefined ? "" : (value / ours.value).toFixed(2),
    formatNumber(p50),
    formatNumber(p99),
    formatNumber(cpuPerRequest),
    formatShare(result.serverCores),
    formatShare(result.loadCores),
    formatSpread(result),
  ];
}

/** What must be known to read a row aright. */
function remarksOn(result: ServerResult): string[] {
  const { server, loadCores = 0, errors = 0, seen } = result;
  const remarks: string[] = [];
  if (loadCores >= SATURATED) {
    remarks.push("the load generator was the limit");
  }
  if (errors > 0) remarks.push(`${formatNumber(errors)} errors a run`);
  if (seen !== undefined) {
    const rate = formatNumber(seen);
    remarks.push(`${rate} seen, before the load's share was subtracted`);
  }
  return remarks.map((remark) => `  ${server}: ${remark}`);
}

/** How far the runs lie apart: the largest less the smallest, of the median. */
function formatSpread({ value, seen, runs }: ServerResult): string {
  const values = runs.map((run) => run.value);
  if (seen !== undefined || values.length < 2) return "";
  const spread = (Math.max(...values) - Math.min(...values)) / value;
  return `${Math.round(spread * 100)} %`;
}

/** A number with three digits that matter at least. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined) return "";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function formatShare(cores: number | undefined): string {
  return cores === undefined ? "" : `${Math.round(cores * 100)} %`;
}

/** The lines of a table; the first column is left-aligned, others are right. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const used = rows[0].map((_, column) => column)
    .filter((column) => rows.slice(1).some((row) => row[column] !== ""));
  const widths = used.map((column) =>
    Math.max(...rows.map((row) => row[column].length))
  );
  return rows.map((row) =>
    used.map((column, i) =>
      i === 0 ? row[column].padEnd(widths[i]) : row[column].padStart(widths[i])
    ).join("  ").trimEnd()
  ).map((line) => `  ${line}`);
}
