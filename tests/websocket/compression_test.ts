// Compressed messages over a connection, in both directions: order, limits
// counted while inflating, what is sent as it is, and breaches.

import { deflateRawSync } from "node:zlib";
import { assert, assertEquals, assertLess } from "@std/assert";
import type { WebSocketConnectionOptions } from "../../src/websocket/connection_options.ts";
import { negotiateDeflate } from "../../src/websocket/deflate_offer.ts";
import { parseExtensions } from "../../src/websocket/extensions.ts";
import { DEFAULT_COMPRESSION_OPTIONS } from "../../src/websocket/options.ts";
import { connect, echo } from "./_connected.ts";
import {
  DeflatingClient,
  type DeflatingClientOptions,
} from "./_deflating_client.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  concat,
  CONTINUATION,
  describe,
  hex,
  PING,
  PONG,
  type ServerFrame,
  TEXT,
  utf8,
} from "./_frames.ts";
import { deliveries, Random } from "./_random.ts";
import { settled } from "../_turns.ts";

/** "Hello", compressed as in the RFC. */
const HELLO = hex("f2 48 cd c9 c9 07 00");

/** Options for a connection that a client has offered something. */
function agreeOn(
  offer = "permessage-deflate",
  options: WebSocketConnectionOptions = {},
): WebSocketConnectionOptions {
  const compression = {
    ...DEFAULT_COMPRESSION_OPTIONS,
    serverNoContextTakeover: false,
    ...options.compression,
  };
  const deflate = negotiateDeflate(parseExtensions(offer)!, compression);
  return { ...options, deflate, compression };
}

/** A zero byte compresses a thousandfold. */
function bomb(size: number): Uint8Array {
  return deflateRawSync(new Uint8Array(size));
}

Deno.test("Compressed messages are read, however they are delivered", async () => {
  const wire = concat([
    clientFrame(TEXT, HELLO, { rsv: 4 }),
    clientFrame(TEXT, HELLO.slice(0, 3), { rsv: 4, fin: false }),
    clientFrame(PING, "between"),
    clientFrame(CONTINUATION, "", { fin: false }),
    clientFrame(CONTINUATION, HELLO.slice(3)),
    clientFrame(BINARY, HELLO, { rsv: 4 }),
    clientFrame(TEXT, "plain"),
    clientFrame(TEXT, hex("00"), { rsv: 4 }),
    closeFrame(1000),
  ]);
  for (const { name, chunks } of deliveries(wire)) {
    const { connection, client } = connect(agreeOn());
    client.feed(...chunks);
    const received = await echo(connection);
    const hello = ["Hello", "Hello", utf8("Hello"), "plain", ""];
    assertEquals(received, hello, name);
    await connection.closed;
    assert(client.sent.includes("pong between"), name);
  }
});

const OFFERS: [offer: string, client: DeflatingClientOptions][] = [
  ["", {}],
  ["; client_max_window_bits", { clientWindowBits: 12 }],
  ["; client_max_window_bits=9", { clientWindowBits: 9 }],
  ["; server_max_window_bits=9", { serverWindowBits: 9 }],
  ["; server_max_window_bits=8", { serverWindowBits: 8 }],
  ["; server_no_context_takeover", { serverNoContextTakeover: true }],
  ["; client_no_context_takeover", { clientNoContextTakeover: true }],
  [
    "; server_no_context_takeover; client_no_context_takeover; " +
    "server_max_window_bits=9; client_max_window_bits=9",
    {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverWindowBits: 9,
      clientWindowBits: 9,
    },
  ],
];

Deno.test("Compressed messages are echoed under every agreement", async () => {
  for (const [parameters, clientOptions] of OFFERS) {
    const { connection, client } = connect(
      agreeOn(`permessage-deflate${parameters}`),
    );
    using deflating = new DeflatingClient(clientOptions);
    const random = new Random(8);
    const texts = [16, 64, 1000, 1024, 5000, 40_000]
      .map((length) => random.text(length)).flatMap((text) => [text, text]);
    for (const text of texts) {
      const payload = await deflating.compress(utf8(text));
      client.feed(clientFrame(TEXT, payload, { rsv: 4 }));
    }
    client.feed(closeFrame(1000));
    assertEquals(await echo(connection), texts, parameters);
    await connection.closed;
    const messages = client.messages.slice(0, -1);
    for (const [at, frame] of messages.entries()) {
      assertEquals(await readText(deflating, frame), texts[at], parameters);
    }
    assertEquals(messages.length, texts.length);
  }
});

Deno.test("Only messages from the threshold on are compressed", async () => {
  const options = agreeOn(undefined, { compression: { threshold: 10 } });
  const { connection, client } = connect(options);
  await connection.send("a".repeat(9));
  await connection.send("a".repeat(10));
  await connection.send(new Uint8Array(9));
  await connection.send(new Uint8Array(10));
  await connection.send("a".repeat(1000), { compress: false });
  assertEquals(client.frames.map(({ rsv }) => rsv), [0, 4, 0, 4, 0]);
  connection.abort();
});

