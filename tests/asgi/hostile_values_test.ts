// Applications that throw, or send, values that are made to harm the code that
// reads them: it is an error of the application like any other, in all protocols.
// A rejection that nobody handles would fail the test that it comes from.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClientDisconnected, isDisconnect } from "../../src/asgi/errors.ts";
import {
  LifespanCycle,
  LifespanError,
  withState,
} from "../../src/asgi/lifespan_cycle.ts";
import type { AsgiApp, SendEvent } from "../../src/asgi/types.ts";
import { HOSTILE_VALUES } from "../_hostile_values.ts";
import { runFaulty } from "./_fake_wire.ts";
import { runFaulty as runFaultyWebSocket } from "./_fake_websocket_wire.ts";
import { settled } from "../_turns.ts";

function startLife(app: AsgiApp) {
  const errors: unknown[] = [];
  const cycle = new LifespanCycle(app, "auto", (error) => errors.push(error));
  return { cycle, errors };
}

for (const [what, create] of Object.entries(HOSTILE_VALUES)) {
  Deno.test(`Whether ${what} is a disconnect can be asked`, () => {
    assert(!isDisconnect(create()));
    const wrapping = new AggregateError([create(), new ClientDisconnected()]);
    assert(isDisconnect(wrapping));
  });

  Deno.test(`An application that throws ${what} gets its client a 500`, async () => {
    const thrown = create();
    const { errors, wire } = await runFaulty(() => Promise.reject(thrown));
    assert(errors.length === 1 && Object.is(errors[0], thrown));
    assertEquals(wire.calls, [["refuse", 500]]);
  });

  Deno.test(`An application that throws ${what} amid its response cuts it`, async () => {
    const { errors, wire } = await runFaulty(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", more_body: true });
      throw create();
    });
    assertEquals(errors.length, 1);
    assertEquals(wire.calls.at(-1), ["abort"]);
  });

  Deno.test(`An application that throws ${what} into a WebSocket closes it`, async () => {
    const { errors, wire } = await runFaultyWebSocket(
      async (_scope, _receive, send) => {
        await send({ type: "websocket.accept" });
        throw create();
      },
    );
    assertEquals(errors.length, 1);
    assertEquals(wire.sent.at(-1)?.slice(0, 2), ["close", 1011]);
  });

  Deno.test(`An application that throws ${what} as it starts is served without lifespan`, async () => {
    const { cycle, errors } = startLife(() => Promise.reject(create()));
    await cycle.startup();
    assert(!cycle.supported);
    assertEquals(errors, []);
  });

  Deno.test(`An application that throws ${what} as it stops has failed to`, async () => {
    const { cycle } = startLife(async (_scope, receive, send) => {
      await send({ type: "lifespan.startup.complete" });
      await receive();
      await receive();
      throw create();
    });
    await cycle.startup();
    const error = await assertRejects(() => cycle.shutdown(), LifespanError);
    assert(error.message.startsWith("Cannot stop application: "));
  });

  Deno.test(`Events that are, or hold, ${what} reject their sends`, async () => {
    const value = create();
    const events = [
      value,
      { type: value },
      { type: "http.response.start", status: value },
      { type: "http.response.start", status: 200, headers: value ?? 1 },
      { type: "http.response.start", status: 200, headers: [value] },
      { type: "http.response.start", status: 200, headers: [[value, value]] },
      { type: "lifespan.startup.complete", message: value, status: value },
      { type: "websocket.close", code: value ?? {} },
    ] as SendEvent[];
    let rejected = 0;
    async function sendAll(send: (event: SendEvent) => Promise<void>) {
      for (const event of events) await send(event).catch(() => rejected++);
    }
    await runFaulty(async (_scope, _receive, send) => await sendAll(send));
    assertEquals(rejected, events.length);
    await runFaultyWebSocket(async (_scope, _receive, send) => {
      await sendAll(send);
    });
    assertEquals(rejected, 2 * events.length);
    const { cycle } = startLife(async (_scope, _receive, send) => {
      await sendAll(send);
    });
    await cycle.startup();
    await settled();
    assert(cycle.supported);
    assertEquals(rejected, 3 * events.length - 1);
  });
}

Deno.test("A state that throws when it is copied is an error of the application", async () => {
  const { cycle } = startLife(async (scope, receive, send) => {
    if (scope.type !== "lifespan") return;
    Object.defineProperty(scope.state, "pool", {
      enumerable: true,
      get: () => {
        throw new Error("The pool is closed");
      },
    });
    await send({ type: "lifespan.startup.complete" });
    await receive();
    await receive();
  });
  await cycle.startup();
  const { errors, wire } = await runFaulty(withState(() => {}, cycle));
  assertEquals(errors.map(String), ["Error: The pool is closed"]);
  assertEquals(wire.calls, [["refuse", 500]]);
  await cycle.shutdown();
});
