// What the application receives of a WebSocket, as calls and as a stream, and how
// it accepts one.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import { fromTransform } from "../../src/asgi/helpers.ts";
import type { ReceiveEvent, SendEvent } from "../../src/asgi/types.ts";
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
  disconnect,
  HELLO,
  text,
} from "./_websocket_events.ts";

// Receiving.

Deno.test("The first event is connect, and the wire is not called before accept", async () => {
  const wire = new FakeWebSocketWire();
  await run(async (_scope, receive, send) => {
    assertEquals(await receive(), { type: "websocket.connect" });
    await settled();
    assertEquals(wire.calls, []);
    await send(ACCEPT);
    assertEquals(wire.calls, [ACCEPTED]);
  }, { wire });
  assertEquals(wire.taken, 0);
});

Deno.test("An application may accept before it has received connect", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a");
  await run(async (_scope, receive, send) => {
    await send(ACCEPT);
    assertEquals(await receive(), { type: "websocket.connect" });
    assertEquals(await receive(), text("a"));
  }, { wire });
});

Deno.test("After connect, receive waits for accept", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("early");
  await run(async (_scope, receive, send) => {
    await receive();
    const next = receive();
    assert(await isPending(next));
    assertEquals(wire.taken, 0);
    await send(ACCEPT);
    assertEquals(await next, text("early"));
  }, { wire });
});

Deno.test("Messages are received as text or as bytes, in order", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", new Uint8Array([1, 2]), "", new Uint8Array(0));
  await run(
    accepted(async (receive) => {
      assertEquals(await receive(), text("a"));
      const binary = { type: "websocket.receive", text: null } as const;
      assertEquals(await receive(), {
        ...binary,
        bytes: new Uint8Array([1, 2]),
      });
      assertEquals(await receive(), text(""));
      assertEquals(await receive(), { ...binary, bytes: new Uint8Array(0) });
      const next = receive();
      assert(await isPending(next));
      wire.arrive("late");
      assertEquals(await next, text("late"));
    }),
    { wire },
  );
});

Deno.test("A message is asked for only when the application receives", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", "b", "c");
  await run(
    accepted(async (receive) => {
      await settled();
      assertEquals(wire.taken, 0);
      await receive();
      await settled();
      assertEquals(wire.taken, 1);
    }),
    { wire },
  );
});

Deno.test("Several receives at a time get one event after the other", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (receive) => {
      const both = Promise.all([receive(), receive()]);
      wire.arrive("a", "b");
      assertEquals(await both, [text("a"), text("b")]);
    }),
    { wire },
  );
});

// Accept.

Deno.test("Accept names one of the offered subprotocols, and more headers", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await send({
      type: "websocket.accept",
      subprotocol: "v2.chat",
      headers: [["X-A", "1"], [new Uint8Array([0x62]), "2"]],
    });
  }, { subprotocols: ["chat", "v2.chat"] });
  assertEquals(wire.calls[0], ["accept", "v2.chat", [["x-a", "1"], [
    "b",
    "2",
  ]]]);
});

Deno.test("Accept need not choose a subprotocol", async () => {
  for (const subprotocol of [null, undefined]) {
    const { wire } = await run(async (_scope, _receive, send) => {
      await send({ type: "websocket.accept", subprotocol });
    }, { subprotocols: ["chat"] });
    assertEquals(wire.calls[0], ACCEPTED);
  }
});

Deno.test("Subprotocols differ by case", async () => {
  await run(async (_scope, _receive, send) => {
    const event = { type: "websocket.accept", subprotocol: "Chat" } as const;
    await assertRejects(() => send(event), InvalidEventError, `"Chat"`);
    await send({ type: "websocket.close" });
  }, { subprotocols: ["chat"] });
});

// Streams.

Deno.test("The events as a stream end after the disconnect", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a");
  wire.leave(1001, "away");
  await run(async (_scope, receive, send) => {
    await send(ACCEPT);
    const events = await Array.fromAsync(receive.readable);
    assertEquals(events, [
      { type: "websocket.connect" },
      text("a"),
      disconnect(1001, "away"),
    ]);
  }, { wire });
});

Deno.test("Iteration can be left and taken up again", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", "b");
  await run(
    async (_scope, receive, send) => {
      for await (const { type } of receive) {
        if (type === "websocket.connect") break;
      }
      await send(ACCEPT);
      for await (const event of receive) {
        assertEquals(event, text("a"));
        break;
      }
      for await (const event of receive) {
        assertEquals(event, text("b"));
        break;
      }
    },
    { wire },
  );
});

Deno.test("Events can be written to a stream", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await ReadableStream.from([ACCEPT, HELLO, CLOSE]).pipeTo(send.writable);
  });
  assertEquals(wire.calls, [ACCEPTED, ["send", "Hello"], BYE]);
});

Deno.test("An aborted stream of events closes with 1011 as a throw does, and is reported once", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(accepted(async (_receive, send) => {
    await send.writable.abort(fault);
    throw fault;
  }));
  assertEquals(wire.calls, [ACCEPTED, ["close", 1011, ""]]);
  assertEquals(errors, [fault]);
});

/** Accepts on connect, and echoes. */
function echoTransform(): TransformStream<ReceiveEvent, SendEvent> {
  return new TransformStream({
    transform(event, controller) {
      if (event.type === "websocket.connect") controller.enqueue(ACCEPT);
      if (event.type !== "websocket.receive") return;
      const { text, bytes } = event;
      controller.enqueue({ type: "websocket.send", text, bytes });
    },
  });
}

Deno.test("A transform of events can be the application", async () => {
  const wire = new FakeWebSocketWire();
  const { errors, finished, returned } = start(
    fromTransform(echoTransform),
    { wire },
  );
  wire.arrive("a");
  await settled();
  wire.arrive("b");
  await settled();
  wire.leave(1000);
  await Promise.all([finished, returned]);
  assertEquals(wire.sent, [["send", "a"], ["send", "b"]]);
  assertEquals(errors, []);
});

Deno.test("A transform answers messages that came together with the client's close", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", "b");
  wire.leave(1000);
  const { errors } = await runFaulty(fromTransform(echoTransform), { wire });
  assertEquals(wire.sent, [["send", "a"], ["send", "b"]]);
  assertEquals(errors, []);
});
