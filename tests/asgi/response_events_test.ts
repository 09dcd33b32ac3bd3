// How what an application sends enters the stream to the server: what has room
// while the client takes nothing, when a send resolves, and in which order events
// leave that are not awaited.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ClientDisconnected,
  InvalidEventError,
} from "../../src/asgi/errors.ts";
import {
  brief,
  FakeWire,
  isPending,
  run,
  runFaulty,
  sendUntilFull,
} from "./_fake_wire.ts";
import { countMadeStreams } from "./_made_streams.ts";
import { begin, last, MAX_PIECE, more } from "./_responses.ts";
import { unawaited } from "../_unawaited.ts";
import { settled } from "../_turns.ts";

// The client's pace.

for (const [size, room] of [[1, 5], [2048, 5], [2049, 1], [MAX_PIECE, 1]]) {
  Deno.test(`Of events of ${size} bytes, ${room} have room where the wire holds them back, and then one for each that it takes`, async () => {
    const wire = new FakeWire();
    await run(async (_scope, _receive, send) => {
      await begin(send);
      wire.hold();
      const body = "a".repeat(size);
      const { count, waiting } = await sendUntilFull(() => more(send, body));
      assertEquals(count, room);
      assertEquals(wire.content.length, size);
      wire.release();
      await waiting;
      await last(send);
      assertEquals(wire.content.length, (room + 1) * size);
    }, { wire });
  });
}

Deno.test("A send of large content resolves when the wire has taken it, and not before", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    for (const letter of ["a", "b"]) {
      wire.hold();
      const sent = more(send, letter.repeat(MAX_PIECE + 1));
      assert(await isPending(sent));
      wire.release();
      await sent;
    }
    await last(send);
  }, { wire });
});

for (const size of [100, 3 * MAX_PIECE]) {
  Deno.test(`A buffer of ${size} bytes can be used again once it was sent, while the wire holds content back`, async () => {
    const wire = new FakeWire();
    await run(async (_scope, _receive, send) => {
      const buffer = new Uint8Array(size);
      await begin(send);
      wire.hold();
      for (const letter of "abcdefghij") {
        buffer.fill(letter.charCodeAt(0));
        const sent = more(send, buffer);
        if (!await isPending(sent)) continue;
        wire.release();
        await sent;
        wire.hold();
      }
      buffer.fill(0);
      wire.release();
      await last(send);
    }, { wire });
    const expected = [..."abcdefghij"].map((letter) => letter.repeat(size));
    assert(wire.content === expected.join(""));
  });
}

Deno.test("While the wire holds content back, no further event reaches it", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    wire.hold();
    const sends = [more(send, "a"), more(send, "b"), last(send, "c")];
    await settled();
    assertEquals(wire.content, "a");
    wire.release();
    await Promise.all(sends);
    await settled();
    assertEquals(wire.content, "abc");
  }, { wire });
});

Deno.test("A response is complete when the wire has taken its end", async () => {
  const wire = new FakeWire();
  await run(async (_scope, receive, send) => {
    await receive();
    await begin(send);
    wire.hold();
    const sent = last(send);
    const next = receive();
    assert(await isPending(next));
    wire.release();
    await sent;
    assertEquals(brief(await next), "disconnect");
  }, { wire });
});

Deno.test("An application may answer before the content has arrived, and read on", async () => {
  const wire = new FakeWire([], true);
  await run(async (_scope, receive, send) => {
    await begin(send);
    for (const text of ["a", "b", "c"]) {
      const event = receive();
      assert(await isPending(event));
      wire.arrive(text);
      assertEquals(brief(await event), `body ${text}, more`);
      await more(send, text);
      assertEquals(wire.content.at(-1), text);
    }
    wire.endBody();
    assertEquals(brief(await receive()), "body ");
    await last(send);
  }, { wire });
  assertEquals(wire.content, "abc");
});

Deno.test("A send that waits does not hold up what is received", async () => {
  const wire = new FakeWire(["a", "b"]);
  await run(async (_scope, receive, send) => {
    await begin(send);
    wire.hold();
    const sent = last(send, "held back");
    assertEquals(brief(await receive()), "body a, more");
    assertEquals(brief(await receive()), "body b");
    wire.release();
    await sent;
  }, { wire });
});

