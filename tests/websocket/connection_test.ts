// Messages over a connection: how they arrive, how they leave, and how a breach
// of the protocol ends it: what came before it is answered, then one Close with
// the right code leaves, and nothing after it is read.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MessagePipe } from "../../src/streams/message_pipe.ts";
import type { Close } from "../../src/websocket/connection_options.ts";
import type { Message } from "../../src/websocket/messages.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { connect, echo } from "./_connected.ts";
import {
  BINARY,
  clientFrame,
  CLOSE,
  closeFrame,
  concat,
  CONTINUATION,
  hex,
  PING,
  PONG,
  TEXT,
  utf8,
} from "./_frames.ts";
import { deliveries, Random } from "./_random.ts";
import { unawaited } from "../_unawaited.ts";
import { settled } from "../_turns.ts";

Deno.test("A connection echoes messages, however they are delivered", async () => {
  const wire = concat([
    clientFrame(TEXT, "Hellö"),
    clientFrame(PING, "one"),
    clientFrame(BINARY, hex("00 ff 80")),
    clientFrame(TEXT, utf8("κόσ").subarray(0, 3), { fin: false }),
    clientFrame(PING, "two"),
    clientFrame(CONTINUATION, "", { fin: false }),
    clientFrame(CONTINUATION, utf8("κόσ").subarray(3)),
    clientFrame(PONG, "unasked"),
    clientFrame(TEXT),
    clientFrame(BINARY),
    closeFrame(1000, "Bye"),
  ]);
  for (const { name, chunks } of deliveries(wire)) {
    const { connection, client } = connect();
    client.feed(...chunks);
    assertEquals(
      await echo(connection),
      ["Hellö", hex("00 ff 80"), "κόσ", "", hex("")],
      name,
    );
    assertEquals(await connection.closed, {
      type: "close",
      code: 1000,
      reason: "Bye",
    }, name);
    const messages = client.sent.filter((frame) => !frame.startsWith("pong"));
    assertEquals(messages, [
      "text Hellö",
      "binary \u0000\ufffd\ufffd",
      "text κόσ",
      "text",
      "binary",
      "close 1000 Bye",
    ], name);
    const pongs = client.sent.filter((frame) => frame.startsWith("pong"));
    assertEquals(pongs, ["pong one", "pong two"], name);
  }
});

Deno.test("A received message owns its bytes", async () => {
  const { connection, client } = connect();
  client.feed(concat([clientFrame(BINARY, "abc"), clientFrame(BINARY, "def")]));
  const first = await connection.receive();
  const second = await connection.receive();
  if (first.type !== "message" || second.type !== "message") {
    throw new Error("There are no messages");
  }
  assertEquals((first.data as Uint8Array).buffer.byteLength, 3);
  (first.data as Uint8Array).fill(0);
  assertEquals(second.data, utf8("def"));
  connection.abort();
});

Deno.test("A short message leaves in one write", async () => {
  const { connection, client } = connect();
  const random = new Random(6);
  for (const length of [0, 125, 126, 65535, 65536]) {
    const content = random.bytes(length);
    await connection.send(content);
    const [frame, ...others] = client.frames;
    assertEquals(frame.payload, content);
    assertEquals([others.length, client.writes.length], [0, 1], `${length}`);
    client.writes.length = 0;
  }
  connection.abort();
});

Deno.test("A long message leaves in pieces, each made when the client reads", async () => {
  const random = new Random(7);
  for (const content of [random.bytes(1_000_000), random.text(200_000)]) {
    const { connection, client } = connect();
    client.hold();
    const before = connection.send("before");
    const sent = connection.send(content);
    const after = connection.send("after");
    client.feed(clientFrame(PING, "still there?"));
    await settled();
    client.release();
    await Promise.all([before, sent, after]);
    assert(client.writes.every(({ length }) => length < 130_000));
    // Nothing comes between the pieces.
    assertEquals(client.sent.length, 4);
    assertEquals(client.sent.slice(0, 2), ["text before", "pong still there?"]);
    const bytes = typeof content === "string" ? utf8(content) : content;
    assertEquals(client.frames[2].payload, bytes);
    assertEquals(client.sent[3], "text after");
    connection.abort();
  }
});

