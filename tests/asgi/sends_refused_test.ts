// Events that are refused while nobody awaits their sends: what they were
// refused with comes to light all the same, once, when the call is over.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import type { AsgiApp, SendEvent } from "../../src/asgi/types.ts";
import { wrapSend } from "../../src/asgi/wrap.ts";
import { handled } from "../../src/streams/handled.ts";
import { FakeWire, runFaulty } from "./_fake_wire.ts";
import { runFaulty as runFaultyWebSocket } from "./_fake_websocket_wire.ts";
import { settled } from "../_turns.ts";

const START: SendEvent = { type: "http.response.start", status: 200 };
const LAST: SendEvent = { type: "http.response.body", body: "a" };
const ACCEPT: SendEvent = { type: "websocket.accept" };
const MISSPELLED = { type: "http.response.strat" } as unknown as SendEvent;
const REFUSED = 'Cannot send event: unknown type "http.response.strat"';
const FAILED = new Error("fault of the test");

function messages(errors: readonly unknown[]): string[] {
  return errors.map((error) => (error as Error).message);
}

/** Applications that do not await an event that is refused, and fail by it. */
const FAILING: Record<string, AsgiApp> = {
  "the only event": (_scope, _receive, send) => {
    handled(send(MISSPELLED));
  },
  "the last event": async (_scope, _receive, send) => {
    await send(START);
    handled(send(MISSPELLED));
  },
  "an event after a large one": (_scope, _receive, send) => {
    handled(send(START));
    const body = "a".repeat(200_000);
    handled(send({ type: "http.response.body", body, more_body: true }));
    handled(send(MISSPELLED));
  },
  "the first of several events": (_scope, _receive, send) => {
    handled(send(MISSPELLED));
    handled(send(LAST));
    handled(send(LAST));
  },
};

for (const [what, app] of Object.entries(FAILING)) {
  Deno.test(`A response that fails because ${what} is refused says so`, async () => {
    const { errors, refused } = await runFaulty(app);
    assertEquals(messages(errors), [
      "Cannot complete response: the application has returned",
    ]);
    const { cause } = errors[0] as Error;
    assertInstanceOf(cause, InvalidEventError);
    assertEquals(cause.message, REFUSED);
    assertEquals(refused, []);
  });
}

Deno.test("A response that fails by nothing but its return has no cause", async () => {
  const { errors } = await runFaulty(async (_scope, _receive, send) => {
    await send(START);
  });
  assertEquals(Object.hasOwn(errors[0] as Error, "cause"), false);
});

Deno.test("A response that fails because a file is missing says so", async () => {
  const { errors } = await runFaulty((_scope, _receive, send) => {
    handled(send(START));
    handled(send({ type: "http.response.pathsend", path: "/none" }));
  });
  assertEquals(messages(errors), [
    "Cannot complete response: the application has returned",
  ]);
  assertEquals(messages([(errors[0] as Error).cause]), [
    "Cannot open /none: there is no such file",
  ]);
});

Deno.test("A response that fails because a change throws says so", async () => {
  for (const change of [refuse, refuseLater]) {
    const { errors, refused } = await runFaulty(
      async (_scope, _receive, send) => {
        const changed = wrapSend(wrapSend(send, change), (event) => event);
        handled(changed(START));
        await settled();
      },
    );
    assertEquals((errors[0] as Error).cause, FAILED);
    assertEquals(refused, []);
  }
});

function refuse(): never {
  throw FAILED;
}

async function refuseLater(): Promise<never> {
  await settled();
  throw FAILED;
}

Deno.test("A refused event comes to light although the response is complete", async () => {
  const { errors, refused, wire } = await runFaulty(
    async (_scope, _receive, send) => {
      handled(send(MISSPELLED));
      handled(send({ type: "http.response.trailers" }));
      await send(START);
      await send(LAST);
    },
  );
  assertEquals(errors, []);
  assertEquals(messages(refused), [REFUSED]);
  assertEquals(wire.content, "a");
});

Deno.test("A refused event comes to light beside what is thrown in consequence", async () => {
  const { errors, refused } = await runFaulty(
    async (_scope, _receive, send) => {
      handled(send(MISSPELLED));
      await send(LAST);
    },
  );
  assertEquals(messages(errors), [
    "Cannot send http.response.body: http.response.start must come first",
  ]);
  assertEquals(messages(refused), [REFUSED]);
});

Deno.test("A refused event that is thrown, or wrapped in what is thrown, is reported once", async () => {
  const applications: AsgiApp[] = [
    (_scope, _receive, send) => send(MISSPELLED),
    async (_scope, _receive, send) => {
      try {
        await send(MISSPELLED);
      } catch (cause) {
        throw new Error("Cannot answer", { cause });
      }
    },
  ];
  for (const app of applications) {
    const { errors, refused } = await runFaulty(app);
    assertEquals([errors.length, refused.length], [1, 0]);
  }
});

Deno.test("That the client has disconnected is no refusal", async () => {
  const wire = new FakeWire();
  const { errors, refused } = await runFaulty(
    async (_scope, _receive, send) => {
      await send(START);
      wire.disconnectClient("lost");
      handled(send(LAST));
    },
    { wire },
  );
  assertEquals([errors, refused], [[], []]);
});

// WebSockets.

Deno.test("A handshake that nothing answers because an event is refused says so", async () => {
  const { errors, refused } = await runFaultyWebSocket(
    (_scope, _receive, send) => {
      handled(send({ type: "websocket.accept", subprotocol: "none" }));
    },
  );
  assertEquals(messages(errors), [
    "Cannot complete handshake: the application has returned without an answer",
  ]);
  assertInstanceOf((errors[0] as Error).cause, InvalidEventError);
  assertEquals(refused, []);
});

Deno.test("A refused message comes to light when the WebSocket is over", async () => {
  const { errors, refused } = await runFaultyWebSocket(
    async (_scope, _receive, send) => {
      await send(ACCEPT);
      handled(send({ type: "websocket.send" }));
      await send({ type: "websocket.send", text: "a" });
    },
  );
  assertEquals(errors, []);
  assertEquals(refused.length, 1);
  assertInstanceOf(refused[0], InvalidEventError);
});

Deno.test("A message to a WebSocket that is closed is no refusal", async () => {
  const { errors, refused } = await runFaultyWebSocket(
    async (_scope, _receive, send) => {
      await send(ACCEPT);
      await send({ type: "websocket.close" });
      handled(send({ type: "websocket.send", text: "a" }));
    },
  );
  assertEquals([errors, refused], [[], []]);
});
