// What holds whatever a client does, and however its transport misbehaves: only
// the protocol's errors come of it, each request has one call and each call an
// end, and nothing is left over. The test client checks each frame of the server.

import { assert, assertEquals } from "@std/assert";
import type { AsgiApp, ReceiveEvent } from "../../mod.ts";
import { LifespanCycle } from "../../src/asgi/lifespan_cycle.ts";
import { Http2Connection } from "../../src/http2/connection.ts";
import { DEFAULT_HTTP2_OPTIONS } from "../../src/http2/options.ts";
import { CONNECTION_WINDOW } from "../../src/http2/limits.ts";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import { DEFAULT_OPTIONS } from "../../src/server/options.ts";
import { settledSoon } from "../_turns.ts";
import { Random } from "../websocket/_random.ts";
import { connectInMemory } from "./_in_memory.ts";
import { RandomClient } from "./_random_client.ts";

const PATHS = ["/echo", "/early", "/hold", "/large", "/cut", "/odd", "/throw"];
const INFO = { scheme: "http", client: null, server: null } as const;

/** Calls of the application, and what became of them. */
class Calls {
  begun = 0;
  ended = 0;
  /** The calls that have received a disconnect as their last event. */
  disconnected = 0;

  readonly app: AsgiApp = async (scope, receive, send) => {
    if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
    this.begun++;
    let last: ReceiveEvent | undefined;
    async function next(): Promise<ReceiveEvent> {
      return last = await receive();
    }
    try {
      await BEHAVIOURS[scope.path](next, (event) => send(event));
    } finally {
      while (last?.type !== "http.disconnect") await next();
      // After that, there is nothing else.
      assertEquals((await next()).type, "http.disconnect");
      this.disconnected++;
      this.ended++;
    }
  };
}

type Behaviour = (
  receive: () => Promise<ReceiveEvent>,
  send: Parameters<AsgiApp>[2] extends (event: infer E) => infer R
    ? (event: E) => R
    : never,
) => Promise<void>;

const START = { type: "http.response.start", status: 200 } as const;
const PIECE = new Uint8Array(30_000);

const BEHAVIOURS: Record<string, Behaviour> = {
  "/echo": async (receive, send) => {
    await send(START);
    for (;;) {
      const event = await receive();
      if (event.type !== "http.request") return;
      const { body, more_body } = event;
      await send({ type: "http.response.body", body, more_body });
      if (!more_body) return;
    }
  },
  "/early": async (_receive, send) => {
    await send(START);
    await send({ type: "http.response.body", body: "early" });
  },
  "/hold": async (receive) => {
    while ((await receive()).type !== "http.disconnect");
  },
  "/large": async (_receive, send) => {
    await send(START);
    for (let i = 0; i < 10; i++) {
      await send({ type: "http.response.body", body: PIECE, more_body: i < 9 });
    }
  },
  "/cut": async (_receive, send) => {
    await send(START);
    await send({ type: "http.response.body", body: PIECE, more_body: true });
  },
  "/odd": async (receive, send) => {
    await send({ ...START, trailers: true });
    await receive();
    await send({ type: "http.response.body", body: "odd" });
    await send({ type: "http.response.trailers", headers: [["x-end", "1"]] });
  },
  "/throw": () => Promise.reject(new Error("Thrown by the test")),
};

/** A connection whose requests the whole ASGI layer serves. */
function serveCalls(random: Random) {
  const calls = new Calls();
  const lifespan = new LifespanCycle(calls.app, "off", () => {});
  const dispatcher = new Dispatcher(calls.app, {
    options: DEFAULT_OPTIONS,
    lifespan,
    openFile: () => Promise.reject(new Error("There are no files here")),
    log: () => {},
  });
  const meter = {
    http2StreamsOpen: 0,
    http2StreamsRefused: 0,
    http2ConnectionsClosedForAbuse: 0,
  };
  const misbehaves = random.chance(0.5);
  const connected = connectInMemory((transport) => {
    const connection = new Http2Connection(
      transport,
      (exchange) => dispatcher.dispatch(exchange, INFO),
      DEFAULT_HTTP2_OPTIONS,
    );
    connection.meter = meter;
    return connection;
  }, {
    transport: misbehaves
      ? {
        piece: random.integer(500, 20_000),
        writeDelays: [random.integer(0, 10)],
        readDelays: [random.integer(0, 10)],
      }
      : {},
  });
  return { ...connected, calls, meter };
}

