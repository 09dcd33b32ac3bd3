// What an application receives: the request's content, then nothing until the
// client leaves or the response is complete, then the disconnect for ever; as a
// function, as a stream, by iteration. Nothing is read before it is asked for.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClientDisconnected } from "../../src/asgi/errors.ts";
import type { Receive, Send } from "../../src/asgi/types.ts";
import {
  BadBody,
  brief,
  FakeWire,
  isPending,
  run,
  sendUntilFull,
  start,
  take,
} from "./_fake_wire.ts";
import { letsOthersIn } from "../_lets_others_in.ts";
import { settled } from "../_turns.ts";

/** Answers with as little as possible. */
async function answer(send: Send): Promise<void> {
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body" });
}

const WAYS: Record<string, (receive: Receive) => AsyncIterable<unknown>> = {
  "the function": called,
  "the stream": (receive) => receive.readable,
  "iteration": (receive) => receive,
};

for (const [way, eventsOf] of Object.entries(WAYS)) {
  Deno.test(`An application gets content and disconnect by ${way}`, async () => {
    const events: string[] = [];
    await run(async (_scope, receive, send) => {
      for await (const event of eventsOf(receive)) {
        events.push(brief(event as Awaited<ReturnType<Receive>>));
        if (events.length === 2) await answer(send);
      }
    }, { wire: new FakeWire(["Hello, ", "World"]) });
    assertEquals(events, ["body Hello, , more", "body World", "disconnect"]);
  });

  Deno.test(`Nothing is read from the wire before an application asks by ${way}`, async () => {
    const wire = new FakeWire(["a", "b", "c"]);
    await run(async (_scope, receive, send) => {
      const events = eventsOf(receive)[Symbol.asyncIterator]();
      await settled();
      assertEquals(wire.bodyReads, 0);
      for (const reads of [1, 2]) {
        await events.next();
        await settled();
        assertEquals(wire.bodyReads, reads);
      }
      await answer(send);
    }, { wire });
    assertEquals(wire.bodyReads, 2);
  });

  Deno.test(`Content that has not arrived is waited for by ${way}`, async () => {
    const wire = new FakeWire([], true);
    await run(async (_scope, receive, send) => {
      const events = eventsOf(receive)[Symbol.asyncIterator]();
      const first = events.next();
      assert(await isPending(first));
      wire.arrive("late");
      assertEquals(brief((await first).value), "body late, more");
      const second = events.next();
      assert(await isPending(second));
      wire.endBody();
      assertEquals(brief((await second).value), "body ");
      await answer(send);
      assertEquals(brief((await events.next()).value), "disconnect");
    }, { wire });
  });
}

Deno.test("A request without content gives one empty event", async () => {
  await run(async (_scope, receive, send) => {
    assertEquals(await receive(), {
      type: "http.request",
      body: new Uint8Array(0),
      more_body: false,
    });
    await answer(send);
  });
});

Deno.test("An application that never receives lets the content be", async () => {
  const wire = new FakeWire(["a"]);
  await run((_scope, _receive, send) => answer(send), { wire });
  assertEquals(wire.bodyReads, 0);
});

Deno.test("An application starts before any content has arrived", async () => {
  const wire = new FakeWire([], true);
  let started = false;
  const { finished, returned } = start(async (_scope, _receive, send) => {
    started = true;
    await answer(send);
  }, { wire });
  assert(started);
  await finished;
  await returned;
});

Deno.test("After the content, receive waits until the response is complete", async () => {
  await run(async (_scope, receive, send) => {
    await receive();
    const next = receive();
    assert(await isPending(next));
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "a", more_body: true });
    assert(await isPending(next));
    await send({ type: "http.response.body" });
    assertEquals(brief(await next), "disconnect");
  });
});

for (const how of ["half-closed", "lost"] as const) {
  Deno.test(`After the content, receive waits until the client is ${how}`, async () => {
    const wire = new FakeWire();
    await run(async (_scope, receive, send) => {
      await receive();
      const next = receive();
      assert(await isPending(next));
      wire.disconnectClient(how);
      assertEquals(brief(await next), "disconnect");
      await answer(send);
    }, { wire });
  });

  Deno.test(`A client that was ${how} before receive was called is noticed`, async () => {
    const wire = new FakeWire(["a"]);
    await run(async (_scope, receive, send) => {
      await receive();
      wire.disconnectClient(how);
      assertEquals(await take(receive, 2), ["disconnect", "disconnect"]);
      await answer(send);
    }, { wire });
  });
}

