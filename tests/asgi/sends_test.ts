// Applications that send and do not wait: a call fails by which too much waits
// for its client, with an error that says what to do. However much is sent, what
// is kept is bounded; and an application that awaits its sends meets no bound.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
} from "@std/assert";
import {
  ClientDisconnected,
  InvalidEventError,
} from "../../src/asgi/errors.ts";
import {
  MAX_WAITING_BYTES,
  MAX_WAITING_EVENTS,
  Sends,
} from "../../src/asgi/sends.ts";
import type { AsgiApp, Send, SendEvent } from "../../src/asgi/types.ts";
import { wrapSend } from "../../src/asgi/wrap.ts";
import { handled } from "../../src/streams/handled.ts";
import { FakeFile, FakeWire, runFaulty, start } from "./_fake_wire.ts";
import {
  FakeWebSocketWire,
  start as startWebSocket,
} from "./_fake_websocket_wire.ts";
import { unawaited } from "../_unawaited.ts";
import { settled } from "../_turns.ts";

const START: SendEvent = { type: "http.response.start", status: 200 };
const ACCEPT: SendEvent = { type: "websocket.accept" };

function content(body: string | Uint8Array): SendEvent {
  return { type: "http.response.body", body, more_body: true };
}

function message(text: string): SendEvent {
  return { type: "websocket.send", text };
}

/** Sends so many events at once, and keeps what becomes of them. */
function flood(
  send: (event: SendEvent) => Promise<void>,
  event: SendEvent,
  count: number,
): Promise<void>[] {
  return Array.from({ length: count }, () => handled(send(event)));
}

function assertTooMuch(error: unknown): void {
  assertInstanceOf(error, InvalidEventError);
  assert(error.message.includes("await each send"), error.message);
}

/** The errors of sends that were rejected for want of room. */
async function refusals(sends: Promise<void>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(sends);
  return outcomes.filter((outcome) => outcome.status === "rejected")
    .map(({ reason }) => reason)
    .filter((reason) => reason instanceof InvalidEventError);
}

/** Ways to send content without end; each wire takes nothing. */
const FLOODS: Record<string, (send: Send) => Promise<void>[]> = {
  "many events": (send) => [
    handled(send(START)),
    ...flood(send, content("a"), 3 * MAX_WAITING_EVENTS),
  ],
  "much content": (send) => {
    handled(send(START));
    const body = new Uint8Array(64 * 1024);
    return flood(send, content(body), 3 * MAX_WAITING_BYTES / body.length);
  },
  "many events after a large one": (send) => {
    handled(send(START));
    handled(send(content("a".repeat(200_000))));
    return flood(send, content("a"), 3 * MAX_WAITING_EVENTS);
  },
  "several large events": (send) => {
    handled(send(START));
    return flood(send, content("a".repeat(MAX_WAITING_BYTES)), 5);
  },
  "many events that are faulty, after a file": (send) => {
    handled(send(START));
    const type = "http.response.zerocopysend";
    handled(send({ type, file: new FakeFile("file"), more_body: true }));
    return flood(send, START, 3 * MAX_WAITING_EVENTS);
  },
  "many events by a stream": (send) => {
    const writer = send.writable.getWriter();
    handled(writer.write(START));
    const write = (event: SendEvent) => writer.write(event);
    return flood(write, content("a"), 3 * MAX_WAITING_EVENTS);
  },
  "many events through a change that takes its time": (send) => {
    const slow = wrapSend(send, (event) => Promise.resolve(event));
    handled(slow(START));
    return flood(slow, content("a"), 3 * MAX_WAITING_EVENTS);
  },
};

for (const [what, act] of Object.entries(FLOODS)) {
  Deno.test(`A response of ${what} that nobody awaits fails`, async () => {
    const wire = new FakeWire();
    wire.hold();
    let sends: Promise<void>[] = [];
    const { errors, finished, returned } = start((_scope, _receive, send) => {
      sends = act(send);
    }, { wire });
    await settled();
    assertEquals(errors.length, 1);
    assertTooMuch(errors[0]);
    wire.release();
    await Promise.all([finished, returned]);
    assert(["abort", "refuse"].includes(wire.calls.at(-1)![0]));
    const refused = await refusals(sends);
    assert(refused.length > 0);
    refused.forEach(assertTooMuch);
    assertEquals(errors.length, 1);
  });
}

