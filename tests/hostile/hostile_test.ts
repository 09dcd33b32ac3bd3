// Hostile clients: whatever a connection is amid, and whatever its client does
// then, the server answers others in the meantime, holds nothing more when the
// client is gone, and says nothing of it. Clients that only wait are cut by the
// server's deadlines.

import type { ServeOptions } from "../../mod.ts";
import { createCertificate } from "../e2e/_certificates.ts";
import { bounded, granted, pause } from "../e2e/_testing.ts";
import {
  type Behaviour,
  BEHAVIOURS,
  STUBBORN,
  trickle,
} from "./_behaviours.ts";
import { endsWithin, type HostileClient } from "./_client.ts";
import { type State, STATES } from "./_states.ts";
import { type Security, Target, type Vitals } from "./_target.ts";

const CERTIFICATE = await createCertificate();
/** Of clients that send no PROXY header the operator wants to know. */
const EXPECTED = /^$|PROXY protocol header/;
/** No deadline helps, but the one for a client that has sent too much ahead. */
const PATIENT: ServeOptions = { headerTimeout: 2_000 };
/**
 * What goes with a connection of Deno's TLS that the server has ended. Its
 * descriptor does not: the runtime keeps it until the client has read what it is
 * owed, or is gone.
 */
const COUNTED = ["connections", "webSockets", "requests", "timers"];
const AT_A_TIME = 8;
const STEP_MS = 60_000;
/** Honest clients on a busy machine must be within it as well. */
const HASTY_MS = 1_000;
const HASTY: ServeOptions = {
  handshakeTimeout: HASTY_MS,
  headerTimeout: HASTY_MS,
  keepAliveTimeout: HASTY_MS,
  bodyTimeout: HASTY_MS,
  writeTimeout: HASTY_MS,
  drainTimeout: HASTY_MS,
  pingInterval: HASTY_MS,
  pingTimeout: HASTY_MS,
  closeTimeout: HASTY_MS,
};

for (const security of ["clear", "TLS", "TLS without delay"] as const) {
  const where = security === "clear" ? "in clear" : `over ${security}`;
  const states = Object.entries(STATES)
    .filter(([, { listener, overTls }]) =>
      security === "clear" ? listener !== "TLS, in clear" : overTls
    );

  hostileTest(`clients ${where}, one by one`, PATIENT, async (t, target) => {
    let before = await target.vitals();
    for (const [amid, state] of states) {
      for (const [does, behave] of Object.entries(BEHAVIOURS)) {
        const passed = await step(t, `${amid}: a client ${does}`, async () => {
          const bytewise = behave === trickle;
          await using client = await target.attack(state, {
            security,
            bytewise,
          });
          await probing(target, security, behave(client, state));
          await target.recovered(before);
        });
        // A leak is reported once.
        if (!passed) before = await target.vitals();
      }
    }
  });

  hostileTest(`clients ${where} that only wait`, HASTY, async (t, target) => {
    const before = await target.vitals();
    const ended = states.filter(([, { openEnded }]) => !openEnded);
    for (const [does, behave] of Object.entries(STUBBORN)) {
      await step(t, `each client ${does}`, async () => {
        for (let i = 0; i < ended.length; i += AT_A_TIME) {
          const some = ended.slice(i, i + AT_A_TIME);
          await endedByServer(target, before, some, { security, behave });
        }
        await target.recovered(before);
      });
    }
  });
}

/** Honest clients are answered while a hostile one is at it. */
async function probing(
  target: Target,
  security: Security,
  hostile: Promise<void>,
): Promise<void> {
  let over = false;
  const end = hostile.finally(() => over = true);
  while (!over) {
    await target.probe(security);
    await pause(10);
  }
  await end;
}

/** The server ends every connection by itself; where it does not, they are named. */
async function endedByServer(
  target: Target,
  before: Vitals,
  states: readonly [name: string, State][],
  { security, behave }: { security: Security; behave: Behaviour },
): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const clients = new Map<string, HostileClient>();
  const hostile = states.map(async ([name, state]) => {
    const client = closing.use(await target.attack(state, { security }));
    clients.set(name, client);
    await behave(client, state);
  });
  await probing(target, security, Promise.all(hostile).then(() => {}));
  try {
    await target.recovered(before, security === "TLS" ? COUNTED : undefined);
  } catch (cause) {
    const open = await stillOpen(clients);
    throw new Error(`Open is what was: ${open.join(", ")}`, { cause });
  }
}

async function stillOpen(
  clients: ReadonlyMap<string, HostileClient>,
): Promise<string[]> {
  const open: string[] = [];
  await Promise.all(
    clients.entries().map(async ([name, client]) => {
      client.goOnReading();
      if (!await endsWithin(client.readToEnd(), 500)) open.push(name);
    }),
  );
  return open;
}

/** Declares a test of one server, which must end well. */
function hostileTest(
  name: string,
  options: ServeOptions,
  fn: (t: Deno.TestContext, target: Target) => Promise<void>,
): void {
  const permissions = ["net", "run", "read"] as const;
  Deno.test({
    name: `hostile ${name}`,
    ignore: !permissions.every((permission) => granted(permission)),
    async fn(t) {
      await using target = await Target.start(CERTIFICATE, options);
      try {
        await fn(t, target);
      } finally {
        // If the server died, what it has printed says why.
        await target.end(EXPECTED);
      }
    },
  });
}

/** A step that does not last for ever; whether it passed. */
function step(
  t: Deno.TestContext,
  name: string,
  fn: () => Promise<void>,
): Promise<boolean> {
  return t.step(name, () => bounded(fn(), `"${name}"`, STEP_MS));
}
