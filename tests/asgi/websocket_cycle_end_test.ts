// How a WebSocket ends: by an application that throws or returns, by the client,
// by the application, and by the server.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClientDisconnected } from "../../src/asgi/errors.ts";
import type { ReceiveEvent } from "../../src/asgi/types.ts";
import { isPending, settled } from "../_turns.ts";
import {
  FakeWebSocketWire,
  run,
  runFaulty,
  start,
} from "./_fake_websocket_wire.ts";
import {
  ACCEPT,
  ACCEPTED,
  accepted,
  BYE,
  CLOSE,
  DENIAL,
  disconnect,
  echo,
  HELLO,
  LARGE,
  LAST_PIECE,
  PIECE,
  sendAll,
  text,
} from "./_websocket_events.ts";

// Applications that throw, or return.

Deno.test("A throw before accept gives a 500, and is reported", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(() => {
    throw fault;
  });
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors, [fault]);
});

Deno.test("A throw after accept closes with 1011, and is reported", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(accepted(() => {
    throw fault;
  }));
  assertEquals(wire.calls, [ACCEPTED, ["close", 1011, ""]]);
  assertEquals(errors, [fault]);
});

Deno.test("A throw after the close is reported, and changes nothing", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(accepted(async (_receive, send) => {
    await send(CLOSE);
    throw fault;
  }));
  assertEquals(wire.calls, [ACCEPTED, BYE]);
  assertEquals(errors, [fault]);
});

Deno.test("A throw amid a denial is reported, and the wire refuses", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
    await send(DENIAL);
    await send(PIECE);
    throw fault;
  });
  assertEquals(wire.calls.at(-1), ["refuse", 500]);
  assertEquals(errors, [fault]);
});

Deno.test("A return before accept gives a 500, and is reported", async () => {
  const { wire, errors } = await runFaulty(async (_scope, receive) => {
    await receive();
  });
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors.map(String), [
    "Error: Cannot complete handshake: the application has returned without an answer",
  ]);
});

Deno.test("A return amid a denial is reported, and the wire refuses", async () => {
  const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
    await send(DENIAL);
  });
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors.length, 1);
});

Deno.test("A return after accept closes with 1000, after what was sent", async () => {
  const { wire } = await run((_scope, _receive, send) => {
    send(ACCEPT);
    send(HELLO);
    send(HELLO);
  });
  assertEquals(wire.calls, [
    ACCEPTED,
    ["send", "Hello"],
    ["send", "Hello"],
    ["close", 1000, ""],
  ]);
});

Deno.test("An error of a send that escapes is no fault of the application", async () => {
  for (
    const wrap of [
      (error: unknown) => error,
      (cause: unknown) => new Error("wrapped", { cause }),
      (error: unknown) => new AggregateError([error]),
    ]
  ) {
    const wire = new FakeWebSocketWire();
    const { errors } = await runFaulty(
      accepted(async (_receive, send) => {
        wire.lose();
        await settled();
        await send(HELLO).catch((error) => {
          throw wrap(error);
        });
      }),
      { wire },
    );
    assertEquals(errors, []);
  }
});

Deno.test("A WebSocket is over while its application runs on", async () => {
  const gate = Promise.withResolvers<void>();
  const { finished, returned } = start(accepted(async (_receive, send) => {
    await send(CLOSE);
    await gate.promise;
  }));
  await finished;
  assert(await isPending(returned));
  gate.resolve();
  await returned;
});

// The end, by the client.

for (
  const [what, code, reason] of [
    ["with a code and a reason", 3001, "bye"],
    ["without a code", 1005, ""],
    ["by being lost", 1006, ""],
  ] as const
) {
  Deno.test(`A client that leaves ${what} gives ${code}, after its messages, for ever`, async () => {
    const wire = new FakeWebSocketWire();
    wire.arrive("a", "b");
    await run(
      accepted(async (receive) => {
        if (code === 1006) wire.lose();
        else wire.leave(code, reason);
        await settled();
        const events: ReceiveEvent[] = [];
        while (events.length < 5) events.push(await receive());
        const end = disconnect(code, reason);
        assertEquals(events, [text("a"), text("b"), end, end, end]);
      }),
      { wire },
    );
  });
}

Deno.test("A pending receive gets the disconnect as soon as the client leaves", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (receive) => {
      const next = receive();
      assert(await isPending(next));
      wire.leave(1001, "away");
      assertEquals(await next, disconnect(1001, "away"));
    }),
    { wire },
  );
});

Deno.test("Once the disconnect was received, sends reject and reach nobody", async () => {
  const wire = new FakeWebSocketWire();
  wire.leave(1000);
  await run(
    accepted(async (receive, send) => {
      await receive();
      await settled();
      await assertRejects(() => send(HELLO), ClientDisconnected);
      await assertRejects(() => send(CLOSE), ClientDisconnected);
      await assertRejects(() => send(ACCEPT), ClientDisconnected);
    }),
    { wire },
  );
  assertEquals(wire.sent, []);
});