Deno.test("What waits of a response that fails so is bounded", async () => {
  const wire = new FakeWire();
  wire.hold();
  const { finished } = start((_scope, _receive, send) => {
    handled(send(START));
    unawaited(flood(send, content("a"), 10 * MAX_WAITING_EVENTS));
  }, { wire });
  await settled();
  wire.release();
  await finished;
  // One may be written while all others wait.
  assert(wire.content.length > 0);
  assert(wire.content.length <= MAX_WAITING_EVENTS + 1);
});

Deno.test("All sends that come too late are rejected with one and the same error", async () => {
  const wire = new FakeWire();
  wire.hold();
  let sends: Promise<void>[] = [];
  const { finished } = start((_scope, _receive, send) => {
    handled(send(START));
    unawaited(flood(send, content("a"), MAX_WAITING_EVENTS + 1));
    sends = flood(send, content("a"), 100);
  }, { wire });
  wire.release();
  await finished;
  // Now and then one of them waits until others have had their turn.
  assertLess(new Set(sends).size, 10);
  assertEquals(new Set(await refusals(sends)).size, 1);
});

Deno.test("An application that awaits each send meets no bound, however much is sent", async () => {
  const body = new Uint8Array(64 * 1024);
  const pieces = 2 * MAX_WAITING_BYTES / body.length;
  const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
    await send(START);
    for (let i = 0; i < pieces; i++) await send(content(body));
    for (let i = 0; i < 2 * MAX_WAITING_EVENTS; i++) await send(content("a"));
    await send({ type: "http.response.body" });
  });
  assertEquals(errors, []);
  assertEquals(
    wire.content.length,
    pieces * body.length + 2 * MAX_WAITING_EVENTS,
  );
});

Deno.test("A single event may be of any size, and some need not be awaited", async () => {
  const { wire, errors } = await runFaulty((_scope, _receive, send) => {
    handled(send(START));
    handled(send(content("a".repeat(2 * MAX_WAITING_BYTES))));
    unawaited(flood(send, content("b"), 1000));
    handled(send({ type: "http.response.body" }));
  });
  assertEquals(errors, []);
  assertEquals(wire.content.length, 2 * MAX_WAITING_BYTES + 1000);
});

/** Ways to send events, all of which are awaited now and then. */
const WAYS: Record<
  string,
  (send: Send) => (event: SendEvent) => Promise<void>
> = {
  "by calls": (send) => send,
  "by a stream": (send) => {
    const writer = send.writable.getWriter();
    return (event) => writer.write(event);
  },
  "through a change that takes its time": (send) =>
    wrapSend(send, (event) => Promise.resolve(event)),
};

for (const [how, way] of Object.entries(WAYS)) {
  Deno.test(`What has been sent ${how} makes room again`, async () => {
    const half = MAX_WAITING_EVENTS / 2;
    const { wire, errors } = await runFaulty(
      async (_scope, _receive, bareSend) => {
        const send = way(bareSend);
        await send(START);
        for (let round = 0; round < 4; round++) {
          handled(send(content("a".repeat(100_000))));
          await Promise.all(flood(send, content("a"), half));
        }
        await send({ type: "http.response.body" });
      },
    );
    assertEquals(errors, []);
    assertEquals(wire.content.length, 4 * (half + 100_000));
  });
}

Deno.test("What comes after a complete response is ignored, however much it is", async () => {
  const { errors, ignored } = await runFaulty(
    async (_scope, _receive, send) => {
      await send(START);
      handled(send({ type: "http.response.body", body: "a".repeat(200_000) }));
      await settled();
      unawaited(flood(send, content("a"), 2 * MAX_WAITING_EVENTS));
    },
  );
  assertEquals(errors, []);
  assertEquals(ignored.length, 2 * MAX_WAITING_EVENTS);
});

