// The close handshake in both directions, its deadlines, and the loss of the
// client: what the application receives, and what becomes of its sends.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { connect, echo } from "./_connected.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  concat,
  CONTINUATION,
  PING,
  TEXT,
} from "./_frames.ts";
import { unawaited } from "../_unawaited.ts";
import { settled } from "../_turns.ts";

function end(code: number, reason = "") {
  return { type: "close", code, reason } as const;
}

Deno.test("A client's close is echoed", async () => {
  for (const code of [1000, 1001, 1007, 1014, 3000, 3999, 4000, 4999]) {
    const { connection, client } = connect();
    client.feed(closeFrame(code, "Why"));
    assertEquals(await connection.receive(), end(code, "Why"));
    assertEquals(await connection.closed, end(code, "Why"));
    assertEquals(client.sent, [`close ${code} Why`]);
    assert(!client.aborted);
  }
});

Deno.test("The stream below is closed after the last Close, with time to read it", async () => {
  const { connection, client } = connect({ lingerTimeout: 123 });
  const closed = connection.close();
  assertEquals(client.closedFor, undefined);
  client.feed(closeFrame(1000));
  await closed;
  assertEquals(await connection.streamClosed, end(1000));
  assertEquals([client.closedFor, client.aborted], [123, false]);
});

Deno.test("The stream below is cut when the client is lost", async () => {
  const { connection, client } = connect();
  client.lose();
  assertEquals(await connection.streamClosed, end(1006));
  assertEquals([client.closedFor, client.aborted], [undefined, true]);
});

Deno.test("A close without a code is 1005, and is echoed so", async () => {
  const { connection, client } = connect();
  client.feed(closeFrame());
  assertEquals(await connection.receive(), end(1005));
  await connection.closed;
  assertEquals(client.sent, ["close"]);
});

Deno.test("A message is answered before the close that came with it", async () => {
  for (const together of [true, false]) {
    const { connection, client } = connect();
    const frames = [
      clientFrame(TEXT, "a"),
      clientFrame(TEXT, "b"),
      closeFrame(1000),
    ];
    client.feed(...together ? [concat(frames)] : frames);
    assertEquals(await echo(connection), ["a", "b"]);
    await connection.closed;
    assertEquals(client.sent, ["text a", "text b", "close 1000"]);
  }
});

Deno.test("A message is answered before the close, also by streams that read ahead", async () => {
  const { connection, client } = connect();
  client.feed(concat([clientFrame(TEXT, "a"), closeFrame(1000)]));
  const events = new ReadableStream<string>({
    async pull(controller) {
      const event = await connection.receive();
      if (event.type === "close") controller.close();
      else controller.enqueue(event.data as string);
    },
  });
  await events
    .pipeThrough(new TransformStream())
    .pipeThrough(new TransformStream())
    .pipeThrough(new TransformStream())
    .pipeTo(new WritableStream({ write: (data) => connection.send(data) }));
  await connection.closed;
  assertEquals(client.sent, ["text a", "close 1000"]);
});

Deno.test("A close is answered after closeDelay if nobody receives", async () => {
  const { connection, client } = connect({ closeDelay: 700 });
  client.feed(concat([clientFrame(TEXT, "a"), closeFrame(1001)]));
  await settled();
  await connection.send("still possible");
  assertEquals(client.sent, ["text still possible"]);
  assertEquals(client.deadline.armedFor, 700);
  client.deadline.expire();
  await connection.closed;
  assertEquals(client.sent.slice(1), ["close 1001"]);
  assertEquals(await connection.receive(), { type: "message", data: "a" });
  assertEquals(await connection.receive(), end(1001));
  assertEquals(await connection.receive(), end(1001));
});

Deno.test("A receive that is pending gets the close", async () => {
  const { connection, client } = connect();
  const received = connection.receive();
  await settled();
  client.feed(closeFrame(4000, "Bye"));
  assertEquals(await received, end(4000, "Bye"));
  await connection.closed;
});

