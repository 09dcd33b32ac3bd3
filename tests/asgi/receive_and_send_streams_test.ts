// An application as a pipeline: events through `receive.readable` and
// `send.writable`, and transforms that `fromTransform` makes applications of.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ClientDisconnected,
  InvalidEventError,
} from "../../src/asgi/errors.ts";
import { fromTransform } from "../../src/asgi/helpers.ts";
import type {
  HttpSendEvent,
  ReceiveEvent,
  Scope,
  SendEvent,
} from "../../src/asgi/types.ts";
import {
  brief,
  FakeWire,
  isPending,
  run,
  runFaulty,
  start,
} from "./_fake_wire.ts";
import { settled } from "../_turns.ts";
import { unawaited } from "../_unawaited.ts";

const START: HttpSendEvent = { type: "http.response.start", status: 200 };

type EventTransform = TransformStream<ReceiveEvent, SendEvent>;

/** A transform that sends the request's content back. */
function echo(map: (body: Uint8Array) => Uint8Array = same): EventTransform {
  return new TransformStream({
    start(controller) {
      controller.enqueue(START);
    },
    transform(event, controller) {
      if (event.type !== "http.request") return;
      const { body, more_body } = event;
      controller.enqueue({
        type: "http.response.body",
        body: map(body),
        more_body,
      });
    },
  });
}

// send.writable

Deno.test("A response can be written to send.writable", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    const writer = send.writable.getWriter();
    await writer.write(START);
    await writer.write({ type: "http.response.body", body: "a" });
    await writer.close();
  });
  assertEquals(wire.calls, [["head", 200, []], ["data", "a", true]]);
});

Deno.test("Nobody need await what a writer rejects with that was let go", async () => {
  await runFaulty(async (_scope, _receive, send) => {
    const writer = send.writable.getWriter();
    writer.releaseLock();
    const calls = [
      writer.write(START),
      writer.close(),
      writer.abort("for the test"),
    ];
    calls.forEach(unawaited);
    await settled();
    for (const call of calls) await assertRejects(() => call, TypeError);
  });
});

Deno.test("send.writable is one and the same stream", async () => {
  await run(async (_scope, _receive, send) => {
    const { writable } = send;
    assert(send.writable === writable);
    await ReadableStream.from([START, { type: "http.response.body" as const }])
      .pipeTo(send.writable);
  });
});

Deno.test("A response can be piped into send.writable", async () => {
  async function* events(): AsyncGenerator<SendEvent> {
    yield START;
    for (const body of ["a", "b", "c"]) {
      await settled();
      yield { type: "http.response.body", body, more_body: true };
    }
    yield { type: "http.response.body" };
  }
  const { wire } = await run((_scope, _receive, send) =>
    ReadableStream.from(events()).pipeTo(send.writable)
  );
  assertEquals(wire.content, "abc");
  assertEquals(wire.calls.at(-1), ["data", "", true]);
});

Deno.test("send.writable keeps to the client's pace", async () => {
  const wire = new FakeWire();
  let made = 0;
  const { finished, returned } = start((_scope, _receive, send) => {
    const events = new ReadableStream<SendEvent>({
      pull(controller) {
        const more_body = ++made < 1000;
        if (made === 1) return controller.enqueue(START);
        controller.enqueue({ type: "http.response.body", more_body });
        if (!more_body) controller.close();
      },
    });
    return events.pipeTo(send.writable);
  }, { wire });
  wire.hold();
  assert(await isPending(finished));
  assert(made < 10, `${made} events were made ahead`);
  wire.release();
  await finished;
  await returned;
  assertEquals(made, 1000);
});

Deno.test("A faulty event errors send.writable, but send can still answer", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await assertRejects(
      () =>
        ReadableStream.from([{ type: "http.response.body" as const }])
          .pipeTo(send.writable),
      InvalidEventError,
      "http.response.start must come first",
    );
    await send(START);
    await send({ type: "http.response.body", body: "a" });
  });
  assertEquals(wire.content, "a");
});

Deno.test("Closing send.writable amid the response does not complete it", async () => {
  const { wire, errors } = await runFaulty((_scope, _receive, send) =>
    ReadableStream.from([
      START,
      { type: "http.response.body" as const, body: "a", more_body: true },
    ]).pipeTo(send.writable)
  );
  assertEquals(wire.calls.at(-1), ["abort"]);
  assertEquals(errors.length, 1);
});

Deno.test("A source that fails cuts the response, and is the application's fault", async () => {
  const { wire, errors } = await runFaulty((_scope, _receive, send) => {
    async function* events(): AsyncGenerator<SendEvent> {
      yield START;
      yield { type: "http.response.body", body: "a", more_body: true };
      await settled();
      throw new Error("fault of the test");
    }
    return ReadableStream.from(events()).pipeTo(send.writable);
  });
  assertEquals(wire.calls.at(-1), ["abort"]);
  assertEquals(errors.map(String), ["Error: fault of the test"]);
});