Deno.test("Writes to a stream that has failed reject with its error, however many they are", async () => {
  const wire = new FakeWire();
  const sends: Promise<void>[] = [];
  const { errors } = await runFaulty(async (_scope, _receive, send) => {
    const writer = send.writable.getWriter();
    await writer.write(START);
    wire.disconnectClient("lost");
    await writer.write(content("a")).catch(() => {});
    const write = (event: SendEvent) => writer.write(event);
    sends.push(...flood(write, content("a"), 2 * MAX_WAITING_EVENTS));
  }, { wire });
  assertEquals(errors, []);
  const outcomes = await Promise.allSettled(sends);
  for (const outcome of outcomes) {
    assert(outcome.status === "rejected");
    assertInstanceOf(outcome.reason, ClientDisconnected);
  }
});

// WebSockets.

/** Ways to send messages without end. */
const SOCKET_FLOODS: Record<string, (send: Send) => Promise<void>[]> = {
  "many messages": (send) => flood(send, message("a"), 3 * MAX_WAITING_EVENTS),
  "much content": (send) =>
    flood(send, message("a".repeat(64 * 1024)), 3 * MAX_WAITING_BYTES / 65_536),
  "many messages by a stream": (send) => {
    const writer = send.writable.getWriter();
    const write = (event: SendEvent) => writer.write(event);
    return flood(write, message("a"), 3 * MAX_WAITING_EVENTS);
  },
};

for (const [what, act] of Object.entries(SOCKET_FLOODS)) {
  Deno.test(`A WebSocket to which ${what} are sent that nobody awaits is closed with 1011`, async () => {
    const wire = new FakeWebSocketWire();
    let sends: Promise<void>[] = [];
    const { errors, finished } = startWebSocket(
      async (_scope, receive, send) => {
        await send(ACCEPT);
        wire.hold();
        sends = act(send);
        while ((await receive()).type !== "websocket.disconnect");
      },
      { wire },
    );
    await settled();
    assertEquals(errors.length, 1);
    assertTooMuch(errors[0]);
    wire.release();
    await finished;
    assertEquals(wire.sent.at(-1), ["close", 1011, ""]);
    assert(wire.sent.length <= MAX_WAITING_EVENTS + 2);
    const refused = await refusals(sends);
    assert(refused.length > 0);
    refused.forEach(assertTooMuch);
    assertEquals(errors.length, 1);
  });
}

for (const [how, way] of Object.entries(WAYS)) {
  Deno.test(`Messages that were sent ${how} make room again`, async () => {
    const half = MAX_WAITING_EVENTS / 2;
    const wire = new FakeWebSocketWire();
    const { errors, finished } = startWebSocket(
      async (_scope, _receive, bareSend) => {
        const send = way(bareSend);
        await send(ACCEPT);
        for (let round = 0; round < 4; round++) {
          await Promise.all(flood(send, message("a"), half));
        }
      },
      { wire },
    );
    await finished;
    assertEquals(errors, []);
    assertEquals(wire.sent.length, 4 * half + 1);
  });
}

Deno.test("A shutdown closes a WebSocket for which as much waits as may", async () => {
  const wire = new FakeWebSocketWire();
  const app: AsgiApp = async (_scope, receive, send) => {
    await send(ACCEPT);
    wire.hold();
    unawaited(flood(send, message("a"), MAX_WAITING_EVENTS));
    while ((await receive()).type !== "websocket.disconnect");
  };
  const { cycle, errors, finished } = startWebSocket(app, { wire });
  await settled();
  cycle.shutdown();
  wire.release();
  await finished;
  assertEquals(wire.sent.at(-1), ["close", 1012, ""]);
  assertEquals(errors, []);
});

Deno.test("Of sends in vain that nobody awaits, 1024 wait for their turn at most", async () => {
  const sends = new Sends();
  const outcome = Promise.resolve();
  for (let round = 0; round < 2; round++) {
    const made = Array.from({ length: 200_000 }, () => sends.inVain(outcome));
    const waiting = made.filter((sent) => sent !== outcome);
    assertEquals(waiting.length, 1024);
    await Promise.all(waiting);
  }
});