Deno.test("Nothing is read after a close", async () => {
  const { connection, client } = connect();
  client.feed(concat([
    closeFrame(1000),
    clientFrame(TEXT, "a"),
    clientFrame(PING, "b"),
    closeFrame(1001),
  ]));
  assertEquals(await echo(connection), []);
  assertEquals(await connection.closed, end(1000));
  assertEquals(client.sent, ["close 1000"]);
});

Deno.test("The application's close waits for the client's", async () => {
  const { connection, client } = connect({ closeTimeout: 3000 });
  const pending = connection.receive();
  await connection.send("last");
  await connection.close(4001, "Enough");
  assertEquals(client.sent, ["text last", "close 4001 Enough"]);
  assertEquals(await pending, end(4001, "Enough"));
  assertEquals(client.deadline.armedFor, 3000);
  let over = false;
  unawaited(connection.closed.then(() => over = true));
  // What is under way still is dropped, and not answered.
  client.feed(clientFrame(TEXT, "late"), clientFrame(PING, "late"));
  await settled();
  assert(!over);
  client.feed(closeFrame(4001));
  assertEquals(await connection.closed, end(4001, "Enough"));
  assertEquals(client.sent.length, 2);
  assertEquals(client.deadline.armedFor, undefined);
  assert(!client.aborted);
});

Deno.test("The application's close has a code and a reason that can be sent", async () => {
  const { connection, client } = connect();
  for (const code of [999, 1004, 1006, 1015, 2000, 5000, 1000.5]) {
    assertThrows(() => connection.close(code), RangeError, "Cannot close");
  }
  assertThrows(() => connection.close(1000, "é".repeat(62)), RangeError);
  assertEquals(client.sent, []);
  await connection.close();
  assertEquals(client.sent, ["close 1000"]);
  connection.abort();
});

Deno.test("Only the first close counts", async () => {
  const { connection, client } = connect();
  await Promise.all([connection.close(4000), connection.close(4001)]);
  client.feed(closeFrame(4000));
  assertEquals(await connection.closed, end(4000));
  await connection.close(4002);
  assertEquals(client.sent, ["close 4000"]);
});

Deno.test("A client that does not answer a close is cut off", async () => {
  const { connection, client } = connect();
  await connection.close(1001);
  client.feed(clientFrame(BINARY, "busy"));
  await settled();
  client.deadline.expire();
  assertEquals(await connection.closed, end(1001));
  assert(client.aborted);
});

Deno.test("A client that does not read cannot hold up a close", async () => {
  const { connection, client } = connect();
  client.hold();
  const sent = connection.send("stuck");
  const closed = connection.close(1000);
  await settled();
  client.deadline.expire();
  assertEquals(await connection.closed, end(1000));
  await assertRejects(() => sent, WebSocketError);
  await assertRejects(() => closed, WebSocketError);
});

Deno.test("Both may close at once", async () => {
  const { connection, client } = connect();
  client.feed(closeFrame(4000));
  await connection.close(4001);
  assertEquals(await connection.closed, end(4001));
  assertEquals(client.sent, ["close 4001"]);
});

Deno.test("A client's close is over only when the answer has left", async () => {
  const { connection, client } = connect();
  client.hold();
  const sent = connection.send("slow");
  client.feed(closeFrame(1000));
  await connection.receive();
  let over = false;
  unawaited(connection.closed.then(() => over = true));
  await settled();
  assert(!over);
  client.release();
  await sent;
  await connection.closed;
  assertEquals(client.sent, ["text slow", "close 1000"]);
});

Deno.test("The application's close is over only when it has left", async () => {
  const { connection, client } = connect();
  client.hold();
  const sent = connection.send("slow");
  const closing = connection.close(4000);
  client.feed(closeFrame(4000));
  let over = false;
  unawaited(connection.closed.then(() => over = true));
  await settled();
  assert(!over);
  client.release();
  await Promise.all([sent, closing]);
  assertEquals(await connection.closed, end(4000));
  assertEquals(client.sent, ["text slow", "close 4000"]);
});