Deno.test("An empty message is never compressed", async () => {
  const options = agreeOn(undefined, { compression: { threshold: 0 } });
  const { connection, client } = connect(options);
  await Promise.all([connection.send(""), connection.send("a")]);
  assertEquals(client.frames.map(({ rsv }) => rsv), [0, 4]);
  connection.abort();
});

Deno.test("Nothing is compressed where nothing was agreed on", async () => {
  const { connection, client } = connect({ compression: { threshold: 0 } });
  await connection.send("a".repeat(10_000));
  assertEquals(client.frames[0].rsv, 0);
  connection.abort();
});

Deno.test("Messages leave in the order in which they were sent", async () => {
  const { connection, client } = connect(agreeOn());
  using deflating = new DeflatingClient();
  const random = new Random(9);
  const texts = Array.from(
    { length: 60 },
    (_, i) => `${i} ${"x".repeat(random.pick([1, 10, 2000, 50_000]))}`,
  );
  const sends = texts.map((text) => connection.send(text));
  const closed = connection.close(1000);
  await Promise.all([...sends, closed]);
  const frames = client.messages;
  assertEquals(describe(frames.pop()!), "close 1000");
  const received: string[] = [];
  for (const frame of frames) received.push(await readText(deflating, frame));
  assertEquals(received, texts);
  client.feed(closeFrame(1000));
  await connection.closed;
});

Deno.test("The limit counts inflated bytes, while they are inflated", async () => {
  const limit = 100_000;
  const content = new Uint8Array(limit);
  const exact = connect(agreeOn(undefined, { maxMessageBytes: limit }));
  exact.client.feed(clientFrame(BINARY, bomb(limit), { rsv: 4 }));
  assertEquals(await exact.connection.receive(), {
    type: "message",
    data: content,
  });
  exact.connection.abort();
  const parts = new Random(10).cut(bomb(limit + 1), 3);
  const past: Uint8Array[][] = [
    [clientFrame(BINARY, bomb(limit + 1), { rsv: 4 })],
    [clientFrame(BINARY, bomb(100 * 2 ** 20), { rsv: 4 })],
    // The message has no end, and yet is too long.
    [clientFrame(BINARY, bomb(limit + 5000), { rsv: 4, fin: false })],
    parts.map((part, at) =>
      clientFrame(at === 0 ? TEXT : CONTINUATION, part, {
        rsv: at === 0 ? 4 : 0,
        fin: at === 2,
      })
    ),
  ];
  for (const frames of past) {
    const options = agreeOn(undefined, { maxMessageBytes: limit });
    const { connection, client } = connect(options);
    client.feed(...frames, clientFrame(PING, "not read"));
    const end = await connection.receive();
    assertEquals(end.type === "close" && end.code, 1009);
    await connection.closed;
    assertEquals(client.sent.length, 1);
    assertEquals(client.sent[0].slice(0, 10), "close 1009");
  }
});

Deno.test("A compressed message that does not inflate is 1007", async () => {
  const { connection, client } = connect(agreeOn());
  client.feed(
    clientFrame(TEXT, "before"),
    clientFrame(TEXT, hex("ff ff ff"), { rsv: 4 }),
  );
  assertEquals(await echo(connection), ["before"]);
  assertEquals((await connection.closed).code, 1007);
  assertEquals(client.sent[1].slice(0, 10), "close 1007");
});

Deno.test("Compressed text must be UTF-8, and is checked while it is inflated", async () => {
  const bad = deflateRawSync(
    concat([hex("ce ba ed a0 80"), utf8("a".repeat(9000))]),
  );
  for (const fin of [true, false]) {
    const { connection, client } = connect(agreeOn());
    client.feed(clientFrame(TEXT, bad, { rsv: 4, fin }));
    await connection.receive();
    assertEquals((await connection.closed).code, 1007);
    assertEquals(client.sent[0].slice(0, 10), "close 1007");
  }
});

Deno.test("RSV1 marks nothing but the first frame of a message", async () => {
  for (
    const frames of [
      [
        clientFrame(TEXT, HELLO, { rsv: 4, fin: false }),
        clientFrame(CONTINUATION, "", { rsv: 4 }),
      ],
      [clientFrame(PING, "", { rsv: 4 })],
      [clientFrame(PONG, "", { rsv: 4 })],
      [clientFrame(TEXT, HELLO, { rsv: 6 })],
    ]
  ) {
    const { connection, client } = connect(agreeOn());
    client.feed(...frames);
    await connection.receive();
    assertEquals((await connection.closed).code, 1002);
  }
});

Deno.test("Connections without context take turns at one compressor", async () => {
  const options = agreeOn(undefined, {
    compression: { serverNoContextTakeover: true, threshold: 0 },
  });
  const talks = [connect(options), connect(options), connect(options)];
  const random = new Random(11);
  const texts = talks.map(() =>
    [10, 200_000, 10, 3000].map((length) => random.text(length))
  );
  const sends = texts.map((list, at) =>
    list.map((text) => talks[at].connection.send(text))
  );
  // One that leaves takes nothing from the others.
  await sends[0][0];
  talks[0].connection.abort();
  await Promise.allSettled(sends[0]);
  await Promise.all([...sends[1], ...sends[2]]);
  for (const at of [1, 2]) {
    using deflating = new DeflatingClient({ serverNoContextTakeover: true });
    const received: string[] = [];
    for (const frame of talks[at].client.messages) {
      assertEquals(frame.rsv, 4);
      received.push(await readText(deflating, frame));
    }
    assertEquals(received, texts[at]);
    talks[at].connection.abort();
  }
});

