// What attacks have in common: a client that goes on until it is stopped, and
// handlers that show how many of them are at work at most.

import { assert, assertEquals } from "@std/assert";
import type { Http2Meter } from "../../src/http2/connection.ts";
import type { Http2Exchange } from "../../src/http2/exchange.ts";
import type { Http2Options } from "../../src/http2/options.ts";
import { settledSoon } from "../_turns.ts";
import type { Http2Client } from "./_client.ts";
import type { InMemoryOptions } from "./_in_memory.ts";
import { abort } from "./_outcomes.ts";
import { serve } from "./_serving.ts";

/** How an attack is made. */
export interface Attack {
  /** One round of it, which goes out as one chunk. */
  round(client: Http2Client, round: number): void;
  /** What serves its requests. Default: they are held, whatever the client does. */
  readonly handle?: (exchange: Http2Exchange) => Promise<void>;
  readonly options?: Partial<Http2Options>;
  readonly inMemory?: InMemoryOptions;
  /** When it gives up. Default: 5,000 rounds. */
  readonly maxRounds?: number;
}

/** What came of it. */
export interface Defence {
  /** The code by which the connection was ended, if it was. */
  readonly code: string | undefined;
  /** How many rounds it has lasted. */
  readonly rounds: number;
  /** How many handlers were at work at most, and how often one was called. */
  readonly mostRunning: number;
  readonly calls: number;
  readonly client: Http2Client;
  readonly meter: Http2Meter;
}

/** Attacks a connection until it ends, or the attack gives up. */
export async function attack(
  { round, handle, options, inMemory, maxRounds = 5_000 }: Attack,
): Promise<Defence> {
  let [running, mostRunning, calls] = [0, 0, 0];
  const over = Promise.withResolvers<void>();
  using connected = serve(
    async (exchange) => {
      calls++;
      mostRunning = Math.max(mostRunning, ++running);
      await (handle?.(exchange) ?? over.promise);
      running--;
    },
    options,
    inMemory,
  );
  const { client, connection } = connected;
  const meter = {
    http2StreamsOpen: 0,
    http2StreamsRefused: 0,
    http2ConnectionsClosedForAbuse: 0,
  };
  connection.meter = meter;
  await settledSoon();
  let rounds = 0;
  while (rounds < maxRounds && client.goAways.length === 0) {
    client.together(() => round(client, rounds));
    rounds++;
    await settledSoon();
  }
  const code = client.goAways.at(0);
  over.resolve();
  await abort(connected);
  await settledSoon();
  assertEquals([running, meter.http2StreamsOpen], [0, 0]);
  const { http2ConnectionsClosedForAbuse: abuse } = meter;
  assertEquals(abuse, code === "ENHANCE_YOUR_CALM" ? 1 : 0);
  return { code, rounds, mostRunning, calls, client, meter };
}

/** Asserts that an attack was stopped for what it is, after so many rounds. */
export function assertStopped(
  { code, rounds }: Defence,
  least: number,
  most: number,
): void {
  assertEquals(code, "ENHANCE_YOUR_CALM");
  assert(least <= rounds && rounds <= most, `after ${rounds} rounds`);
}
