/**
 * Compares this server with others on this machine: starts each, loads it, and
 * prints tables of medians, ratios and what each request costs.
 *
 *     deno task bench:compare [--quick] [--case NAME] [--server NAME] [--help]
 *
 * Servers and load run on different cores. It needs Linux, `wrk` and `taskset`;
 * servers that are not installed are left out. `docs/performance.md` says how
 * it measures.
 *
 * @module
 */

import { chooseJsr } from "../tools/_jsr.ts";
import type { Case } from "./compare/case.ts";
import { CASES } from "./compare/cases.ts";
import { chosen } from "./compare/choice.ts";
import { drawChart } from "./compare/chart.ts";
import { describeMachine } from "./compare/machine.ts";
import { formatCase, formatHeading } from "./compare/report.ts";
import type { CaseResult, Results } from "./compare/results.ts";
import { killServers } from "./compare/running_server.ts";
import { runCase } from "./compare/schedule.ts";
import { before, type ServerKind, SERVERS } from "./compare/servers.ts";
import { HELP, parseSettings, type Settings } from "./compare/settings.ts";
import { formatVerdicts } from "./compare/targets.ts";
import { findTools } from "./compare/tools.ts";

/** Compares as the settings say, and reports. */
async function compare(settings: Settings): Promise<void> {
  let cases = chosen(CASES, settings.cases, "case");
  const all = settings.before === undefined
    ? SERVERS
    : [...SERVERS, before(settings.before)];
  const servers = chosen(all, settings.servers, "server");
  requireCores(settings);
  await chooseJsr();
  const tools = await findTools(settings);
  await pinToCore(settings.loadCore);
  const missing = servers.flatMap((kind) => {
    const reason = kind.missing(tools);
    return reason === undefined ? [] : [{ server: kind.name, reason }];
  });
  if (tools.h2load === undefined && cases.some(({ http2 }) => http2)) {
    const reason =
      "h2load is not there (Debian: apt-get install nghttp2-client)";
    missing.push({ server: "all cases over HTTP/2", reason });
    cases = cases.filter(({ http2 }) => !http2);
  }
  const heading = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    versions: tools.versions,
    runs: settings.runs,
    seconds: settings.seconds,
    connections: settings.connections,
    missing,
  };
  console.log(formatHeading(heading));
  const found: CaseResult[] = [];
  const there = servers.filter((kind) => kind.missing(tools) === undefined);
  for (const theCase of cases) {
    const kinds = contestantsOf(theCase, there);
    if (kinds.length === 0) continue;
    const context = { settings, tools, say: console.error };
    found.push(await runCase(theCase, kinds, context));
    console.log(formatCase(found.at(-1)!));
    await save({ ...heading, cases: found }, settings);
  }
  console.log(formatVerdicts({ ...heading, cases: found }));
}

/** Those that take part in a case, in its order. */
function contestantsOf(
  { servers }: Case,
  there: readonly ServerKind[],
): ServerKind[] {
  return servers
    .flatMap((name) => name === "x-asgi" ? [name, "x-asgi-before"] : [name])
    .flatMap((name) => there.filter((kind) => kind.name === name));
}

function requireCores({ serverCore, loadCore }: Settings): void {
  const count = navigator.hardwareConcurrency;
  if (serverCore === loadCore || Math.max(serverCore, loadCore) >= count) {
    throw new RangeError(
      `Cannot compare: servers and load need two cores of ${count}, ` +
        `not ${serverCore} and ${loadCore}`,
    );
  }
}

/** Puts this process, and what it starts, on a core. */
async function pinToCore(core: number): Promise<void> {
  const args = ["-a", "-c", "-p", String(core), String(Deno.pid)];
  await new Deno.Command("taskset", { args }).output();
}

/** Written after each case, so that an interrupted comparison leaves something. */
async function save(results: Results, { json, svg }: Settings): Promise<void> {
  if (json !== undefined) {
    await Deno.writeTextFile(json, JSON.stringify(results, null, 2) + "\n");
  }
  if (svg !== undefined) await Deno.writeTextFile(svg, drawChart(results));
}

function list(): void {
  console.log("Cases:");
  for (const { name, title } of CASES) print(name, title);
  console.log("Servers:");
  for (const { name, title } of SERVERS) print(name, title);
}

function print(name: string, title: string): void {
  console.log(`  ${name.padEnd(18)} ${title}`);
}

function stop(): never {
  killServers();
  Deno.exit(130);
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, stop);
  }
  try {
    const settings = parseSettings(Deno.args);
    if (settings === undefined) console.log(HELP);
    else if (settings.list) list();
    else await compare(settings);
  } catch (error) {
    killServers();
    if (!(error instanceof Error)) throw error;
    console.error(`error: ${error.message}`);
    Deno.exit(1);
  }
  Deno.exit(0);
}