/** As the server agrees unless it is configured otherwise. */
const SHARED = {
  compression: { serverNoContextTakeover: true, threshold: 0 },
};

Deno.test("A short message does not wait for long ones of others", async () => {
  const long = new Random(12).bytes(4_000_000);
  const hogs = Array.from(
    { length: 10 },
    () => connect(agreeOn("permessage-deflate", SHARED)),
  );
  let finished = 0;
  const sends = hogs.map(({ connection }) =>
    connection.send(long).then(() => finished++)
  );
  const { connection, client } = connect(agreeOn("permessage-deflate", SHARED));
  for (let i = 0; i < 20; i++) await connection.send(`short ${i}`);
  assertEquals([finished, client.frames.length], [0, 20]);
  assert(client.frames.every(({ rsv }) => rsv === 4));
  // Nor does a longer one wait until they have ended.
  await connection.send("x".repeat(200_000));
  assertEquals(finished, 0);
  for (const hog of hogs) hog.connection.abort();
  await Promise.allSettled(sends);
  connection.abort();
});

Deno.test("Clients that do not read cannot take all compressors of long messages", async () => {
  const long = "x".repeat(500_000);
  const hogs = Array.from(
    { length: 40 },
    () => connect(agreeOn("permessage-deflate", SHARED)),
  );
  for (const { client } of hogs) client.hold();
  const sends = hogs.map(({ connection }) => connection.send(long));
  await settled();
  const begun = hogs.map(({ client }) => client.writes.length);
  assertEquals(begun, begun.map(() => 1));
  const last = connect(agreeOn("permessage-deflate", SHARED));
  await last.connection.send(long);
  assertEquals(last.client.messages.map(({ rsv }) => rsv), [0]);
  assertEquals(last.client.messages[0].payload, utf8(long));
  // When they have gone, it is compressed again.
  for (const { connection } of hogs) connection.abort();
  await Promise.allSettled(sends);
  await last.connection.send(long);
  assertEquals(last.client.messages.map(({ rsv }) => rsv), [0, 4]);
  last.connection.abort();
});

Deno.test("A long message is compressed as its client reads", async () => {
  for (const { compression } of [SHARED, { compression: {} }]) {
    const options = agreeOn("permessage-deflate", { compression });
    const { connection, client } = connect(options);
    client.hold();
    const random = new Random(13);
    const content = random.bytes(1_000_000);
    const sent = connection.send(content);
    await settled();
    assertEquals(client.writes.length, 1);
    assertLess(client.writes[0].length, 130_000);
    client.release();
    await sent;
    using deflating = new DeflatingClient();
    const [message] = client.messages;
    assertEquals(await deflating.decompress(message.payload), content);
    connection.abort();
  }
});

Deno.test("A large message leaves others their turn while it is compressed", async () => {
  const { connection, client } = connect(agreeOn());
  const sent = connection.send(new Random(12).bytes(1_000_000));
  // All pieces but the first wait for the sockets to be polled.
  assertLess(14 * TURNS_TO_POLL, await turnsUntil(sent));
  assertEquals(client.messages.length, 1);
  connection.abort();
});

Deno.test("A large message leaves others their turn while it is inflated", async () => {
  const { connection, client } = connect(agreeOn());
  client.feed(clientFrame(BINARY, bomb(15 * 2 ** 20), { rsv: 4 }));
  // After each 256 KiB, the sockets are polled.
  assertLess(59 * TURNS_TO_POLL, await turnsUntil(connection.receive()));
  connection.abort();
});

/** Deno polls sockets at least once in so many turns of its event loop. */
const TURNS_TO_POLL = 61;

/**
 * How many turns the event loop takes before a promise resolves; no timer can
 * count them, because how often it fires depends on how fast the machine is.
 */
async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  let turns = 0;
  let immediate = setImmediate(function onTurn() {
    turns++;
    immediate = setImmediate(onTurn);
  });
  await promise;
  clearImmediate(immediate);
  return turns;
}

Deno.test("A connection can be cut while it compresses and decompresses", async () => {
  const { connection, client } = connect(agreeOn());
  client.feed(clientFrame(BINARY, bomb(10 ** 6), { rsv: 4 }));
  const sends = [1, 2, 3].map(() => connection.send(new Uint8Array(10 ** 6)));
  await Promise.resolve();
  connection.abort();
  const outcomes = await Promise.allSettled(sends);
  assert(outcomes.every(({ status }) => status === "rejected"));
  assertEquals((await connection.closed).code, 1006);
  await settled();
});

async function readText(
  client: DeflatingClient,
  { rsv, payload }: ServerFrame,
): Promise<string> {
  const content = rsv === 4 ? await client.decompress(payload) : payload;
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    .decode(content);
}
