// `receive` as a function and as a loop, over a port of numbers that ends
// with 3.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type EventPort,
  receiveOf,
  sendOf,
} from "../../src/asgi/event_port.ts";
import { EventSource } from "../../src/streams/event_streams.ts";
import { fromTransform } from "../../src/asgi/helpers.ts";
import type { LifespanScope, Receive, Send } from "../../src/asgi/types.ts";

function countingPort(): EventPort<number, number> {
  let count = 0;
  const origin = {
    nextEvent: () => ++count,
    isLast: (event: number) => event === 3,
  };
  return {
    ...origin,
    source: new EventSource(origin),
    send: () => Promise.reject(new RangeError("No room")),
    abort() {},
    refused() {},
  };
}

Deno.test("A loop over receive goes on where calls have left off", async () => {
  const receive = receiveOf(countingPort());
  assertEquals(await receive(), 1);
  const events: number[] = [];
  for await (const event of receive) events.push(event);
  assertEquals(events, [2, 3]);
});

Deno.test("A loop over receive that was left can be taken up again", async () => {
  const receive = receiveOf(countingPort());
  const events: number[] = [];
  for await (const event of receive) {
    events.push(event);
    break;
  }
  for await (const event of receive) events.push(event);
  assertEquals(events, [1, 2, 3]);
});

Deno.test("send.writable is one stream, and rejects as send does", async () => {
  const send = sendOf(countingPort());
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
  const port = countingPort();
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
