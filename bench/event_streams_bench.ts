/**
 * What it costs to pass events between an application and the server: through
 * calls of `receive` and `send`, and through the streams themselves.
 *
 *     deno bench bench/event_streams_bench.ts
 *
 * @module
 */

import {
  EventSink,
  EventSource,
  eventStream,
} from "../src/streams/event_streams.ts";

interface Event {
  readonly type: string;
  readonly last: boolean;
}

const EVENTS = 16;
const more: Event = { type: "more", last: false };
const last: Event = { type: "last", last: true };

/** Gives `EVENTS` events, and then the last one for ever. */
function createOrigin(): { nextEvent(): Event; isLast(e: Event): boolean } {
  let given = 0;
  return {
    nextEvent: () => ++given < EVENTS ? more : last,
    isLast: (event) => event.last,
  };
}

const taker = { takeEvent: () => undefined, endOfEvents() {} };

Deno.bench("receive: one event", async () => {
  await new EventSource(createOrigin()).read();
});

Deno.bench(`receive: ${EVENTS} events`, async () => {
  const source = new EventSource(createOrigin());
  for (let i = 0; i < EVENTS; i++) await source.read();
});

Deno.bench(`receive: ${EVENTS} events from the stream`, async () => {
  const origin = createOrigin();
  const events = eventStream(() => origin.nextEvent(), origin.isLast);
  for await (const _event of events);
});

Deno.bench("send: the two events of a short answer", async () => {
  const sink = new EventSink<Event>(taker);
  await sink.write(more);
  await sink.write(last);
  sink.close();
});

Deno.bench(`send: ${EVENTS} events`, async () => {
  const sink = new EventSink<Event>(taker);
  for (let i = 0; i < EVENTS; i++) await sink.write(more);
  sink.close();
});

Deno.bench(
  `send: ${EVENTS} events that are not awaited one by one`,
  async () => {
    const sink = new EventSink<Event>(taker);
    const writes = Array.from({ length: EVENTS }, () => sink.write(more));
    await Promise.all(writes);
    sink.close();
  },
);
