// The events of a WebSocket, from what its client sends: as which events it is
// received, what is held, and how it ends. How the application reads them as a
// function and as a stream is tested with `receive`.

import { assert, assertEquals } from "@std/assert";
import { ToApp } from "../../src/asgi/websocket_to_app.ts";
import { isPending } from "./_fake_wire.ts";
import { letsOthersIn } from "../_lets_others_in.ts";
import { settled } from "../_turns.ts";

const CONNECT = { type: "websocket.connect" } as const;

function disconnect(code: number, reason = "") {
  return { type: "websocket.disconnect", code, reason } as const;
}

function createToApp() {
  const closes: string[] = [];
  const meter = { messagesReceived: 0, messagesSent: 0 };
  const toApp = new ToApp({ onCloseReceived: () => closes.push("x") }, meter);
  return { toApp, closes, meter };
}

Deno.test("Connect comes first, and what the client sends after it", async () => {
  const { toApp, closes, meter } = createToApp();
  const { sink } = toApp;
  const early = toApp.read();
  assertEquals(await early, CONNECT);
  sink.write({ type: "message", data: "a" });
  sink.write({ type: "message", data: new Uint8Array([1]) });
  sink.write({ type: "close", code: 1001, reason: "away" });
  sink.close();
  assertEquals(await toApp.read(), {
    type: "websocket.receive",
    text: "a",
    bytes: null,
  });
  assertEquals(meter.messagesReceived, 1);
  assertEquals(await toApp.read(), {
    type: "websocket.receive",
    text: null,
    bytes: new Uint8Array([1]),
  });
  assertEquals(closes, []);
  for (let i = 0; i < 3; i++) {
    const event = await toApp.read();
    assertEquals(event, disconnect(1001, "away"));
    assert(toApp.isLast(event));
  }
  assertEquals([closes.length, meter.messagesReceived], [1, 2]);
});

Deno.test("64 KiB are held of what the application has not asked for", async () => {
  const { toApp, meter } = createToApp();
  const { sink } = toApp;
  await toApp.read();
  await settled();
  const data = new Uint8Array(1024 - 64);
  for (let i = 0; i < 64; i++) {
    assertEquals(sink.room, undefined, `${i}`);
    sink.write({ type: "message", data });
  }
  const { room } = sink;
  assert(room !== undefined && await isPending(room));
  assertEquals(meter.messagesReceived, 0);
  await toApp.read();
  await room;
});

Deno.test("Text counts for two bytes a unit, and one message has always room", async () => {
  const { toApp } = createToApp();
  await toApp.read();
  await settled();
  toApp.sink.write({ type: "message", data: "x".repeat(100_000) });
  assertEquals(toApp.sink.heldSize, 200_064);
  assert(toApp.sink.room !== undefined);
});

Deno.test("end() gives a disconnect after what is held", async () => {
  const { toApp } = createToApp();
  toApp.sink.write({ type: "message", data: "a" });
  toApp.end(1006, "");
  toApp.end(1000, "once");
  assertEquals(await toApp.read(), CONNECT);
  assertEquals((await toApp.read()).type, "websocket.receive");
  assertEquals(await toApp.read(), disconnect(1006));
  assertEquals(await toApp.read(), disconnect(1006));
});

Deno.test("cut() gives a disconnect in place of what is held", async () => {
  const { toApp, closes } = createToApp();
  await toApp.read();
  const pending = toApp.read();
  toApp.cut(4000, "Bye");
  toApp.sink.write({ type: "message", data: "late" });
  toApp.end(1006, "");
  assertEquals(await pending, disconnect(4000, "Bye"));
  assertEquals(await toApp.read(), disconnect(4000, "Bye"));
  assertEquals(closes, []);
});

Deno.test("Also what is cut begins with connect", async () => {
  const { toApp } = createToApp();
  toApp.sink.write({ type: "message", data: "a" });
  toApp.cut(4000, "");
  assertEquals(await toApp.read(), CONNECT);
  assertEquals(await toApp.read(), disconnect(4000));
});

Deno.test("After release(), nothing is held, and nobody waits", async () => {
  const { toApp } = createToApp();
  const { sink } = toApp;
  sink.write({ type: "message", data: "x".repeat(100_000) });
  const { room } = sink;
  toApp.release();
  await room;
  sink.write({ type: "message", data: "late" });
  assertEquals([sink.isEmpty, sink.room], [true, undefined]);
});

Deno.test("Reads after the end let others in, however many there are", async () => {
  const { toApp } = createToApp();
  toApp.end(1006, "");
  const letIn = await letsOthersIn(async () => {
    for (let i = 0; i < 50_000; i++) await toApp.read();
  });
  assert(letIn, "The reader kept the event loop to itself");
});
