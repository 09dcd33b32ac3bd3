// Back pressure in both directions, and sends that nobody awaits.

import { assert, assertEquals } from "@std/assert";
import type { SendEvent } from "../../src/asgi/types.ts";
import { isPending, settled } from "../_turns.ts";

import {
  FakeWebSocketWire,
  run,
  runFaulty,
  start,
} from "./_fake_websocket_wire.ts";
import { runScript } from "./_scripts.ts";
import {
  ACCEPT,
  ACCEPTED,
  accepted,
  BYE,
  CLOSE,
  HELLO,
  LARGE,
} from "./_websocket_events.ts";

// Back pressure.

Deno.test("A send waits while 32 KiB are held, and resolves when there is room", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      await send(HELLO);
      await send(LARGE);
      const sending = send(HELLO);
      assert(await isPending(sending));
      assertEquals(wire.sent.length, 1);
      wire.release();
      await sending;
    }),
    { wire },
  );
  assertEquals(wire.sent.length, 4);
});

Deno.test("An application that awaits its sends is held up by a client that takes nothing", async () => {
  const wire = new FakeWebSocketWire();
  let sent = 0;
  const { finished, returned } = start(
    accepted(async (_receive, send) => {
      wire.hold();
      for (; sent < 1000; sent++) await send(HELLO);
    }),
    { wire },
  );
  await settled();
  // Each counts for 69 bytes, and one is being sent.
  assertEquals(sent, 1 + Math.ceil(32 * 1024 / 69));
  wire.release();
  await Promise.all([finished, returned]);
  assertEquals(wire.sent.length, 1001);
});

Deno.test("A client is held up by an application that receives nothing", async () => {
  const wire = new FakeWebSocketWire();
  const { cycle, returned } = start(
    accepted(async (receive) => {
      let arrived = 0;
      for (; arrived < 1000 && !wire.full; arrived++) {
        wire.arrive("x".repeat(468));
      }
      // Each counts for 1000 bytes.
      assertEquals(arrived, 66);
      await receive();
      await settled();
      assertEquals(wire.full, false);
      wire.arrive("last");
      for (; arrived > 0; arrived--) await receive();
    }),
    { wire },
  );
  await returned;
  cycle.shutdown();
});

Deno.test("Bytes may be changed once their send has resolved", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      await send(HELLO);
      const bytes = new Uint8Array([1]);
      for (; bytes[0] < 4; bytes[0]++) {
        await send({ type: "websocket.send", bytes });
      }
      wire.release();
    }),
    { wire },
  );
  assertEquals(wire.sent, [
    ["send", "Hello"],
    ...[1, 2, 3].map((byte) => ["send", new Uint8Array([byte])] as const),
    ["close", 1000, ""],
  ]);
});

Deno.test("A long message is not copied, and its send resolves when it was accepted", async () => {
  const wire = new FakeWebSocketWire();
  const bytes = new Uint8Array(100_000);
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      wire.waiting = 1000;
      const sending = send({ type: "websocket.send", bytes });
      assert(await isPending(sending));
      wire.release();
      await sending;
    }),
    { wire },
  );
  const [[, sent]] = wire.sent;
  assert(sent === bytes);
});

Deno.test("While little waits in a session, the next message does not wait", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      wire.waiting = 1000;
      await send(HELLO);
      await send(HELLO);
      await settled();
      assertEquals(wire.sent.length, 2);
      wire.release();
    }),
    { wire },
  );
});

Deno.test("Accept resolves when the handshake has left", async () => {
  const wire = new FakeWebSocketWire();
  wire.hold();
  await run(async (_scope, _receive, send) => {
    const accepting = send(ACCEPT);
    assert(await isPending(accepting));
    wire.release();
    await accepting;
  }, { wire });
});

Deno.test("A close is sent after messages that are held back", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      send(HELLO);
      const closing = send(CLOSE);
      assert(await isPending(closing));
      wire.release();
      await closing;
    }),
    { wire },
  );
  assertEquals(wire.sent, [["send", "Hello"], BYE]);
});

// Sends that nobody awaits. That a rejection ends a process is shown elsewhere;
// here the runner would fail the test.

Deno.test("Rejected sends that nobody awaits leave the WebSocket usable", async () => {
  const wire = new FakeWebSocketWire();
  const { errors } = await runFaulty(async (_scope, _receive, send) => {
    send(HELLO);
    send({ type: "websocket.send" });
    send(undefined as unknown as SendEvent);
    await settled();
    send(ACCEPT);
    send(ACCEPT);
    send(HELLO);
    send(CLOSE);
    send(HELLO);
    await settled();
  }, { wire });
  assertEquals(errors, []);
  assertEquals(wire.calls, [ACCEPTED, ["send", "Hello"], BYE]);
});

Deno.test("Sends to a client that is lost need not be awaited", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      send(HELLO);
      send(HELLO);
      await settled();
      wire.lose();
      send(HELLO);
      await settled();
    }),
    { wire },
  );
  assertEquals(wire.sent, [["send", "Hello"]]);
});

const WIRE = new URL("_fake_websocket_wire.ts", import.meta.url);

Deno.test({
  name: "A process outlives WebSocket sends that reject and that nobody awaits",
  ignore: Deno.permissions.querySync({ name: "run" }).state !== "granted" ||
    Deno.permissions.querySync({ name: "read" }).state !== "granted",
  async fn() {
    const { code, output } = await runScript(`
      import { FakeWebSocketWire, start } from ${JSON.stringify(WIRE)};

      const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
      const wire = new FakeWebSocketWire();
      start(async (_scope, _receive, send) => {
        send({ type: "websocket.send", text: "too soon" });
        send(undefined);
        send({ type: "websocket.accept" });
        await turn();
        wire.hold();
        send({ type: "websocket.send", text: "held" });
        await turn();
        wire.lose();
        send({ type: "websocket.send", text: "too late" });
        await turn();
        send({ type: "websocket.send", text: "too late" });
      }, { wire });
      for (let i = 0; i < 5; i++) await turn();
      console.log("alive");
    `);
    assertEquals([code, output], [0, "alive"]);
  },
});