Deno.test("Once there was a disconnect, receive gives it for ever", async () => {
  await run(async (_scope, receive, send) => {
    await receive();
    await answer(send);
    assertEquals(
      await take(receive, 4),
      ["disconnect", "disconnect", "disconnect", "disconnect"],
    );
  });
});

Deno.test("Receives that wait together are answered in order", async () => {
  const wire = new FakeWire([], true);
  await run(async (_scope, receive, send) => {
    const events = Promise.all([receive(), receive(), receive(), receive()]);
    assert(await isPending(events));
    wire.arrive("a");
    wire.arrive("b");
    wire.endBody();
    assert(await isPending(events));
    await answer(send);
    assertEquals((await events).map(brief), [
      "body a, more",
      "body b",
      "disconnect",
      "disconnect",
    ]);
  }, { wire });
});

Deno.test("Content that was not asked for gives way to the disconnect, once the response is complete", async () => {
  await run(async (_scope, receive, send) => {
    await answer(send);
    assertEquals(await take(receive, 2), ["disconnect", "disconnect"]);
  }, { wire: new FakeWire(["never read"]) });
});

Deno.test("A receive that waits for content gets the disconnect, once the response is complete", async () => {
  await run(async (_scope, receive, send) => {
    const event = receive();
    assert(await isPending(event));
    await answer(send);
    assertEquals(brief(await event), "disconnect");
  }, { wire: new FakeWire([], true) });
});

Deno.test("A half-closed client's content is still given", async () => {
  const wire = new FakeWire(["a", "b"]);
  wire.disconnectClient("half-closed");
  await run(async (_scope, receive, send) => {
    assertEquals(
      await take(receive, 3),
      ["body a, more", "body b", "disconnect"],
    );
    await answer(send);
  }, { wire });
  assertEquals(wire.calls, [["head", 200, []], ["data", "", true]]);
});

Deno.test("Content that is on its way when the client half-closes is still given", async () => {
  const wire = new FakeWire([], true);
  await run(async (_scope, receive, send) => {
    const event = receive();
    assert(await isPending(event));
    wire.disconnectClient("half-closed");
    assert(await isPending(event));
    wire.arrive("rest");
    wire.endBody();
    assertEquals(brief(await event), "body rest");
    assertEquals(await take(receive, 1), ["disconnect"]);
    await answer(send);
  }, { wire });
});

Deno.test("A client that is lost amid its content gives the disconnect", async () => {
  const wire = new FakeWire(["a"], true);
  await run(async (_scope, receive) => {
    assertEquals(await take(receive, 1), ["body a, more"]);
    const next = receive();
    assert(await isPending(next));
    wire.disconnectClient("lost");
    assertEquals(brief(await next), "disconnect");
  }, { wire });
});

Deno.test("Content that arrived before the client was lost is dropped", async () => {
  const wire = new FakeWire(["a", "b"]);
  await run(async (_scope, receive) => {
    wire.disconnectClient("lost");
    assertEquals(await take(receive, 2), ["disconnect", "disconnect"]);
  }, { wire });
});

Deno.test("The stream of events ends after the disconnect", async () => {
  await run(async (_scope, receive, send) => {
    const reader = receive.readable.getReader();
    await reader.read();
    await answer(send);
    assertEquals((await reader.read()).value, { type: "http.disconnect" });
    assertEquals((await reader.read()).done, true);
  });
});

Deno.test("receive works apart from its call: bound, and as one and the same stream", async () => {
  await run(async (_scope, receive, send) => {
    const { readable } = receive;
    assert(receive.readable === readable);
    const bound = receive.bind(null);
    assertEquals(brief(await bound()), "body ");
    await answer(send);
  });
});

Deno.test("receive rejects while the application holds the stream's lock", async () => {
  await run(async (_scope, receive, send) => {
    receive.readable.getReader();
    await assertRejects(() => receive(), TypeError);
    await answer(send);
  });
});

Deno.test("An iteration that is left goes on where it was left", async () => {
  const wire = new FakeWire(["a", "b", "c"]);
  await run(async (_scope, receive, send) => {
    const events: string[] = [];
    for await (const event of receive) {
      events.push(brief(event));
      if (events.length === 2) break;
    }
    for await (const event of receive) {
      events.push(brief(event));
      if (events.length === 3) break;
    }
    assertEquals(events, ["body a, more", "body b, more", "body c"]);
    const next = receive();
    assert(await isPending(next), "receive gave an event that there was not");
    await answer(send);
    assertEquals(brief(await next), "disconnect");
  }, { wire });
});

Deno.test("A stream that is cancelled reads nothing more from the wire", async () => {
  const wire = new FakeWire(["a", "b"]);
  await run(async (_scope, receive, send) => {
    const reader = receive.readable.getReader();
    await reader.read();
    await reader.cancel();
    await answer(send);
  }, { wire });
  assertEquals(wire.bodyReads, 1);
});