Deno.test("A message before the client's close can still be answered", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", "b");
  wire.leave(1000);
  await run(echo, { wire });
  assertEquals(wire.sent, [["send", "a"], ["send", "b"]]);
});

Deno.test("An application that only sends stops when the client is lost", async () => {
  const wire = new FakeWebSocketWire();
  const { errors } = await runFaulty(
    accepted(async (_receive, send) => {
      for (let count = 0;; count++) {
        if (count === 10) wire.lose();
        await send(HELLO);
      }
    }),
    { wire },
  );
  assertEquals(errors, []);
});

Deno.test("Sends that wait reject when the client is lost", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      await send(HELLO);
      await send(LARGE);
      const sending = send(HELLO);
      assert(await isPending(sending));
      wire.lose();
      const error = await assertRejects(() => sending, ClientDisconnected);
      assert(error.cause instanceof Error);
      await assertRejects(() => send(HELLO), ClientDisconnected);
    }),
    { wire },
  );
  assertEquals(wire.sent, [["send", "Hello"]]);
});

Deno.test("A send to a session that closes rejects, and leaves the closing to it", async () => {
  const wire = new FakeWebSocketWire();
  const { returned } = start(
    accepted(async (receive, send) => {
      wire.endSends(1001);
      await assertRejects(() => send(HELLO), ClientDisconnected);
      assertEquals(await receive(), disconnect(1001));
    }),
    { wire },
  );
  await returned;
  assertEquals(wire.sent, []);
});

// The end, by the application.

Deno.test("After its own close, the application receives its own code, for ever", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("nobody's");
  await run(
    accepted(async (receive, send) => {
      await send(CLOSE);
      assertEquals(await receive(), disconnect(4000, "Bye"));
      assertEquals(await receive(), disconnect(4000, "Bye"));
    }),
    { wire },
  );
});

Deno.test("A receive that is pending gets the application's own code", async () => {
  await run(accepted(async (receive, send) => {
    const pending = receive();
    assert(await isPending(pending));
    await send(CLOSE);
    assertEquals(await pending, disconnect(4000, "Bye"));
  }));
});

Deno.test("A message that crosses the application's close is not received", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (receive, send) => {
      const pending = receive();
      await settled();
      wire.hold();
      const closing = send(CLOSE);
      await settled();
      wire.arrive("crossing");
      assertEquals(await pending, disconnect(4000, "Bye"));
      wire.release();
      await closing;
    }),
    { wire },
  );
});

Deno.test("A close without code and reason says 1000 and nothing", async () => {
  const { wire } = await run(accepted(async (receive, send) => {
    await send({ type: "websocket.close" });
    assertEquals(await receive(), disconnect(1000));
  }));
  assertEquals(wire.calls, [ACCEPTED, ["close", 1000, ""]]);
});

// The end, by the server.

Deno.test("A shutdown closes an open WebSocket with 1012, and the application learns it", async () => {
  const { wire, cycle, finished, returned } = start(
    accepted(async (receive, send) => {
      assertEquals(await receive(), disconnect(1012));
      await assertRejects(() => send(HELLO), ClientDisconnected);
    }),
  );
  await settled();
  cycle.shutdown();
  await Promise.all([finished, returned]);
  assertEquals(wire.calls, [ACCEPTED, ["close", 1012, ""]]);
});

Deno.test("A shutdown denies a WebSocket that is not accepted with a 503", async () => {
  const { wire, cycle, errors, finished, returned } = start(
    async (_scope, receive, send) => {
      await receive();
      assertEquals((await receive()).type, "websocket.disconnect");
      await send(ACCEPT);
    },
  );
  await settled();
  cycle.shutdown();
  await Promise.all([finished, returned]);
  assertEquals(wire.calls, [["refuse", 503]]);
  assertEquals(errors, []);
});

Deno.test("A shutdown lets a denial end", async () => {
  const gate = Promise.withResolvers<void>();
  const { wire, cycle, finished } = start(async (_scope, _receive, send) => {
    await sendAll(send, [DENIAL, PIECE]);
    await gate.promise;
    await send(LAST_PIECE);
  });
  await settled();
  cycle.shutdown();
  gate.resolve();
  await finished;
  assertEquals(wire.calls.at(-1), ["data", "last", true]);
});

Deno.test("A shutdown after the close changes nothing", async () => {
  const { wire, cycle } = await run(
    accepted((_receive, send) => send(CLOSE)),
  );
  cycle.shutdown();
  await settled();
  assertEquals(wire.calls, [ACCEPTED, BYE]);
});