Deno.test("An answer that is due is not sent after an abort", async () => {
  const { connection, client } = connect();
  client.feed(closeFrame(1000));
  assertEquals(await connection.receive(), end(1000));
  connection.abort();
  assertEquals(await connection.closed, end(1000));
  assertEquals(client.sent, []);
});

Deno.test("The application may answer a client's close with its own", async () => {
  const { connection, client } = connect();
  client.feed(closeFrame(1000));
  await settled();
  await connection.close(4005, "Also");
  assertEquals(await connection.closed, end(1000));
  assertEquals(client.sent, ["close 4005 Also"]);
});

Deno.test("A breach while the client's close is awaited ends the connection", async () => {
  const { connection, client } = connect();
  await connection.close(1000);
  client.feed(clientFrame(CONTINUATION, "of nothing"));
  assertEquals(await connection.closed, end(1000));
  assertEquals(client.sent, ["close 1000"]);
});

Deno.test("An end without a close is 1006, after what has arrived", async () => {
  const { connection, client } = connect();
  client.feed(clientFrame(TEXT, "a"), clientFrame(TEXT, "cut").slice(0, 8));
  client.end();
  assertEquals(await connection.closed, end(1006));
  assertEquals(await connection.receive(), { type: "message", data: "a" });
  assertEquals(await connection.receive(), end(1006));
  await assertRejects(() => connection.send("b"), WebSocketError, "has ended");
  assertEquals(client.sent, []);
});

Deno.test("A lost client is 1006, and sends that wait for it fail", async () => {
  const { connection, client } = connect();
  const received = connection.receive();
  client.hold();
  const sends = [connection.send("a"), connection.send("b"), connection.ping()];
  await settled();
  client.lose();
  for (const send of sends) {
    const error = await assertRejects(
      () => send,
      WebSocketError,
      "Cannot send",
    );
    assertEquals(error.code, 1006);
  }
  assertEquals(await received, end(1006));
  assertEquals(await connection.closed, end(1006));
});

Deno.test("A failed write ends the connection with its cause", async () => {
  const { connection, client } = connect();
  const cause = new Error("Broken pipe");
  client.write = () => Promise.reject(cause);
  const error = await assertRejects(() => connection.send("a"), WebSocketError);
  assertEquals([error.code, error.cause], [1006, cause]);
  assertEquals(await connection.closed, end(1006));
});

Deno.test("Sends after a close are rejected with its code", async () => {
  const { connection, client } = connect();
  client.feed(closeFrame(4321));
  await connection.receive();
  await connection.closed;
  for (const send of [() => connection.send("a"), () => connection.ping()]) {
    const error = await assertRejects(send, WebSocketError, "has ended");
    assertEquals(error.code, 4321);
  }
  assertEquals(client.sent, ["close 4321"]);
});

Deno.test("abort() cuts the connection at once", async () => {
  const { connection, client } = connect();
  const received = connection.receive();
  connection.abort();
  connection.abort();
  assertEquals(await received, end(1006));
  assertEquals(await connection.closed, end(1006));
  assert(client.aborted);
  assertEquals(client.sent, []);
  assertEquals(client.deadline.armedFor, undefined);
});

Deno.test("A close is answered after the sends that are on their way", async () => {
  const sends = Promise.withResolvers<void>();
  const { connection, client } = connect({ sendsMade: () => sends.promise });
  client.feed(closeFrame(1000));
  assertEquals(await connection.receive(), end(1000));
  await settled();
  assertEquals(client.sent, []);
  await connection.send("the last");
  sends.resolve();
  await connection.closed;
  assertEquals(client.sent, ["text the last", "close 1000"]);
});
