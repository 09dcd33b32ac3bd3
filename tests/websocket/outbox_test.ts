// Frames on their way to the client: in which writes they leave, and in which
// order. What comes of it for messages is tested with the connection.

import { assertEquals, assertRejects } from "@std/assert";
import { encodeLongFrame } from "../../src/websocket/frame_encoder.ts";
import { Outbox } from "../../src/websocket/outbox.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { unawaited } from "../_unawaited.ts";

import { utf8 } from "./_frames.ts";
import { settled } from "../_turns.ts";

/** A sink, and what the application has not received. */
class Sink {
  readonly writes: string[] = [];
  readonly messages = { isEmpty: true };
  lost = 0;
  #gate: PromiseWithResolvers<void> | undefined;
  readonly outbox = new Outbox(this, this);

  write(bytes: Uint8Array): Promise<void> {
    this.writes.push(new TextDecoder().decode(bytes));
    return this.#gate?.promise ?? Promise.resolve();
  }

  onLost(): void {
    this.lost++;
  }

  hold(): void {
    this.#gate = Promise.withResolvers();
  }

  go(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  lose(): void {
    this.#gate?.reject(new Error("Lost for the test"));
  }

  send(text: string, more?: boolean): Promise<void> {
    return this.outbox.send(utf8(text), more);
  }
}

Deno.test("A frame leaves at once, and those that come meanwhile leave together", async () => {
  const sink = new Sink();
  sink.hold();
  const sends = ["a", "b", "c"].map((text) => sink.send(text));
  assertEquals([sink.writes, sink.outbox.waiting], [["a"], 3]);
  sink.go();
  await Promise.all(sends);
  assertEquals([sink.writes, sink.outbox.waiting], [["a", "bc"], 0]);
});

Deno.test("What is announced leaves together with what follows", async () => {
  const sink = new Sink();
  const sends = [sink.send("a", true), sink.send("b", true), sink.send("c")];
  await Promise.all(sends);
  assertEquals(sink.writes, ["abc"]);
});

Deno.test("What is announced and does not follow holds nothing back for long", async () => {
  const sink = new Sink();
  const sent = sink.send("a", true);
  assertEquals([sink.writes, sink.outbox.waiting], [[], 1]);
  await sent;
  assertEquals([sink.writes, sink.outbox.waiting], [["a"], 0]);
});

Deno.test("While messages wait for the application, its answers are held back", async () => {
  const sink = new Sink();
  sink.messages.isEmpty = false;
  const sends = [sink.send("a"), sink.send("b")];
  await Promise.resolve();
  assertEquals(sink.writes, []);
  sink.outbox.release();
  await Promise.all(sends);
  assertEquals(sink.writes, ["ab"]);
});

Deno.test("No more than 32 KiB are held back", async () => {
  const sink = new Sink();
  const sends = [sink.send("x".repeat(32 * 1024), true)];
  await Promise.resolve();
  assertEquals(sink.writes, []);
  sends.push(sink.send("y", true));
  await Promise.resolve();
  assertEquals(sink.writes.length, 1);
  await Promise.all(sends);
  assertEquals(sink.writes.map(({ length }) => length), [32 * 1024 + 1]);
});

Deno.test("Pongs go first, and only the latest of too many stays", async () => {
  const sink = new Sink();
  sink.hold();
  unawaited(sink.send("a"));
  unawaited(sink.send("b"));
  for (let i = 0; i < 100; i++) sink.outbox.sendPong(utf8(`${i % 10}`));
  sink.outbox.sendPong(utf8("!"));
  sink.go();
  await settled();
  assertEquals(sink.writes, ["a", "0123456789".repeat(3) + "0!b"]);
});

Deno.test("A pong that can't be sent loses the client as well", async () => {
  const sink = new Sink();
  sink.hold();
  sink.outbox.sendPong(utf8("a"));
  sink.lose();
  await settled();
  assertEquals(sink.lost, 1);
});

Deno.test("When a write fails, the client is lost, and nothing is sent any more", async () => {
  const sink = new Sink();
  sink.hold();
  const sends = ["a", "b"].map((text) => sink.send(text));
  sink.lose();
  for (const sent of sends) {
    const error = await assertRejects(() => sent, WebSocketError, "is lost");
    assertEquals(error.code, 1006);
  }
  await assertRejects(() => sink.send("c"), WebSocketError);
  assertEquals([sink.writes, sink.lost], [["a"], 1]);
});

Deno.test("After the end, what waits is rejected, and what comes", async () => {
  const sink = new Sink();
  sink.hold();
  const [first, second] = ["a", "b"].map((text) => sink.send(text));
  sink.outbox.end(new WebSocketError(1001, "Over for the test"));
  sink.go();
  await first;
  await assertRejects(() => second, WebSocketError, "Over");
  await assertRejects(() => sink.send("c"), WebSocketError, "Over");
  sink.outbox.sendPong(utf8("d"));
  await settled();
  assertEquals(sink.writes, ["a"]);
});

Deno.test("After the end, no further piece of a long frame leaves", async () => {
  const sink = new Sink();
  sink.hold();
  const sent = sink.outbox.send(encodeLongFrame("x".repeat(300_000)));
  sink.outbox.end(new WebSocketError(1001, "Over for the test"));
  sink.go();
  await assertRejects(() => sent, WebSocketError, "Over");
  assertEquals(sink.writes.length, 1);
});

Deno.test("A long frame does not overtake what waits before it", async () => {
  const sink = new Sink();
  sink.hold();
  const long = encodeLongFrame("x".repeat(70_000));
  const sends = [sink.send("a"), sink.send("b"), sink.outbox.send(long)];
  sends.push(sink.send("c"));
  sink.go();
  await Promise.all(sends);
  assertEquals(sink.writes.slice(0, 2), ["a", "b"]);
  assertEquals(sink.writes.at(-1), "c");
});
