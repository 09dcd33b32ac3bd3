/**
 * What it costs to pass events between an application and the server through the
 * streams of a call: lent from a pool, and made for the call.
 *
 *     deno bench bench/event_pipe_bench.ts
 *
 * @module
 */

import {
  DemandPipe,
  HandledPipe,
  PipePool,
} from "../src/streams/event_pipe.ts";

const EVENTS = 16;
const event = { type: "event" };

const maker = { nextEvent: () => event };
const handler = { handleEvent: () => undefined };

const createSend = () =>
  new HandledPipe<typeof event>({ highWaterMark: EVENTS, size: () => 1 });
const createReceive = () => new DemandPipe<typeof event>();
const sending = new PipePool(createSend);
const receiving = new PipePool(createReceive);

async function receive(pipe: DemandPipe<typeof event>, count: number) {
  pipe.takeFrom(maker);
  for (let i = 0; i < count; i++) await pipe.read();
  pipe.takeFrom(undefined);
}

async function send(pipe: HandledPipe<typeof event>, count: number) {
  pipe.giveTo(handler);
  for (let i = 0; i < count; i++) await pipe.write(event);
  pipe.giveTo(undefined);
}

Deno.bench("receive: one event, by a stream of the pool", async () => {
  const pipe = receiving.lend();
  await receive(pipe, 1);
  receiving.giveBack(pipe);
});

Deno.bench("receive: one event, by a stream of its own", async () => {
  await receive(createReceive(), 1);
});

Deno.bench(`receive: ${EVENTS} events`, async () => {
  const pipe = receiving.lend();
  await receive(pipe, EVENTS);
  receiving.giveBack(pipe);
});

Deno.bench("send: the two events of a short answer, by the pool", async () => {
  const pipe = sending.lend();
  await send(pipe, 2);
  sending.giveBack(pipe);
});

Deno.bench("send: the two events of a short answer, by its own", async () => {
  await send(createSend(), 2);
});

Deno.bench(`send: ${EVENTS} events`, async () => {
  const pipe = sending.lend();
  await send(pipe, EVENTS);
  sending.giveBack(pipe);
});

Deno.bench(`send: ${EVENTS} events that are not awaited each`, async () => {
  const pipe = sending.lend();
  pipe.giveTo(handler);
  await Promise.all(Array.from({ length: EVENTS }, () => pipe.write(event)));
  pipe.giveTo(undefined);
  sending.giveBack(pipe);
});
