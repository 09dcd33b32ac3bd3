// Back pressure in both directions, floods of pings, and signs of life: what is
// read ahead, what waits to be written, and when the client counts as lost.

import { assert, assertEquals } from "@std/assert";
import { connect } from "./_connected.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  concat,
  PING,
  PONG,
  TEXT,
} from "./_frames.ts";
import { unawaited } from "../_unawaited.ts";
import { settled } from "../_turns.ts";

Deno.test("Pings are answered, and a close noticed, while nobody receives", async () => {
  const { connection, client } = connect();
  client.feed(clientFrame(TEXT, "unread"), clientFrame(PING, "still there?"));
  await settled();
  assertEquals(client.sent, ["pong still there?"]);
  client.feed(closeFrame(1000));
  await settled();
  client.deadline.expire();
  assertEquals((await connection.closed).code, 1000);
});

Deno.test("The socket is left alone after readAheadBytes", async () => {
  const { connection, client } = connect({ readAheadBytes: 1000 });
  for (let i = 0; i < 20; i++) {
    client.feed(clientFrame(BINARY, "x".repeat(236)));
  }
  await settled();
  // Each counts for 300 bytes: the fourth fills what may be read ahead.
  assertEquals(client.reads, 4);
  await connection.receive();
  await settled();
  assertEquals(client.reads, 5);
  for (let i = 0; i < 19; i++) await connection.receive();
  client.feed(closeFrame(1000));
  assertEquals((await connection.receive()).type, "close");
  await connection.closed;
});

Deno.test("One message is read ahead, however large", async () => {
  const { connection, client } = connect({ readAheadBytes: 10 });
  const large = "x".repeat(100_000);
  client.feed(clientFrame(TEXT, large), clientFrame(TEXT, "b"), closeFrame());
  await settled();
  assertEquals(client.reads, 1);
  assertEquals(await connection.receive(), { type: "message", data: large });
  assertEquals(await connection.receive(), { type: "message", data: "b" });
  await connection.receive();
  await connection.closed;
});

Deno.test("A close of the application is not held up by unread messages", async () => {
  const { connection, client } = connect({ readAheadBytes: 10 });
  for (let i = 0; i < 5; i++) client.feed(clientFrame(TEXT, "unread"));
  await settled();
  await connection.close(1000);
  client.feed(closeFrame(1000));
  await connection.closed;
  assertEquals(await connection.receive(), {
    type: "close",
    code: 1000,
    reason: "",
  });
});

Deno.test("A send waits for the client to read", async () => {
  const { connection, client } = connect();
  client.hold();
  let sent = 0;
  for (let i = 0; i < 3; i++) {
    unawaited(connection.send(`${i}`).then(() => sent++));
  }
  await settled();
  assertEquals([sent, client.sent], [0, ["text 0"]]);
  client.release();
  await settled();
  assertEquals(sent, 3);
  assertEquals(client.sent, ["text 0", "text 1", "text 2"]);
  // What waited left together.
  assertEquals(client.writes.length, 2);
  connection.abort();
});

Deno.test("Answers to messages that came together leave together, if they do come", async () => {
  const { connection, client } = connect();
  client.feed(clientFrame(TEXT, "1"), clientFrame(TEXT, "2"));
  await settled();
  await connection.receive();
  const first = connection.send("a");
  assertEquals(client.writes.length, 0);
  await connection.receive();
  const second = connection.send("b");
  await Promise.all([first, second]);
  assertEquals(client.sent, ["text a", "text b"]);
  assertEquals(client.writes.length, 1);
  // There need not be an answer to each message.
  client.feed(clientFrame(TEXT, "3"), clientFrame(TEXT, "4"));
  await settled();
  await connection.receive();
  await connection.send("c");
  assertEquals(client.sent.at(-1), "text c");
  await connection.receive();
  connection.abort();
});

Deno.test("What is held back leaves when the application waits for more", async () => {
  const { connection, client } = connect();
  client.feed(clientFrame(TEXT, "1"), clientFrame(TEXT, "2"));
  await settled();
  await connection.receive();
  unawaited(connection.send("a"));
  await connection.receive();
  assertEquals(client.sent, []);
  const next = connection.receive();
  for (let i = 0; i < 50; i++) await undefined; // Before any timer.
  assertEquals(client.sent, ["text a"]);
  connection.abort();
  assertEquals((await next).type, "close");
});

Deno.test("Frames that wait are joined up to a size, in their order", async () => {
  const { connection, client } = connect();
  client.hold();
  const sizes = [1, 30_000, 30_000, 30_000, 65_536, 5, 6, 65_537, 7];
  const sends = sizes.map((size) => connection.send(new Uint8Array(size)));
  await settled();
  client.release();
  await Promise.all(sends);
  assertEquals(client.frames.map(({ payload }) => payload.length), sizes);
  // Payloads and their headers; only the last but one comes in pieces.
  assertEquals(client.writes.map(({ length }) => length), [
    1 + 2,
    2 * (30_000 + 4),
    30_000 + 4,
    65_536 + 10,
    5 + 2 + 6 + 2,
    65_536 + 10,
    1,
    7 + 2,
  ]);
  connection.abort();
});

