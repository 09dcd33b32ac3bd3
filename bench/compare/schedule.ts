/**
 * The order of runs: those of the servers in a case are interleaved (A B C, A B
 * C, …), so that whatever else goes on in the machine meets all of them alike.
 * A server that fails is left out from there on.
 *
 * @module
 */

import type { Case, Check } from "./case.ts";
import type { CaseResult, Failure, Figures } from "./results.ts";
import { summarize } from "./results.ts";
import { RunningServer } from "./running_server.ts";
import type { ServerKind } from "./servers.ts";
import type { Settings } from "./settings.ts";
import type { Tools } from "./tools.ts";

/** Between two runs, so that one server's clearing up is not the other's loss. */
const PAUSE_MS = 250;

/** What a case is run with. */
export interface Context {
  readonly settings: Settings;
  readonly tools: Tools;
  /** Called with each step that begins. */
  say(message: string): void;
}

/** A server that takes part, and what was found of it so far. */
interface Contestant {
  readonly kind: ServerKind;
  readonly runs: Figures[];
  server?: RunningServer;
  failure?: string;
}

/** Compares servers in a case. */
export async function runCase(
  theCase: Case,
  kinds: readonly ServerKind[],
  context: Context,
): Promise<CaseResult> {
  const contestants = kinds.map((kind): Contestant => ({ kind, runs: [] }));
  const compare = theCase.fresh ? runFresh : runLong;
  try {
    await compare(theCase, contestants, context);
  } finally {
    for (const { server } of contestants) await server?.[Symbol.asyncDispose]();
  }
  const failed = contestants.filter(({ failure }) => failure !== undefined);
  const { name, title, unit, better } = theCase;
  return {
    case: name,
    title,
    unit,
    better,
    servers: contestants.filter(({ failure }) => failure === undefined)
      .map(({ kind, runs }) => summarize(kind.name, runs)),
    failures: failed.map(({ kind, failure }): Failure => ({
      server: kind.name,
      reason: failure!,
    })),
  };
}

/** All servers run all the time; each is idle while another is measured. */
async function runLong(
  theCase: Case,
  contestants: readonly Contestant[],
  context: Context,
): Promise<void> {
  const { settings } = context;
  await inTurn(contestants, async (contestant) => {
    const server = await start(theCase, contestant.kind, context);
    contestant.server = server;
    if (theCase.check !== undefined) await check(server, theCase.check);
    await theCase.measure(server, { ...settings, seconds: settings.warmUp });
  });
  for (let run = 0; run < settings.runs; run++) {
    await inTurn(contestants, async ({ server, runs }) => {
      await pause();
      runs.push(await theCase.measure(server!, settings));
    });
    context.say(`${theCase.name}: run ${run + 1} of ${settings.runs}`);
  }
}

/** Each run has a server of its own. */
async function runFresh(
  theCase: Case,
  contestants: readonly Contestant[],
  context: Context,
): Promise<void> {
  const { settings } = context;
  // The first start reads files that later ones find in memory.
  await inTurn(contestants, async ({ kind }) => {
    await using _server = await start(theCase, kind, context);
  });
  for (let run = 0; run < settings.runs; run++) {
    await inTurn(contestants, async ({ kind, runs }) => {
      await pause();
      await using server = await start(theCase, kind, context);
      runs.push(await theCase.measure(server, settings));
    });
    context.say(`${theCase.name}: run ${run + 1} of ${settings.runs}`);
  }
}

/** Does something with each server that has not failed. */
async function inTurn(
  contestants: readonly Contestant[],
  act: (contestant: Contestant) => Promise<void>,
): Promise<void> {
  for (const contestant of contestants) {
    if (contestant.failure !== undefined) continue;
    try {
      await act(contestant);
    } catch (error) {
      contestant.failure = error instanceof Error
        ? error.message
        : String(error);
      await contestant.server?.[Symbol.asyncDispose]();
      contestant.server = undefined;
    }
  }
}

function start(
  theCase: Case,
  kind: ServerKind,
  { settings, tools }: Context,
): Promise<RunningServer> {
  const cores = theCase.cores?.(kind.name, settings) ?? [settings.serverCore];
  const { tls } = theCase;
  const http2 = theCase.http2 && !kind.http1;
  return RunningServer.start(kind, tools, { tls, http2, cores });
}

/** Servers are comparable only if they answer the same. */
async function check(
  server: RunningServer,
  { path, body, length }: Check,
): Promise<void> {
  const content = body === undefined
    ? undefined
    : new Uint8Array(body).fill(0x78);
  const answer = await server.request(path, content);
  if (answer.status === 200 && answer.body.length === length) return;
  const { status } = answer;
  throw new Error(
    `${path} was answered ${status} with ${answer.body.length} bytes, ` +
      `not 200 with ${length}`,
  );
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
