// Middleware's `receive` and `send`: what they change, in which order, and that
// they are streams just as those that they are put around.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import { fromTransform } from "../../src/asgi/helpers.ts";
import type { AsgiApp, ReceiveEvent, SendEvent } from "../../src/asgi/types.ts";
import { wrapReceive, wrapSend } from "../../src/asgi/wrap.ts";
import {
  brief,
  bytes,
  FakeWire,
  run,
  runFaulty,
  sendUntilFull,
  start,
  take,
} from "./_fake_wire.ts";
import { settled } from "../_turns.ts";

const START: SendEvent = { type: "http.response.start", status: 200 };

function body(text: string, more_body = false): SendEvent {
  return { type: "http.response.body", body: text, more_body };
}

/** An application whose events are changed before they are sent. */
function sending(
  change: (event: SendEvent) => SendEvent | Promise<SendEvent>,
  app: AsgiApp,
): AsgiApp {
  return (scope, receive, send) => app(scope, receive, wrapSend(send, change));
}

/** An application that receives other events than came. */
function receiving(
  change: (event: ReceiveEvent) => ReceiveEvent | Promise<ReceiveEvent>,
  app: AsgiApp,
): AsgiApp {
  return (scope, receive, send) =>
    app(scope, wrapReceive(receive, change), send);
}

function shout(event: SendEvent): SendEvent {
  return event.type === "http.response.body"
    ? { ...event, body: String(event.body).toUpperCase() }
    : event;
}

function shoutIn(event: ReceiveEvent): ReceiveEvent {
  if (event.type !== "http.request") return event;
  const text = new TextDecoder().decode(event.body).toUpperCase();
  return { ...event, body: bytes(text) };
}

async function answer(...texts: string[]): Promise<SendEvent[]> {
  await Promise.resolve();
  return [START, ...texts.map((text) => body(text, true)), body("")];
}

// wrapSend()

Deno.test("wrapSend() changes what is sent by calls", async () => {
  const { wire } = await run(sending(shout, async (_scope, _receive, send) => {
    for (const event of await answer("a", "b")) await send(event);
  }));
  assertEquals(wire.content, "AB");
});

Deno.test("wrapSend() changes what is sent to the stream, which is one and the same", async () => {
  const { wire } = await run(sending(shout, async (_scope, _receive, send) => {
    const { writable } = send;
    assert(send.writable === writable);
    await ReadableStream.from(await answer("a", "b")).pipeTo(send.writable);
  }));
  assertEquals(wire.content, "AB");
});

Deno.test("wrapSend() keeps the order of events whose changes take their time", async () => {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const slow = async (event: SendEvent): Promise<SendEvent> => {
    const gate = Promise.withResolvers<void>();
    gates.set(event.type, gate);
    await gate.promise;
    return event;
  };
  const change = (event: SendEvent) =>
    event.type === "http.response.start" ? slow(event) : event;
  const { wire } = await run(sending(change, async (_scope, _receive, send) => {
    const sends = [send(START), send(body("a", true)), send(body("b"))];
    await settled();
    gates.get("http.response.start")!.resolve();
    await Promise.all(sends);
  }));
  assertEquals(wire.content, "ab");
});

Deno.test("wrapSend() sends at once what needs no time, so that nobody has to wait for it", async () => {
  const { wire } = await run(sending(shout, (_scope, _receive, send) => {
    send(START);
    send(body("a"));
  }));
  assertEquals(wire.content, "A");
});

for (const kind of ["at once", "later"]) {
  Deno.test(`wrapSend() rejects the send whose change fails ${kind}, and goes on`, async () => {
    const change = (event: SendEvent) => {
      if (event.type !== "http.response.early_hint") return event;
      const error = new RangeError("No hints here");
      if (kind === "later") return Promise.reject(error);
      throw error;
    };
    const hint: SendEvent = { type: "http.response.early_hint", links: [] };
    const { wire } = await run(
      sending(change, async (_scope, _receive, send) => {
        await assertRejects(() => send(hint), RangeError, "No hints here");
        send(hint); // Which nobody awaits.
        await settled();
        for (const event of await answer("a")) await send(event);
      }),
    );
    assertEquals(wire.content, "a");
  });
}

Deno.test("wrapSend() passes on what the server refuses", async () => {
  await run(sending(shout, async (_scope, _receive, send) => {
    await assertRejects(() => send(body("a")), InvalidEventError);
    for (const event of await answer()) await send(event);
  }));
});

Deno.test("wrapSend() keeps to the client's pace", async () => {
  const wire = new FakeWire();
  const slow = async (event: SendEvent) => {
    await Promise.resolve();
    return shout(event);
  };
  const sent = Promise.withResolvers<void>();
  const { returned } = start(
    sending(slow, async (_scope, _receive, send) => {
      await send(START);
      wire.hold();
      const { waiting } = await sendUntilFull(() => send(body("a", true)));
      assertEquals(wire.content, "A");
      wire.release();
      await waiting;
      sent.resolve();
      await send(body("b"));
    }),
    { wire },
  );
  await returned;
  await sent.promise;
  assert(/^AA+B$/.test(wire.content));
});

