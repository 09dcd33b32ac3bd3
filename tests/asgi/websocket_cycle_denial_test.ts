// WebSockets that are not accepted: denied by the application, or by the server for
// one that throws or returns, and clients that disconnect before that.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClientDisconnected } from "../../src/asgi/errors.ts";
import { isPending, settled } from "../_turns.ts";
import {
  FakeWebSocketWire,
  run,
  runFaulty,
  start,
} from "./_fake_websocket_wire.ts";
import {
  ACCEPT,
  accepted,
  DENIAL,
  disconnect,
  HELLO,
  LAST_PIECE,
  PIECE,
  sendAll,
} from "./_websocket_events.ts";

// Refusals before accept.

Deno.test("A close before accept denies the WebSocket with a 403", async () => {
  const { wire, errors } = await runFaulty(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.close", code: 4001, reason: "No" });
    assertEquals((await receive()).type, "websocket.disconnect");
  });
  assertEquals(wire.calls, [["refuse", 403]]);
  assertEquals(errors, []);
});

Deno.test("A denial is sent as the application says, head first and once", async () => {
  const wire = new FakeWebSocketWire();
  await run(async (_scope, _receive, send) => {
    await send(DENIAL);
    assertEquals(wire.calls, []);
    await sendAll(send, [PIECE, PIECE, LAST_PIECE]);
  }, { wire });
  assertEquals(wire.calls, [
    ["head", 401, [["x-a", "1"]]],
    ["data", "some, ", false],
    ["data", "some, ", false],
    ["data", "last", true],
  ]);
});

Deno.test("A denial whose sends nobody awaits is sent whole", async () => {
  const { wire, errors } = await runFaulty((_scope, _receive, send) => {
    send(DENIAL);
    send(PIECE);
    send(LAST_PIECE);
  });
  assertEquals(errors, []);
  assertEquals(wire.calls, [
    ["head", 401, [["x-a", "1"]]],
    ["data", "some, ", false],
    ["data", "last", true],
  ]);
});

Deno.test("While the last content of a denial waits for the client, nothing can follow", async () => {
  const wire = new FakeWebSocketWire();
  wire.hold();
  await run(async (_scope, _receive, send) => {
    await send(DENIAL);
    const last = send(LAST_PIECE);
    await settled();
    await assertRejects(() => send(PIECE), ClientDisconnected);
    wire.release();
    await last;
  }, { wire });
  assertEquals(wire.calls.length, 2);
});

Deno.test("Content of a denial is sent at the client's pace", async () => {
  const wire = new FakeWebSocketWire();
  wire.hold();
  await run(async (_scope, _receive, send) => {
    await send(DENIAL);
    const sending = send(PIECE);
    assert(await isPending(sending));
    wire.release();
    await sending;
    await send(LAST_PIECE);
  }, { wire });
});

Deno.test("After a denial, receive gives the disconnect", async () => {
  await run(async (_scope, receive, send) => {
    await receive();
    const pending = receive();
    await sendAll(send, [DENIAL, LAST_PIECE]);
    assertEquals(await pending, disconnect(1006));
    assertEquals(await receive(), disconnect(1006));
  });
});

// Disconnect before accept.

for (const how of ["half-closed", "lost"] as const) {
  Deno.test(`A client that leaves before accept (${how}) gives 1006 after connect`, async () => {
    const { wire, errors, finished, returned } = start(
      async (_scope, receive, send) => {
        assertEquals(await receive(), { type: "websocket.connect" });
        assertEquals(await receive(), disconnect(1006));
        assertEquals(await receive(), disconnect(1006));
        await assertRejects(() => send(ACCEPT), ClientDisconnected);
        await assertRejects(() => send(DENIAL), ClientDisconnected);
      },
    );
    await settled();
    wire.depart(how);
    await Promise.all([finished, returned]);
    assertEquals(wire.calls, [["abort"]]);
    assertEquals(errors, []);
  });
}

Deno.test("A client that has left before connect is received still gives connect first", async () => {
  const gate = Promise.withResolvers<void>();
  const { wire, returned } = start(async (_scope, receive) => {
    await gate.promise;
    assertEquals(await receive(), { type: "websocket.connect" });
    assertEquals(await receive(), disconnect(1006));
  });
  wire.depart("lost");
  gate.resolve();
  await returned;
});

Deno.test("A client that is lost while it is accepted rejects the accept", async () => {
  const wire = new FakeWebSocketWire();
  wire.hold();
  const { errors, finished, returned } = start(
    async (_scope, receive, send) => {
      const accepting = send(ACCEPT);
      assert(await isPending(accepting));
      wire.lose();
      await assertRejects(() => accepting, ClientDisconnected);
      await receive();
      assertEquals(await receive(), disconnect(1006));
    },
    { wire },
  );
  await Promise.all([finished, returned]);
  assertEquals(wire.calls.at(-1), ["abort"]);
  assertEquals(errors, []);
});

Deno.test("A disconnect that comes after accept is left to the session", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.depart("half-closed");
      await send(HELLO);
    }),
    { wire },
  );
  assertEquals(wire.sent, [["send", "Hello"], ["close", 1000, ""]]);
});