// A body that turns out to be bad.

for (const status of [400, 408, 413]) {
  for (const when of ["at once", "later"]) {
    Deno.test(`A body that turns out bad ${when} is refused with ${status}, if no content was sent`, async () => {
      const wire = new FakeWire(["a"], true);
      await run(async (_scope, receive, send) => {
        await receive();
        await send({ type: "http.response.start", status: 200 });
        if (when === "at once") wire.arrive(new BadBody(status));
        const next = receive();
        if (when === "later") {
          assert(await isPending(next));
          wire.arrive(new BadBody(status));
        }
        assertEquals(brief(await next), "disconnect");
        assertEquals(await take(receive, 1), ["disconnect"]);
        const error = await assertRejects(
          () => send({ type: "http.response.body", body: "too late" }),
          Error,
          "the client has disconnected",
        );
        assert(error.cause instanceof BadBody);
      }, { wire });
      assertEquals(wire.calls, [["refuse", status]]);
    });
  }

  Deno.test(`A body that is bad (${status}) cuts a response that has begun`, async () => {
    const wire = new FakeWire(["a"], true);
    await run(async (_scope, receive, send) => {
      await receive();
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "b", more_body: true });
      wire.arrive(new BadBody(status));
      assertEquals(await take(receive, 1), ["disconnect"]);
      await assertRejects(() => send({ type: "http.response.body" }));
    }, { wire });
    assertEquals(wire.calls, [["head", 200, []], ["data", "b", false], [
      "abort",
    ]]);
  });
}

Deno.test("A body that is bad stops what waits after content that is held back", async () => {
  const wire = new FakeWire([], true);
  await run(async (_scope, receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    wire.hold();
    const type = "http.response.body";
    const { waiting } = await sendUntilFull(() =>
      send({ type, body: "a", more_body: true })
    );
    wire.arrive(new BadBody(400));
    assertEquals(await take(receive, 1), ["disconnect"]);
    wire.release();
    await assertRejects(() => waiting, ClientDisconnected);
  }, { wire });
  assertEquals(wire.calls, [["head", 200, []], ["data", "a", false], [
    "abort",
  ]]);
});

Deno.test("A body that is bad changes nothing after a complete response", async () => {
  const wire = new FakeWire([], true);
  await run(async (_scope, receive, send) => {
    const event = receive();
    await answer(send);
    wire.arrive(new BadBody(400));
    assertEquals(brief(await event), "disconnect");
    assertEquals(await take(receive, 1), ["disconnect"]);
  }, { wire });
  await settled();
  assertEquals(wire.calls, [["head", 200, []], ["data", "", true]]);
});

Deno.test("A body that is bad lets a complete response leave that the client has not taken yet", async () => {
  const wire = new FakeWire(["a"], true);
  wire.hold();
  await run(async (_scope, receive, send) => {
    await receive();
    const answered = answer(send);
    await settled();
    wire.arrive(new BadBody(400));
    assertEquals(await take(receive, 1), ["disconnect"]);
    wire.release();
    await answered;
  }, { wire });
  assertEquals(wire.calls, [["head", 200, []], ["data", "", true]]);
});

Deno.test("A half-closed client whose body is cut short is refused with 400", async () => {
  const wire = new FakeWire(["half"], true);
  await run(async (_scope, receive) => {
    assertEquals(await take(receive, 1), ["body half, more"]);
    wire.disconnectClient("half-closed");
    assertEquals(await take(receive, 1), ["disconnect"]);
  }, { wire });
  assertEquals(wire.calls, [["refuse", 400]]);
});

Deno.test("Reads that wait when the call is over get the disconnect", async () => {
  const reads: ReturnType<Receive>[] = [];
  await run(async (_scope, receive, send) => {
    await receive();
    for (let i = 0; i < 3; i++) reads.push(receive());
    await answer(send);
  });
  const events = await Promise.all(reads);
  assertEquals(events.map(brief), ["disconnect", "disconnect", "disconnect"]);
});

Deno.test("Reads after the call let others in, however many there are", async () => {
  let receive!: Receive;
  await run(async (_scope, itsReceive, send) => {
    receive = itsReceive;
    await answer(send);
  });
  const letIn = await letsOthersIn(async () => {
    for (let i = 0; i < 50_000; i++) await receive();
  });
  assert(letIn, "The reader kept the event loop to itself");
});

async function* called(receive: Receive): AsyncGenerator<unknown> {
  for (;;) {
    const event = await receive();
    yield event;
    if (event.type === "http.disconnect") return;
  }
}
