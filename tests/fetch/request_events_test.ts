// The events of a request as content and a signal.

import { assertEquals, assertRejects } from "@std/assert";
import { ClientDisconnected } from "../../src/asgi/errors.ts";
import type { Receive, ReceiveEvent } from "../../src/asgi/types.ts";
import { RequestEvents } from "../../src/fetch/_request_events.ts";
import { settled } from "../_turns.ts";

const DISCONNECT: ReceiveEvent = { type: "http.disconnect" };

function content(text: string, more_body: boolean): ReceiveEvent {
  const body = new TextEncoder().encode(text);
  return { type: "http.request", body, more_body };
}

/** Events that are there, then none; and how many were received. */
function events(given: ReceiveEvent[], ahead = false) {
  const source = { received: 0 };
  const receive = () => {
    source.received++;
    const event = given.shift();
    return event ? Promise.resolve(event) : new Promise(() => {});
  };
  const requestEvents = new RequestEvents(receive as unknown as Receive, ahead);
  return { source, requestEvents };
}

Deno.test("RequestEvents.body() is the content", async () => {
  const { requestEvents } = events([
    content("a", true),
    content("", true),
    content("b", false),
  ]);
  const text = await new Response(requestEvents.body()).text();
  assertEquals(text, "ab");
});

Deno.test("RequestEvents takes one event ahead of what is read", async () => {
  const given = Array.from({ length: 5 }, () => content("a", true));
  const { requestEvents, source } = events(given);
  const reader = requestEvents.body().getReader();
  assertEquals(source.received, 0);
  await reader.read();
  await settled();
  assertEquals(source.received, 2);
});

Deno.test("RequestEvents aborts its signal when the client disconnects", async () => {
  const { requestEvents } = events([DISCONNECT], true);
  await settled();
  assertEquals(requestEvents.signal.aborted, true);
  await assertRejects(
    () => new Response(requestEvents.body()).text(),
    ClientDisconnected,
  );
});

Deno.test("RequestEvents notices a disconnect after the content", async () => {
  const { requestEvents } = events([content("a", false), DISCONNECT]);
  await new Response(requestEvents.body()).text();
  await settled();
  assertEquals(requestEvents.signal.aborted, true);
});

Deno.test("RequestEvents does not abort once it is answered", async () => {
  const { requestEvents } = events([DISCONNECT], true);
  requestEvents.answered();
  await settled();
  requestEvents.abort();
  assertEquals(requestEvents.signal.aborted, false);
});