Deno.test("wrapSend() passes on that its stream is aborted", async () => {
  const wire = new FakeWire();
  await runFaulty(
    sending(shout, async (_scope, _receive, send) => {
      await send(START);
      await send(body("a", true));
      await send.writable.abort(new Error("The source broke"));
      await settled();
      assertEquals(wire.calls.at(-1), ["abort"]);
    }),
    { wire },
  );
});

Deno.test("wrapSend() can be put around itself", async () => {
  const twice = (event: SendEvent) =>
    event.type === "http.response.body"
      ? { ...event, body: `${event.body}${event.body}` }
      : event;
  const { wire } = await run(
    sending(
      shout,
      sending(twice, async (_scope, _receive, send) => {
        await ReadableStream.from(await answer("a", "b")).pipeTo(send.writable);
      }),
    ),
  );
  assertEquals(wire.content, "AABB");
});

// wrapReceive()

const EVENTS = ["body A, more", "body B"];

/** Runs an application on a request with some content. */
async function receives(app: AsgiApp, change = shoutIn): Promise<FakeWire> {
  const wire = new FakeWire(["a", "b"]);
  await run(receiving(change, app), { wire });
  return wire;
}

Deno.test("wrapReceive() changes what is received by calls", async () => {
  await receives(async (_scope, receive, send) => {
    assertEquals(await take(receive, 2), EVENTS);
    for (const event of await answer()) await send(event);
    assertEquals(await take(receive, 2), ["disconnect", "disconnect"]);
  });
});

Deno.test("wrapReceive() changes what is iterated over, which can be left and taken up again", async () => {
  const events: string[] = [];
  await receives(async (_scope, receive, send) => {
    for await (const event of receive) {
      events.push(brief(event));
      break;
    }
    for await (const event of receive) {
      events.push(brief(event));
      if (events.length === EVENTS.length) {
        for (const event of await answer()) await send(event);
      }
    }
  });
  assertEquals(events, [...EVENTS, "disconnect"]);
});

Deno.test("wrapReceive() changes what is read from the stream, which ends after the disconnect", async () => {
  const events: string[] = [];
  await receives(async (_scope, receive, send) => {
    const { readable } = receive;
    assert(receive.readable === readable);
    for await (const event of receive.readable) {
      events.push(brief(event));
      if (events.length === EVENTS.length) {
        for (const event of await answer()) await send(event);
      }
    }
  });
  assertEquals(events, [...EVENTS, "disconnect"]);
});

Deno.test("wrapReceive() lets an application be a pipeline", async () => {
  const echo = fromTransform(() =>
    new TransformStream({
      start: (controller) => controller.enqueue(START),
      transform(event, controller) {
        if (event.type !== "http.request") return;
        const { body, more_body } = event;
        controller.enqueue({ type: "http.response.body", body, more_body });
      },
    })
  );
  assertEquals((await receives(echo)).content, "AB");
});

Deno.test("wrapReceive() asks for no event before somebody waits for one", async () => {
  let changed = 0;
  const count = (event: ReceiveEvent) => (changed++, event);
  await receives(async (_scope, receive, send) => {
    const { readable } = receive;
    await settled();
    assertEquals(changed, 0);
    const reader = readable.getReader();
    await reader.read();
    await settled();
    assertEquals(changed, 1);
    for (const event of await answer()) await send(event);
  }, count);
});

Deno.test("wrapReceive() keeps the order of events whose changes take their time", async () => {
  const gate = Promise.withResolvers<void>();
  let first = true;
  const change = async (event: ReceiveEvent): Promise<ReceiveEvent> => {
    const waits = first;
    first = false;
    if (waits) await gate.promise;
    return shoutIn(event);
  };
  const wire = new FakeWire(["a", "b"]);
  await run(
    receiving(change, async (_scope, receive, send) => {
      const events: string[] = [];
      async function note(): Promise<void> {
        events.push(brief(await receive()));
      }
      const notes = [note(), note()];
      await settled();
      gate.resolve();
      await Promise.all(notes);
      assertEquals(events, EVENTS);
      for (const event of await answer()) await send(event);
    }),
    { wire },
  );
});

Deno.test("wrapReceive() rejects the call whose change fails, and goes on", async () => {
  let calls = 0;
  const change = (event: ReceiveEvent) => {
    if (++calls === 1) throw new RangeError("Not this one");
    return event;
  };
  await receives(async (_scope, receive, send) => {
    await assertRejects(() => receive(), RangeError, "Not this one");
    assertEquals(await take(receive, 1), ["body b"]);
    for (const event of await answer()) await send(event);
  }, change);
});
