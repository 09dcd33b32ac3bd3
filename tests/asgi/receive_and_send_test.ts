// `receive` as a function, as a stream and as a loop, over an end that counts up
// to 3, and `send` as a function and as a stream.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type ReceiveEnd,
  receiveOf,
  type SendEnd,
  sendOf,
} from "../../src/asgi/receive_and_send.ts";
import { fromTransform } from "../../src/asgi/helpers.ts";
import { settled } from "../_turns.ts";
import type { LifespanScope, Receive, Send } from "../../src/asgi/types.ts";

/** Both ends of a call that gives numbers, and takes nothing. */
class Counting implements ReceiveEnd<number>, SendEnd<number> {
  #count = 0;

  read(): Promise<number> {
    return Promise.resolve(Math.min(++this.#count, 3));
  }

  isLast(event: number): boolean {
    return event === 3;
  }

  send(): Promise<void> {
    return Promise.reject(new RangeError("No room"));
  }

  abort(): void {}

  refused(): void {}
}

Deno.test("A loop over receive goes on where calls have left off", async () => {
  const receive = receiveOf(new Counting());
  assertEquals(await receive(), 1);
  const events: number[] = [];
  for await (const event of receive) events.push(event);
  assertEquals(events, [2, 3]);
});

Deno.test("A loop over receive that was left can be taken up again", async () => {
  const receive = receiveOf(new Counting());
  const events: number[] = [];
  for await (const event of receive) {
    events.push(event);
    break;
  }
  for await (const event of receive) events.push(event);
  assertEquals(events, [1, 2, 3]);
});

Deno.test("Calls, the stream and a loop take turns, and keep the order", async () => {
  const receive = receiveOf(new Counting());
  const { readable } = receive;
  assertEquals(await receive(), 1);
  const reader = readable.getReader();
  assertEquals((await reader.read()).value, 2);
  reader.releaseLock();
  for await (const event of receive) assertEquals(event, 3);
  assertEquals(await receive(), 3);
});

Deno.test("What a stream has read and nobody has taken comes first", async () => {
  const receive = receiveOf(new Counting());
  const reader = receive.readable.getReader();
  const read = reader.read();
  reader.releaseLock();
  await assertRejects(() => read, TypeError);
  assertEquals(await receive(), 1);
  assertEquals(await receive(), 2);
});

Deno.test("receive rejects while the application holds the stream's lock", async () => {
  const receive = receiveOf(new Counting());
  const reader = receive.readable.getReader();
  await assertRejects(() => receive(), TypeError);
  reader.releaseLock();
  assertEquals(await Promise.all([receive(), receive()]), [1, 2]);
});

Deno.test("The stream reads nothing before it is read, and ends after the last event", async () => {
  const end = new Counting();
  const { readable } = receiveOf(end);
  await settled();
  assertEquals(await end.read(), 1);
  assertEquals(await Array.fromAsync(readable), [2, 3]);
});

Deno.test("send.writable is one stream, and rejects as send does", async () => {
  const send = sendOf(new Counting());
  const { writable } = send;
  assertEquals(send.writable, writable);
  await assertRejects(
    () => writable.getWriter().write(1),
    RangeError,
    "No room",
  );
});

Deno.test("fromTransform leaves lifespan to others", () => {
  const app = fromTransform(() => new TransformStream());
  const scope: LifespanScope = {
    type: "lifespan",
    asgi: { version: "3.0", spec_version: "2.0" },
    state: {},
  };
  const port = new Counting();
  assertThrows(
    () =>
      app(
        scope,
        receiveOf(port) as unknown as Receive,
        sendOf(port) as unknown as Send,
      ),
    TypeError,
    "lifespan",
  );
});
