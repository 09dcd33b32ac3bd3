// Content arrives once, in its order; each byte of a window is given back, once;
// what is unread is bounded, for a stream and for the connection.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../src/http/http_error.ts";
import { ReceiveWindow } from "../../src/http2/flow_window.ts";
import type { Frame } from "../../src/http2/frames.ts";
import {
  InboundBody,
  type InboundBodyOptions,
  InboundBudget,
} from "../../src/http2/inbound_body.ts";
import { Random } from "../websocket/_random.ts";
import { assertHttp2Error } from "./_errors.ts";
import { concat, frame } from "./_frames.ts";

const STREAM = 5;

/** A DATA frame with `padding` bytes that are no content. */
function data(content: readonly number[] | Uint8Array, padding = 0): Frame {
  const all = frame(0, 0, STREAM, content);
  return { ...all, length: all.length + padding };
}

function begin(options: InboundBodyOptions = {}, window = 1000) {
  const connection = new ReceiveWindow(0, 10_000);
  const budget = new InboundBudget(connection, 5000);
  const stream = new ReceiveWindow(STREAM, window);
  const body = new InboundBody(stream, budget, options);
  function add(one: Frame): void {
    budget.arrived(one.length);
    body.add(one);
  }
  return { connection, budget, stream, body, add };
}

Deno.test("Content is taken as it came, up to what is asked for", () => {
  const { body, add } = begin();
  assertEquals(body.take(10), undefined);
  add(data([1, 2, 3]));
  add(data([]));
  add(data([4]));
  assertEquals([...body.take(2)!], [1, 2]);
  add(data([5]));
  assertEquals([...body.take(9)!, ...body.take(9)!, ...body.take(9) ?? []], [
    3,
    4,
    5,
  ]);
  assert(!body.ended && !body.complete);
  add(data([6]));
  body.end();
  assert(body.ended && !body.complete);
  assertEquals([...body.take(9)!], [6]);
  assert(body.complete);
});

Deno.test("What was taken does not change when more comes", () => {
  const random = new Random(2);
  const { body, stream, budget, connection } = begin({}, 1e6);
  const [sent, taken]: Uint8Array[][] = [[], []];
  for (let i = 0; i < 3000; i++) {
    const content = random.bytes(random.integer(0, 20));
    sent.push(content.slice());
    budget.arrived(content.length);
    body.add(data(content));
    const chunk = random.chance(0.8)
      ? body.take(random.integer(1, 40))
      : undefined;
    if (chunk !== undefined) taken.push(chunk);
    connection.takeUpdate();
  }
  while (body.unread > 0) taken.push(body.take(1000)!);
  assertEquals(concat(taken), concat(sent));
  assertEquals(stream.size + stream.credit, 1e6);
  assertEquals(connection.size + connection.credit, 10_000);
});

Deno.test("The stream's window is given back when content is read", () => {
  const { body, stream, add } = begin();
  add(data(new Uint8Array(600), 100));
  assertEquals([stream.size, stream.credit], [300, 100]);
  body.take(399);
  assertEquals(body.takeUpdate(), 0);
  body.take(1);
  assertEquals([body.takeUpdate(), stream.size], [500, 800]);
});

Deno.test("A stream that has ended has no update", () => {
  const { body, add } = begin();
  add(data(new Uint8Array(1000)));
  body.end();
  body.take(1000);
  assertEquals(body.takeUpdate(), 0);
});

Deno.test("The connection's window is given back when content arrives", () => {
  const { connection, add } = begin();
  add(data(new Uint8Array(600), 100));
  assertEquals([connection.size, connection.credit], [9300, 700]);
});

Deno.test("While too much is unread, the connection's window is held back", () => {
  const { connection, budget, body, add } = begin({}, 9000);
  add(data(new Uint8Array(5000)));
  assertEquals(connection.takeUpdate(), 5000);
  add(data(new Uint8Array(3000), 10));
  assertEquals([budget.unread, connection.credit], [8000, 10]);
  body.take(1000);
  assertEquals(connection.credit, 1010);
  body.take(2500);
  assertEquals([budget.unread, connection.credit], [4500, 3010]);
  body.drop();
  assertEquals([budget.unread, connection.credit], [0, 3010]);
});

Deno.test("What is dropped is given back, and what comes after it", () => {
  const { connection, stream, budget, body, add } = begin();
  add(data(new Uint8Array(300)));
  body.drop();
  add(data(new Uint8Array(400), 5));
  assertEquals([body.unread, budget.unread], [0, 0]);
  assertEquals([stream.credit, connection.credit], [705, 705]);
  assertEquals(body.take(10), undefined);
});

Deno.test("More than a window is FLOW_CONTROL_ERROR, of its owner", () => {
  const { add } = begin();
  add(data(new Uint8Array(900), 99));
  assertHttp2Error(() => add(data([1, 2])), "FLOW_CONTROL_ERROR", STREAM);
  const { budget } = begin();
  assertHttp2Error(() => budget.arrived(10_001), "FLOW_CONTROL_ERROR");
});

Deno.test("Padding counts for the window", () => {
  const { add } = begin();
  assertHttp2Error(() => add(data([1], 1000)), "FLOW_CONTROL_ERROR", STREAM);
});

Deno.test("Content must have the length that was declared", () => {
  const exact = begin({ contentLength: 3 });
  exact.add(data([1, 2], 7));
  assertHttp2Error(() => exact.body.end(), "PROTOCOL_ERROR", STREAM);
  exact.body.take(9);
  assert(!exact.body.ended && !exact.body.complete);
  const more = begin({ contentLength: 3 });
  more.add(data([1, 2, 3]));
  assertHttp2Error(() => more.add(data([4])), "PROTOCOL_ERROR", STREAM);
  const right = begin({ contentLength: 3 });
  right.add(data([1, 2, 3]));
  right.body.end();
  const none = begin({ contentLength: 0 });
  none.add(data([]));
  none.body.end();
});

Deno.test("The length is checked of content that is dropped, too", () => {
  const { body, add } = begin({ contentLength: 3 });
  body.drop();
  assertHttp2Error(() => add(data([1, 2, 3, 4])), "PROTOCOL_ERROR", STREAM);
});

Deno.test("More content than is accepted has the status 413, once", () => {
  const { body, add } = begin({ maxBytes: 3 });
  add(data([1, 2, 3]));
  const error = assertThrows(() => add(data([4])), HttpError);
  assertEquals(error.status, 413);
  body.drop();
  add(data([5]));
});

Deno.test("Content can end if its rest fits into the window", () => {
  const { body, stream, add } = begin({ contentLength: 1500 });
  assert(!body.canEnd);
  add(data(new Uint8Array(400)));
  assertEquals([stream.size, body.canEnd], [600, false]);
  assert(begin({ contentLength: 1000 }).body.canEnd);
  assert(begin().body.canEnd);
});
