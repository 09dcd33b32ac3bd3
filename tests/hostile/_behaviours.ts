// What hostile clients do, as functions: each brings its connection to an end
// in its own way, whatever the connection is amid.

import { pause } from "../e2e/_testing.ts";
import { endsWithin, type HostileClient } from "./_client.ts";
import type { State } from "./_states.ts";

/** How long a flood lasts, and how long a client waits for the server's end. */
const FLOOD_MS = 200;
const PATIENCE_MS = 100;
const SLOW_READS = 10;
const SLOW_READ_MS = 10;

/** What a client does on a connection that is in a state. */
export type Behaviour = (client: HostileClient, state: State) => Promise<void>;

/** Behaviours that end by the client's own doing, by their names. */
export const BEHAVIOURS: Record<string, Behaviour> = {
  "resets": (client) => client.reset(),
  "closes": (client) => client.close(),
  "half-closes": async (client) => {
    client.halfClose();
    await endsWithin(client.readToEnd(), PATIENCE_MS);
    await client.close();
  },
  "sends one byte at a time": trickle,
  "reads slowly": async (client, { rest }) => {
    client.stopReading();
    await client.send(rest);
    for (let i = 0; i < SLOW_READS; i++) {
      client.readOnePiece();
      await pause(SLOW_READ_MS);
    }
    await client.close();
  },
  "floods without reading, and resets": async (client, { flood }) => {
    client.stopReading();
    await client.flood(flood, FLOOD_MS);
    await client.reset();
  },
  "floods without reading, and half-closes": async (client, { flood }) => {
    client.stopReading();
    await client.flood(flood, FLOOD_MS);
    client.halfClose();
    client.goOnReading();
    await endsWithin(client.readToEnd(), PATIENCE_MS);
    await client.close();
  },
};

/** Behaviours that last until the server has had enough. */
export const STUBBORN: Record<string, Behaviour> = {
  "never reads": async (client, { rest }) => {
    client.stopReading();
    await client.send(rest);
  },
  "never reads nor sends": (client) => {
    client.stopReading();
    return Promise.resolve();
  },
  "floods without reading": async (client, { flood }) => {
    client.stopReading();
    await client.flood(flood, FLOOD_MS);
  },
};

/** Sends one byte at a time; so it has sent what came before. */
export async function trickle(
  client: HostileClient,
  { rest, answer }: State,
): Promise<void> {
  await client.sendBytewise(rest);
  if (answer !== undefined) await client.readUntil(answer);
  await client.close();
}
