/**
 * Measures how long a client waits beside another one that takes all it can get:
 * starts each server, attacks it in several ways, and times a GET on a fresh
 * connection 40 times a second meanwhile.
 *
 *     deno run -A bench/fairness.ts [--seconds N] [--attack NAME] [--help]
 *
 * Servers run on one core, and attacker and probe on another, where there is
 * `taskset`. It fails if a target is missed: what they are, `--help` says.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { chooseJsr } from "../tools/_jsr.ts";
import { describeMachine } from "./compare/machine.ts";
import { formatNumber, formatTable } from "./compare/report.ts";
import { type Attack, ATTACKS } from "./fairness/attacker.ts";
import { probe, type Waits } from "./fairness/probe.ts";
import {
  type Contender,
  findContenders,
  killAll,
  pinSelf,
  Running,
} from "./fairness/processes.ts";
import { freePort } from "../tests/_ports.ts";

const MAX_P50_MS = 30;
const MAX_MS = 300;
/** A machine that does other things as well adds this much to some answers. */
const TOLERANCE_MS = 5;

const HELP =
  `Measures how long a client waits beside one that keeps the server busy.

Usage: deno run -A bench/fairness.ts [FLAGS]

  --seconds COUNT  Length of each attack on each server [3]
  --attack NAME    Only this attack; may be repeated
  --help           Prints this

Attacks:
${
    Object.entries(ATTACKS)
      .map(([name, { title }]) => `  ${name.padEnd(15)}  ${title}`).join("\n")
  }

Servers: this package with DENO_TOKIO_EVENT_INTERVAL=1, the same without it, and
node:http where Node is installed.

Targets, with the variable: half of all answers within ${MAX_P50_MS} ms, all within
${MAX_MS} ms, and half of them no later than from node:http in the same run
(${TOLERANCE_MS} ms are tolerated).
`;

/** What was measured of one server beside one attack. */
interface Measured {
  readonly contender: Contender;
  readonly waits: Waits;
}

/** Measures what the arguments ask for; whether all targets are met. */
async function measure(seconds: number, names: string[]): Promise<boolean> {
  await chooseJsr();
  await pinSelf();
  const contenders = await findContenders();
  const { processor, cores, system } = describeMachine();
  console.log(`${processor}, ${cores} cores, ${system}`);
  console.log(`Deno ${Deno.version.deno}, ${seconds} s each; milliseconds`);
  let isGood = true;
  for (const name of names) {
    const attack = ATTACKS[name];
    const measured: Measured[] = [];
    for (const contender of contenders) {
      if (attack.webSocket && !contender.speaksWebSocket) continue;
      const waits = await measureOne(contender, name, seconds);
      measured.push({ contender, waits });
    }
    console.log(report(attack, measured));
    isGood &&= measured.every((one) => missed(one, measured).length === 0);
  }
  console.log(isGood ? "\nAll targets are met" : "\nTargets are missed");
  return isGood;
}

async function measureOne(
  contender: Contender,
  attack: string,
  seconds: number,
): Promise<Waits> {
  const port = freePort();
  await using _server = await Running.server(contender, port);
  await using _attacker = await Running.attacker(attack, port);
  return await probe(port, seconds);
}

function report({ title }: Attack, measured: readonly Measured[]): string {
  const rows = measured.map((one) => [
    one.contender.name,
    ...[one.waits.p50, one.waits.p99, one.waits.max].map(formatNumber),
    String(one.waits.failed || ""),
    missed(one, measured).join(", ") || verdictOf(one.contender),
  ]);
  const heading = ["server", "p50", "p99", "max", "unanswered", "target"];
  return `\nBeside ${title}:\n${formatTable([heading, ...rows]).join("\n")}`;
}

function verdictOf(contender: Contender): string {
  return isHeld(contender) ? "met" : "";
}

/** Targets are for the server as it should be started. */
function isHeld({ isOurs, env }: Contender): boolean {
  return isOurs && Object.keys(env).length > 0;
}

/** The targets that a server has missed. */
function missed(
  { contender, waits }: Measured,
  measured: readonly Measured[],
): string[] {
  if (!isHeld(contender)) return [];
  const node = measured.find((one) => !one.contender.isOurs);
  const nodeP50 = node?.waits.p50 ?? Infinity;
  return [
    ...waits.p50 > MAX_P50_MS ? [`p50 > ${MAX_P50_MS}`] : [],
    ...waits.max > MAX_MS ? [`max > ${MAX_MS}`] : [],
    ...waits.p50 > nodeP50 + TOLERANCE_MS ? ["p50 > node:http"] : [],
  ];
}

function stop(): never {
  killAll();
  Deno.exit(130);
}

/** Does what the command line says; gives the exit code. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "3" },
      attack: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= 60)) {
    throw new RangeError("--seconds must be a number above 0, up to 60");
  }
  const unknown = values.attack.find((name) => !Object.hasOwn(ATTACKS, name));
  if (unknown !== undefined) throw new RangeError(`No attack "${unknown}"`);
  const names = values.attack.length > 0 ? values.attack : Object.keys(ATTACKS);
  return await measure(seconds, names) ? 0 : 1;
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, stop);
  }
  try {
    Deno.exit(await main());
  } catch (error) {
    killAll();
    if (!(error instanceof Error)) throw error;
    console.error(`error: ${error.message}`);
    Deno.exit(2);
  }
}
