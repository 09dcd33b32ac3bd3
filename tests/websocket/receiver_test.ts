// From bytes to messages in a pipe: when the socket is read, and what is reported.
// What frames and messages may be is tested with the connection.

import { assert, assertEquals } from "@std/assert";
import { MessagePipe } from "../../src/streams/message_pipe.ts";
import { BufferBudget } from "../../src/websocket/buffer_budget.ts";
import { KeepAlive } from "../../src/websocket/keep_alive.ts";
import type { Message } from "../../src/websocket/messages.ts";
import { DEFAULT_WEBSOCKET_OPTIONS } from "../../src/websocket/options.ts";
import { Receiver } from "../../src/websocket/receiver.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { MemoryStream } from "./_connected.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  concat,
  CONTINUATION,
  PING,
  TEXT,
} from "./_frames.ts";
import { letsOthersIn } from "../_lets_others_in.ts";
import { settled } from "../_turns.ts";

/** A receiver, its client, and what it has reported. */
class Received {
  readonly client = new MemoryStream();
  readonly reports: string[] = [];
  readonly budget = new BufferBudget(250_000);
  readonly pipe = new MessagePipe<Message, string>({
    highWaterMark: 2,
    size: () => 1,
    transform: ({ data }) => `${data}`,
  });
  readonly receiver: Receiver;
  readonly over: Promise<void>;

  constructor() {
    const options = DEFAULT_WEBSOCKET_OPTIONS;
    const keepAlive = new KeepAlive(this.client.deadline, options, {
      ping: () => Promise.resolve(),
      abort() {},
    });
    this.receiver = new Receiver(this.client, {
      keepAlive,
      onMessage: () => this.reports.push("message"),
      onPing: (payload) =>
        this.reports.push(`ping ${new TextDecoder().decode(payload)}`),
      onEnd: (end) => this.reports.push(end ? `end ${end.code}` : "lost"),
    }, {
      ...options,
      messages: this.pipe,
      budget: this.budget,
      deflate: undefined,
    });
    this.over = this.receiver.run();
  }

  async end(): Promise<void> {
    this.receiver.stop();
    this.client.end();
    this.pipe.cancel();
    await this.over;
  }
}

Deno.test("Frames that came together let others in, however many there are", async () => {
  const { client, over, reports } = new Received();
  const ping = clientFrame(PING, "");
  client.feed(concat(Array.from({ length: 50_000 }, () => ping)));
  client.end();
  const letIn = await letsOthersIn(() => over);
  assert(letIn, "The receiver kept the event loop to itself");
  assertEquals(reports.length, 50_000 + 1);
});

Deno.test("Messages go into the pipe, and pings and the end are reported", async () => {
  const all = new Received();
  all.client.feed(
    clientFrame(TEXT, "a", { fin: false }),
    clientFrame(PING, "b"),
    clientFrame(CONTINUATION, "c"),
    closeFrame(1001),
  );
  assertEquals((await all.pipe.read()).value, "ac");
  await settled();
  assertEquals(all.reports, ["ping b", "message", "end 1001"]);
  await all.end();
});

Deno.test("While the pipe has no room, nothing is read", async () => {
  const all = new Received();
  for (let i = 0; i < 10; i++) all.client.feed(clientFrame(TEXT, `${i}`));
  await settled();
  assertEquals(all.client.reads, 2);
  await all.pipe.read();
  await settled();
  assertEquals(all.client.reads, 3);
  await all.end();
});

Deno.test("A pipe that is cancelled holds nothing up", async () => {
  const all = new Received();
  for (let i = 0; i < 5; i++) {
    all.client.feed(clientFrame(BINARY, new Uint8Array(100_000)));
  }
  await settled();
  assertEquals(all.budget.used, 200_000);
  all.pipe.cancel();
  all.receiver.dropWaiting();
  all.client.feed(clientFrame(PING, "still there?"));
  await settled();
  assertEquals(all.budget.used, 0);
  assertEquals(all.reports.at(-1), "ping still there?");
  await all.end();
});

Deno.test("A message that the budget has no room for ends it", async () => {
  const all = new Received();
  all.budget.resize(0, 200_000);
  all.client.feed(clientFrame(BINARY, new Uint8Array(100_000)));
  await settled();
  assertEquals(all.reports, ["message", "end 1013"]);
  await all.end();
});

Deno.test("Messages are dropped on demand, and the end is still noticed", async () => {
  const all = new Received();
  all.receiver.dropMessages();
  all.client.feed(clientFrame(TEXT, "a"), closeFrame(1000));
  await settled();
  assertEquals([all.reports, all.pipe.isEmpty], [["end 1000"], true]);
  await all.end();
});

Deno.test("The loss of the client, and a slow message, are reported", async () => {
  for (const how of ["end", "lose"] as const) {
    const all = new Received();
    all.client[how]();
    await all.over;
    assertEquals(all.reports, ["lost"]);
  }
  const slow = new Received();
  slow.client.feed(clientFrame(TEXT, "half", { fin: false }));
  await settled();
  slow.client.deadlines[0].expire();
  assertEquals(slow.reports, [`end ${new WebSocketError(1008, "").code}`]);
  await slow.end();
});