Deno.test("Pongs go before messages that wait", async () => {
  const { connection, client } = connect();
  client.hold();
  const sends = ["a", "b"].map((text) => connection.send(text));
  client.feed(clientFrame(PING, "1"), clientFrame(PING, "2"));
  await settled();
  client.release();
  await Promise.all(sends);
  assertEquals(client.sent, ["text a", "pong 1", "pong 2", "text b"]);
  connection.abort();
});

Deno.test("All pings of a client that reads are answered in order", async () => {
  const { connection, client } = connect();
  const names = Array.from({ length: 20 }, (_, i) => `${i}`);
  client.feed(concat(names.map((name) => clientFrame(PING, name))));
  await settled();
  assertEquals(client.sent, names.map((name) => `pong ${name}`));
  connection.abort();
});

Deno.test("Of a flood of pings, the latest is answered, and few others", async () => {
  const { connection, client } = connect();
  client.hold();
  unawaited(connection.send("stuck"));
  for (let i = 0; i < 100; i++) {
    client.feed(concat(
      Array.from({ length: 100 }, (_, j) => clientFrame(PING, `${i}-${j}`)),
    ));
  }
  while (client.reads <= 100) await settled();
  client.release();
  await settled();
  const pongs = client.sent.slice(1);
  assertEquals(pongs.at(-1), "pong 99-99");
  assert(pongs.length <= 40, `${pongs.length} pongs`);
  connection.abort();
});

Deno.test("A silent client is sent a ping, and anything it sends is an answer", async () => {
  const { connection, client } = connect({
    pingInterval: 100,
    pingTimeout: 50,
  });
  assertEquals(client.deadline.armedFor, 100);
  const answers = [
    clientFrame(PONG),
    clientFrame(PONG, "another"),
    clientFrame(PING),
    clientFrame(TEXT, "a"),
    // Even half a frame.
    clientFrame(TEXT, "b").slice(0, 3),
  ];
  for (const answer of answers) {
    client.writes.length = 0;
    client.deadline.expire();
    await settled();
    assertEquals([client.sent, client.deadline.armedFor], [["ping"], 50]);
    client.feed(answer);
    await settled();
    assertEquals(client.deadline.armedFor, 100);
  }
  connection.abort();
});

Deno.test("A client that does not answer a ping is lost", async () => {
  const { connection, client } = connect();
  const received = connection.receive();
  client.deadline.expire();
  await settled();
  client.deadline.expire();
  assertEquals(await received, { type: "close", code: 1006, reason: "" });
  await connection.closed;
  assert(client.aborted);
  assertEquals(client.sent, ["ping"]);
});

Deno.test("A client has time to answer from when the ping has left", async () => {
  const { connection, client } = connect({ pingInterval: 100 });
  client.hold();
  unawaited(connection.send("a large message"));
  client.deadline.expire();
  await settled();
  assertEquals(client.deadline.armedFor, undefined);
  client.release();
  await settled();
  assertEquals(client.deadline.armedFor, 20_000);
  connection.abort();
});

Deno.test("A sign of life before the ping has left counts", async () => {
  const { connection, client } = connect({ pingInterval: 100 });
  client.hold();
  unawaited(connection.send("a large message"));
  client.deadline.expire();
  client.feed(clientFrame(PONG));
  await settled();
  client.release();
  await settled();
  assertEquals(client.deadline.armedFor, 100);
  connection.abort();
});

Deno.test("A client that is not read is not asked for a sign of life", async () => {
  const { connection, client } = connect({
    pingInterval: 100,
    readAheadBytes: 10,
  });
  client.feed(clientFrame(TEXT, "unread"));
  await settled();
  client.deadline.expire();
  await settled();
  assertEquals([client.sent, client.deadline.armedFor], [[], 100]);
  await connection.receive();
  await settled();
  client.deadline.expire();
  await settled();
  assertEquals(client.sent, ["ping"]);
  connection.abort();
});

Deno.test("Pings can be turned off", () => {
  const { connection, client } = connect({ pingInterval: Infinity });
  assertEquals(client.deadline.armedFor, Infinity);
  connection.abort();
});

Deno.test("A connection without messages is closed after idleTimeout", async () => {
  const { connection, client } = connect({ idleTimeout: 500 });
  const [idleDeadline] = client.deadlines;
  assertEquals(idleDeadline.armedFor, 500);
  // Messages in either direction put it off, pings do not.
  for (
    const [act, armedFor] of [
      [() => client.feed(clientFrame(TEXT, "a")), 500],
      [() => unawaited(connection.send("b")), 500],
      [() => client.feed(clientFrame(PING)), undefined],
    ] as const
  ) {
    idleDeadline.armedFor = undefined;
    await act();
    await settled();
    assertEquals(idleDeadline.armedFor, armedFor);
  }
  await connection.send("c");
  idleDeadline.expire();
  await settled();
  assertEquals(client.sent.at(-1)?.slice(0, 10), "close 1001");
  client.feed(closeFrame(1001));
  assertEquals((await connection.closed).code, 1001);
  assertEquals(client.deadlines, []);
});

Deno.test("Without idleTimeout, a connection may be idle for ever", () => {
  const { connection, client } = connect();
  assertEquals(client.deadlines, []);
  connection.abort();
});