Deno.test("A client that is lost within a long message ends it", async () => {
  const { connection, client } = connect();
  client.hold();
  const sent = connection.send(new Uint8Array(1_000_000));
  await settled();
  assertEquals(client.writes.length, 1);
  connection.abort();
  await assertRejects(() => sent, WebSocketError);
  assertEquals(client.writes.length, 1);
});

Deno.test("A ping is sent, of up to 125 bytes", async () => {
  const { connection, client } = connect();
  await connection.ping();
  await connection.ping(new Uint8Array(125).fill(0x61));
  assertEquals(client.sent, ["ping", `ping ${"a".repeat(125)}`]);
  assertThrows(() => connection.ping(new Uint8Array(126)), RangeError, "125");
  connection.abort();
});

Deno.test("Receives that wait together are answered in order", async () => {
  const { connection, client } = connect();
  const receives = [1, 2, 3, 4].map(() => connection.receive());
  client.feed(clientFrame(TEXT, "a"), clientFrame(TEXT, "b"));
  await settled();
  connection.abort();
  assertEquals(await Promise.all(receives), [
    { type: "message", data: "a" },
    { type: "message", data: "b" },
    { type: "close", code: 1006, reason: "" },
    { type: "close", code: 1006, reason: "" },
  ]);
});

Deno.test("A connection whose messages go elsewhere gives none", async () => {
  const messages = new MessagePipe<Message | Close, string>({
    highWaterMark: 1,
    size: () => 1,
    transform: (item) => item.type === "close" ? "end" : `${item.data}`,
  });
  const { connection, client } = connect({ messages });
  await assertRejects(() => connection.receive(), TypeError, "elsewhere");
  client.feed(clientFrame(TEXT, "a"));
  assertEquals((await messages.read()).value, "a");
  client.lose();
  assertEquals((await messages.read()).value, "end");
  assertEquals((await messages.read()).done, true);
});

const FRAGMENT = clientFrame(TEXT, "half ", { fin: false });

/** What a client sends wrong, and the code that it gets for it. */
const BREACHES: [what: string, code: number, ...frames: Uint8Array[]][] = [
  ["a reserved bit", 1002, clientFrame(TEXT, "x", { rsv: 2 })],
  ["RSV1 without compression", 1002, clientFrame(BINARY, "x", { rsv: 4 })],
  ["a reserved opcode", 1002, clientFrame(3)],
  ["a reserved control opcode", 1002, clientFrame(11, "x")],
  ["an unmasked frame", 1002, clientFrame(TEXT, "x", { key: null })],
  ["a long ping", 1002, clientFrame(PING, "x".repeat(126))],
  ["a fragmented ping", 1002, clientFrame(PING, "x", { fin: false })],
  ["a continuation of nothing", 1002, clientFrame(CONTINUATION, "x")],
  ["a message in a message", 1002, FRAGMENT, clientFrame(TEXT, "x")],
  ["text that is not UTF-8", 1007, clientFrame(TEXT, hex("ce ba ed a0 80"))],
  ["text that is cut short", 1007, clientFrame(TEXT, hex("ce ba e1 bd"))],
  [
    "fragments that are not UTF-8",
    1007,
    clientFrame(TEXT, hex("ce ba e1"), { fin: false }),
    clientFrame(CONTINUATION, hex("ce")),
  ],
  [
    "fragments that are cut short",
    1007,
    clientFrame(TEXT, hex("ce"), { fin: false }),
    clientFrame(CONTINUATION, hex("ba e1")),
  ],
  ["half a close code", 1002, clientFrame(CLOSE, hex("03"))],
  ["a close code that is none", 1002, closeFrame(1005)],
  ["an unknown close code", 1002, closeFrame(2999)],
  ["a close reason that is not UTF-8", 1007, clientFrame(CLOSE, hex("03e8ff"))],
];

Deno.test("A breach of the protocol is answered once, after earlier messages", async () => {
  for (const [what, code, ...frames] of BREACHES) {
    for (const together of [true, false]) {
      const { connection, client } = connect();
      const wire = [
        clientFrame(TEXT, "before"),
        ...frames,
        clientFrame(TEXT, "after"),
        clientFrame(PING, "after"),
        closeFrame(1000),
      ];
      client.feed(...together ? [concat(wire)] : wire);
      assertEquals(await echo(connection), ["before"], what);
      const end = await connection.closed;
      assertEquals(end.code, code, what);
      const sent = client.sent;
      assertEquals(sent[0], "text before", what);
      assertEquals(sent.length, 2, what);
      assertEquals(sent[1].startsWith(`close ${code}`), true, sent[1]);
      assertEquals(await connection.receive(), end, what);
    }
  }
});