Deno.test("A send that waits is released when the client is lost", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    wire.hold();
    const { waiting } = await sendUntilFull(() => more(send, "a"));
    wire.disconnectClient("lost");
    await assertRejects(() => waiting, ClientDisconnected);
    await assertRejects(() => more(send, "a"), ClientDisconnected);
  }, { wire });
  assertEquals(wire.content, "a");
});

Deno.test("Large contents that wait are released when the client is lost", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    wire.hold();
    const sends = ["a", "b", "c"].map((letter) =>
      more(send, letter.repeat(2 * MAX_PIECE))
    );
    assert(await isPending(Promise.race(sends)));
    wire.disconnectClient("lost");
    for (const sent of sends) {
      await assertRejects(() => sent, ClientDisconnected);
    }
  }, { wire });
  assertEquals(wire.content.length, MAX_PIECE);
});

// Sends that nobody awaits.

Deno.test("Events that nobody awaits leave in their order, and whole", async () => {
  const { wire } = await run((_scope, _receive, send) => {
    unawaited(begin(send, [["a", "1"]]));
    unawaited(more(send, "a"));
    unawaited(more(send, "b"));
    unawaited(last(send, "c"));
  });
  assertEquals(wire.calls, [
    ["head", 200, [["a", "1"]]],
    ["data", "a", false],
    ["data", "b", false],
    ["data", "c", true],
  ]);
});

Deno.test("Large and small contents that nobody awaits leave in their order, and whole", async () => {
  const parts = ["a", "b", "c", "d", "e"].map((letter, index) =>
    letter.repeat(index % 3 === 2 ? 1 : 3 * MAX_PIECE)
  );
  const { wire } = await run((_scope, _receive, send) => {
    unawaited(begin(send));
    for (const part of parts) unawaited(more(send, part));
    unawaited(last(send, "end"));
  });
  assert(wire.content === parts.join("") + "end", "The content is not whole");
  assertEquals(wire.calls.at(-1), ["data", "end", true]);
});

Deno.test("What is sent after an awaited large content leaves after what was sent before", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    unawaited(begin(send));
    const first = more(send, "a".repeat(2 * MAX_PIECE));
    unawaited(more(send, "b"));
    await first;
    unawaited(last(send, "c"));
  });
  assertEquals(wire.content.slice(-3), "abc");
});

Deno.test("What is faulty after a large content rejects alone", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    unawaited(begin(send));
    const large = more(send, "a".repeat(2 * MAX_PIECE));
    await assertRejects(() => begin(send), InvalidEventError, "is due");
    await large;
    await last(send, "b");
  });
  assertEquals(wire.content.slice(-2), "ab");
});

Deno.test("send works apart from its call", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    const bound = send.bind(null);
    await bound({ type: "http.response.start", status: 200 });
    await [{ type: "http.response.body" as const, body: "a" }].map(bound)[0];
  });
  assertEquals(wire.content, "a");
});

Deno.test("What is sent after a complete response is ignored, and noted", async () => {
  const { wire, ignored } = await run(async (_scope, _receive, send) => {
    await begin(send);
    await last(send, "a");
    await last(send, "b");
    await begin(send);
  });
  assertEquals(wire.content, "a");
  assertEquals(ignored, ["http.response.body", "http.response.start"]);
});

Deno.test("A fault of the wire is the client's loss: the response is cut, and sends reject", async () => {
  const wire = new FakeWire();
  const { errors } = await runFaulty(async (_scope, _receive, send) => {
    await begin(send);
    wire.failSends(); // Not reported: only the write shows it.
    await more(send, "a");
    await settled();
    const error = await assertRejects(
      () => more(send, "b"),
      ClientDisconnected,
    );
    assert(error.cause instanceof Error);
    await assertRejects(() => last(send), ClientDisconnected);
  }, { wire });
  assertEquals(errors, []);
  assertEquals(wire.calls.at(-1), ["abort"]);
});

Deno.test("The streams of a call that has ended serve the next one", async () => {
  const call = () =>
    run(async (_scope, receive, send) => {
      await receive();
      await begin(send);
      await last(send, "a");
    });
  await call();
  // Other tests may have left some, but not as many.
  const calls = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await call();
  };
  assertEquals(await countMadeStreams(calls), 0);
});
