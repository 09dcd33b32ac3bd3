// Mixed load for minutes or hours: honest clients whose every answer is checked,
// and others that leave, vanish and misbehave, all at once. They meet a server in
// one process, over TCP and TLS, and the command with two workers, which are
// replaced again and again. Nothing may be answered wrongly or lost, nothing may
// grow, and in the end nothing may be left.
//
//     deno task soak [--minutes N] [--seed N]
//
// What it needs is Linux (it reads /proc). Exit code 1: something was wrong.

import { parseArgs } from "@std/cli";
import { Random } from "../_feeding.ts";
import { createCertificate } from "../e2e/_certificates.ts";
import type { RawClient } from "../e2e/_raw_client.ts";
import { bounded, pause } from "../e2e/_testing.ts";
import {
  type Client,
  connect,
  HONEST,
  type Target,
  UNRELIABLE,
} from "./clients.ts";
import { SoakedServer, SoakedWorkers } from "./processes.ts";
import { growthOf, type Sample } from "./watch.ts";

const CLIENTS = 24;
const CLIENT_TIMEOUT_MS = 60_000;
const SAMPLE_MS = 2_000;
const RESTART_MS = 15_000;
const REPORT_MS = 30_000;
/** Until then, caches fill and the compiler works: at most three minutes. */
const MAX_WARM_UP_MS = 180_000;
const SHOWN_FAILURES = 20;

/** What has happened so far. */
class Tally {
  /** Clients that were content. */
  served = 0;
  /** Clients that misbehaved, and are gone. */
  gone = 0;
  /** New connections that were reset because a worker was being replaced. */
  turnedAway = 0;
  /** What was wrong. */
  readonly failures: string[] = [];

  fail(what: string): void {
    this.failures.push(what);
    if (this.failures.length > SHOWN_FAILURES) return;
    console.error(`WRONG: ${what}`);
  }
}

/** One client after the other, until `isOver`. */
async function keepComing(
  targets: readonly Target[],
  random: Random,
  tally: Tally,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const target = random.pick(targets);
    const isHonest = !random.oneIn(4);
    const client = random.pick(isHonest ? HONEST : UNRELIABLE);
    if (isHonest) await serveHonest(client, random, target, tally);
    else await serveUnreliable(client, random, target, tally);
  }
}

async function serveHonest(
  client: Client,
  random: Random,
  target: Target,
  tally: Tally,
): Promise<void> {
  let connection: RawClient | undefined;
  try {
    connection = await connect(target);
    const done = client(connection, random, target);
    await bounded(done, "an answer", CLIENT_TIMEOUT_MS);
    tally.served++;
  } catch (error) {
    if (target.restarts && isReset(error) && !connection?.heard) {
      tally.turnedAway++;
    } else {
      const where = target.restarts ? "workers" : target.cert ? "TLS" : "TCP";
      const what = String(error).replaceAll(/\s+/g, " ");
      tally.fail(`${client.name} over ${where}: ${what}`);
    }
  } finally {
    connection?.close();
  }
}

/** What Linux does to what waits at a listener that closes. */
function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe;
}

async function serveUnreliable(
  client: Client,
  random: Random,
  target: Target,
  tally: Tally,
): Promise<void> {
  try {
    using connection = await connect(target);
    const done = client(connection, random, target);
    await bounded(done, "the end", CLIENT_TIMEOUT_MS);
  } catch (error) {
    // It cannot expect an answer, but the server must let go of it.
    const isStuck = String(error).includes("wait any longer");
    if (isStuck) tally.fail(`${client.name}: ${error}`);
  }
  tally.gone++;
}

/** Does something again and again, until `signal` is aborted. */
async function every(
  ms: number,
  signal: AbortSignal,
  act: () => Promise<void> | void,
): Promise<void> {
  for (let next = performance.now() + ms; !signal.aborted; next += ms) {
    while (!signal.aborted && performance.now() < next) await pause(100);
    if (!signal.aborted) await act();
  }
}

/** Runs the load for a time; what the server held meanwhile, once it was warm. */
async function load(
  server: SoakedServer,
  workers: SoakedWorkers,
  tally: Tally,
  { minutes, seed }: { minutes: number; seed: number },
): Promise<Sample[]> {
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  const lastsMs = minutes * 60_000;
  const warmUpMs = Math.min(MAX_WARM_UP_MS, lastsMs / 3);
  const samples: Sample[] = [];
  const over = new AbortController();
  const { signal } = over;
  const side = [
    every(SAMPLE_MS, signal, async () => {
      const sample = await server.sample();
      if (elapsed() > warmUpMs) samples.push(sample);
    }),
    every(RESTART_MS, signal, () => workers.restart()),
    every(REPORT_MS, signal, async () => {
      console.log(report(elapsed(), tally, await server.sample()));
    }),
  ];
  const targets = [...server.targets, workers.target];
  await Promise.all(Array.from({ length: CLIENTS }, (_, i) =>
    keepComing(
      targets,
      new Random(seed + i),
      tally,
      () => elapsed() > lastsMs,
    )));
  over.abort();
  await Promise.all(side);
  return samples;
}

function report(ms: number, tally: Tally, sample: Sample): string {
  const { served, gone, turnedAway, failures } = tally;
  return [
    `${(ms / 60_000).toFixed(1).padStart(6)} min`,
    `${served} served`,
    `${gone} gone`,
    `${turnedAway} turned away`,
    `${failures.length} wrong`,
    `${(sample.memory / 2 ** 20).toFixed(0)} MiB`,
    `${sample.descriptors} descriptors`,
  ].join(", ");
}

/** The whole run; what was wrong. */
async function soak(
  options: { minutes: number; seed: number },
): Promise<Tally> {
  const tally = new Tally();
  await using server = await SoakedServer.start(await createCertificate());
  await using workers = await SoakedWorkers.start();
  const samples = await load(server, workers, tally, options);
  const growth = growthOf(samples);
  if (growth !== undefined) tally.fail(`The server grows: ${growth}`);
  const left = await server.connectionsLeft();
  if (left > 0) tally.fail(`The server holds ${left} connections of nobody`);
  for (const process of [server, workers]) {
    for (const fault of await process.stop()) tally.fail(fault);
  }
  console.log(report(options.minutes * 60_000, tally, samples.at(-1)!));
  return tally;
}

const args = parseArgs(Deno.args, {
  string: ["minutes", "seed"],
  default: { minutes: "10", seed: String(Date.now() % 2 ** 31) },
});
const options = { minutes: Number(args.minutes), seed: Number(args.seed) };
if (!(options.minutes > 0.5)) {
  console.error("Cannot soak: --minutes must be a number above 0.5");
  Deno.exit(2);
}
console.log(`Soaking for ${options.minutes} minutes with seed ${options.seed}`);
const { failures } = await soak(options);
console.log(failures.length === 0 ? "All is well" : `${failures.length} wrong`);
Deno.exit(failures.length === 0 ? 0 : 1);