Deno.test("Bad UTF-8 is noticed within a frame", async () => {
  const bad = hex("ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80");
  for (const fin of [true, false]) {
    const { connection, client } = connect();
    const frame = clientFrame(TEXT, concat([bad, utf8("never sent")]), { fin });
    // The header has six bytes; the first twelve of the payload are valid.
    client.feed(frame.slice(0, 6 + 12));
    await settled();
    assertEquals(client.sent, []);
    client.feed(frame.slice(6 + 12, 6 + 13));
    assertEquals((await connection.receive() as { code: number }).code, 1007);
    assertEquals((await connection.closed).code, 1007);
    assertEquals(client.sent.map((frame) => frame.slice(0, 10)), [
      "close 1007",
    ]);
  }
});

Deno.test("A breach is noticed within a fragment's character", async () => {
  const { connection, client } = connect();
  client.feed(
    clientFrame(TEXT, hex("f0"), { fin: false }),
    clientFrame(PING, ""),
    clientFrame(CONTINUATION, hex("8f"), { fin: false }),
  );
  await connection.receive();
  assertEquals((await connection.closed).code, 1007);
  assertEquals(client.sent[0], "pong");
});

Deno.test("A message may have as many bytes as maxMessageBytes, and no more", async () => {
  const limit = 1000;
  const exact = "ä".repeat(limit / 2);
  const allowed = [
    [clientFrame(TEXT, exact)],
    [clientFrame(BINARY, exact)],
    [
      clientFrame(TEXT, utf8(exact).subarray(0, 501), { fin: false }),
      clientFrame(CONTINUATION, utf8(exact).subarray(501), { fin: false }),
      clientFrame(CONTINUATION),
    ],
  ];
  for (const frames of allowed) {
    const { connection, client } = connect({ maxMessageBytes: limit });
    client.feed(...frames);
    const message = await connection.receive();
    assertEquals(message.type, "message");
    connection.abort();
  }
  const refused = [
    [clientFrame(TEXT, exact + "a")],
    // The length alone shows it.
    [clientFrame(BINARY, "", { length: 1001n })],
    [clientFrame(BINARY, "", { length: 2n ** 50n })],
    [
      clientFrame(BINARY, exact, { fin: false }),
      clientFrame(CONTINUATION, "", { length: 1n }),
    ],
  ];
  for (const frames of refused) {
    const { connection, client } = connect({ maxMessageBytes: limit });
    client.feed(...frames);
    const end = await connection.receive();
    assertEquals(end.type === "close" && end.code, 1009);
    await connection.closed;
    assertEquals(client.sent[0].slice(0, 10), "close 1009");
  }
});

Deno.test("A message of many small fragments arrives whole", async () => {
  const { connection, client } = connect();
  const content = new Random(7).bytes(1_000_000);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += 64) {
    frames.push(
      clientFrame(
        at === 0 ? BINARY : CONTINUATION,
        content.subarray(at, at + 64),
        {
          fin: at + 64 >= content.length,
        },
      ),
    );
  }
  client.feed(concat(frames));
  assertEquals(await connection.receive(), { type: "message", data: content });
  connection.abort();
});

Deno.test("A send that nobody awaits may fail", async () => {
  const { connection, client } = connect();
  client.lose();
  unawaited(connection.send("a"));
  unawaited(connection.ping());
  await settled();
  const error = await assertRejects(
    () => connection.send("b"),
    WebSocketError,
    "Cannot send",
  );
  assertEquals(error.code, 1006);
  assertEquals(await connection.receive(), {
    type: "close",
    code: 1006,
    reason: "",
  });
});

Deno.test("What is no message, and no payload, is refused and does no harm", async () => {
  const { connection, client } = connect();
  for (const value of [5, {}, undefined, new ArrayBuffer(3)]) {
    assertThrows(
      () => connection.send(value as string),
      TypeError,
      "Cannot send",
    );
  }
  assertThrows(() => connection.ping(5 as never), TypeError, "Cannot ping");
  await connection.send("a");
  assertEquals(client.sent, ["text a"]);
  connection.abort();
});