for (const began of [false, true]) {
  Deno.test(`Aborting send.writable ends the response as a throw does, ${began ? "amid" : "before"} its content`, async () => {
    const fault = new Error("fault of the test");
    const { wire, errors, finished, returned } = start(
      async (_scope, receive, send) => {
        const writer = send.writable.getWriter();
        await writer.write(START);
        if (began) {
          const type = "http.response.body";
          await writer.write({ type, body: "a", more_body: true });
        }
        await writer.abort(fault);
        await receive();
        await receive(); // The disconnect, for the response is over.
      },
    );
    const hangs = await isPending(finished);
    assertEquals(hangs, false, "The response is still owed");
    await returned;
    assertEquals(wire.calls.at(-1), began ? ["abort"] : ["refuse", 500]);
    assertEquals(errors, [fault]);
  });
}

// receive.readable to send.writable

Deno.test("Content flows through a pipeline of web streams, and ends it", async () => {
  const wire = new FakeWire(["Hello, ", "World"]);
  await run(async (_scope, receive, send) => {
    await receive.readable.pipeThrough(echo()).pipeTo(send.writable);
  }, { wire });
  assertEquals(wire.calls, [
    ["head", 200, []],
    ["data", "Hello, ", false],
    ["data", "World", true],
  ]);
});

// fromTransform

Deno.test("fromTransform() makes an application of a transform", async () => {
  const wire = new FakeWire([], true);
  const { finished, returned } = start(
    fromTransform(() => echo(upper)),
    { wire },
  );
  wire.arrive("hello");
  await settled();
  assertEquals(wire.content, "HELLO");
  wire.arrive(", world");
  wire.endBody();
  await finished;
  await returned;
  assertEquals(wire.content, "HELLO, WORLD");
  assertEquals(wire.calls.at(-1)![0], "data");
});

Deno.test("fromTransform() makes a transform for each request, of its scope", async () => {
  const scopes: Scope[] = [];
  const app = fromTransform((scope) => {
    scopes.push(scope);
    return echo();
  });
  await run(app);
  await run(app);
  assertEquals(scopes.map(({ type }) => type), ["http", "http"]);
  assert(scopes[0] !== scopes[1]);
});

Deno.test("fromTransform() reads on only as the client takes", async () => {
  const wire = new FakeWire(Array(1000).fill("x"));
  wire.hold();
  const { finished, returned } = start(fromTransform(() => echo()), { wire });
  assert(await isPending(finished));
  assert(wire.bodyReads < 10, `${wire.bodyReads} chunks were read ahead`);
  wire.release();
  await finished;
  await returned;
  assertEquals(wire.content.length, 1000);
});

Deno.test("fromTransform() lets a transform answer without reading", async () => {
  const wire = new FakeWire(["a", "b", "c"]);
  await run(
    fromTransform(() =>
      new TransformStream({
        start(controller) {
          controller.enqueue(START);
          controller.enqueue({ type: "http.response.body", body: "early" });
        },
      })
    ),
    { wire },
  );
  assertEquals(wire.content, "early");
});

Deno.test("fromTransform() gives the transform the disconnect last", async () => {
  const events: string[] = [];
  await run(
    fromTransform(() =>
      new TransformStream({
        transform(event, controller) {
          events.push(brief(event));
          if (event.type !== "http.request") return;
          controller.enqueue(START);
          controller.enqueue({ type: "http.response.body" });
        },
        flush() {
          events.push("end");
        },
      })
    ),
  );
  assertEquals(events, ["body ", "disconnect", "end"]);
});

Deno.test("fromTransform() makes a 500 of a transform that fails first", async () => {
  const { wire, errors } = await runFaulty(fromTransform(() => echo(failing)));
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors.map(String), ["Error: fault of the test"]);
});

Deno.test("fromTransform() cuts the response of a transform that fails later", async () => {
  const wire = new FakeWire(["good"], true);
  const transform = echo((body) => body.length === 3 ? failing() : body);
  const ended = runFaulty(fromTransform(() => transform), { wire });
  await settled();
  assertEquals(wire.content, "good");
  wire.arrive("bad");
  const { errors } = await ended;
  assertEquals(wire.calls.at(-1), ["abort"]);
  assertEquals(errors.map(String), ["Error: fault of the test"]);
});

Deno.test("fromTransform() makes a 500 of a transform that cannot be made", async () => {
  const { wire, errors } = await runFaulty(
    fromTransform(() => {
      throw new Error("fault of the test");
    }),
  );
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors.map(String), ["Error: fault of the test"]);
});

Deno.test("fromTransform() stops a transform without end when the client is lost", async () => {
  const wire = new FakeWire();
  const cancelled = Promise.withResolvers<unknown>();
  const { errors, returned } = start(
    fromTransform(() => ({
      writable: new WritableStream(),
      readable: new ReadableStream<SendEvent>({
        start(controller) {
          controller.enqueue(START);
        },
        async pull(controller) {
          await settled();
          const type = "http.response.body";
          controller.enqueue({ type, body: "tick", more_body: true });
        },
        cancel: (reason) => cancelled.resolve(reason),
      }),
    })),
    { wire },
  );
  await settled();
  wire.disconnectClient("lost");
  await returned;
  assert(await cancelled.promise instanceof ClientDisconnected);
  await settled(); // A last tick may still be on its way.
  assertEquals(errors, []);
});

function same(body: Uint8Array): Uint8Array {
  return body;
}

function failing(): never {
  throw new Error("fault of the test");
}

/** Content in capitals. */
function upper(body: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(body);
  return new TextEncoder().encode(text.toUpperCase());
}