/** Ends a connection, and checks what must hold at any end. */
async function assertEnded(
  { transport, done, calls, meter, client }: ReturnType<typeof serveCalls>,
  random: Random,
): Promise<void> {
  if (random.chance(0.5)) transport.lose();
  else transport.end();
  await transport.passTime(200_000);
  const error = await done.catch((error) => error);
  assert(error === undefined || error instanceof Error);
  await settledSoon();
  assertEquals(calls.ended, calls.begun, "a call goes on");
  assertEquals(calls.disconnected, calls.begun);
  assert(calls.begun <= client.streams.size + 200);
  assertEquals(meter.http2StreamsOpen, 0);
  assertEquals(transport.deadlines.size, 0);
  assertEquals(transport.readDeadline.armed, undefined);
  client[Symbol.dispose]();
}

Deno.test("An honest client gets all that it asks for, whatever else goes on", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = new Random(seed);
    const served = serveCalls(random);
    const { client } = served;
    const other = new RandomClient(client, random, PATHS);
    const asked = [];
    for (let i = 0; i < 100; i++) {
      other.step();
      if (i % 10 === 0) asked.push(client.open({ path: "/large" }));
      if (random.chance(0.3)) await settledSoon();
    }
    other.end();
    client.settings({ INITIAL_WINDOW_SIZE: 500_000 });
    client.windowUpdate(0, 10_000_000);
    await settledSoon();
    assertEquals(client.goAways, [], `seed ${seed}: ${client.trace()}`);
    for (const stream of asked) {
      if (!stream.cancelled) assert((await stream.response()).complete);
    }
    assertEquals((await client.request({ path: "/odd" })).trailers, [
      ["x-end", "1"],
    ]);
    // All credit was given back, but for what is not worth a frame.
    await client.sync();
    const { sendWindow } = client.rules;
    assert(sendWindow > CONNECTION_WINDOW / 2, `seed ${seed}: ${sendWindow}`);
    await assertEnded(served, random);
  }
});

Deno.test("A client that breaks rules gets errors of the protocol, and nothing goes on", async () => {
  let ends = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const random = new Random(1_000 + seed);
    const served = serveCalls(random);
    const { client } = served;
    const other = new RandomClient(client, random, PATHS);
    for (let i = 0; i < 60; i++) {
      if (random.chance(0.05)) other.breakRule();
      else other.step();
      if (random.chance(0.3)) await settledSoon();
    }
    await settledSoon();
    if (client.goAways.length > 0) ends++;
    await assertEnded(served, random);
  }
  assert(ends > 50 && ends < 150, `${ends} connections have ended`);
});

Deno.test("Bytes of an honest client that were changed are no exception", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = new Random(5_000 + seed);
    const sent = honestBytes(random);
    const changed = sent.slice(0, random.integer(30, sent.length));
    for (let changes = random.integer(1, 5); changes > 0; changes--) {
      changed[random.integer(24, changed.length - 1)] = random.integer(0, 255);
    }
    const served = serveCalls(random);
    served.client.acknowledges = false;
    served.client.autoCredit = false;
    // The preface and SETTINGS were sent before: the rest follows.
    for (const part of random.cut(changed.subarray(33), 5)) {
      served.client.raw(part);
      if (random.chance(0.5)) await settledSoon();
    }
    await settledSoon();
    await assertEnded(served, random);
  }
});

/** What a client sends in a row, without waiting for anything. */
function honestBytes(random: Random): Uint8Array {
  const served = serveCalls(random);
  const parts: number[] = [];
  const push = served.transport.pushBytes.bind(served.transport);
  served.transport.pushBytes = (...chunks) => {
    for (const chunk of chunks) parts.push(...chunk);
    push(...chunks);
  };
  served.client.begin();
  const client = new RandomClient(served.client, random, PATHS);
  for (let i = 0; i < 40; i++) client.step();
  served.transport.lose();
  return Uint8Array.from(parts);
}
