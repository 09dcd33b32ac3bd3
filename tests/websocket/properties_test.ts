// What must hold for any bytes: messages arrive whole in whatever legal way they
// are fragmented, interleaved and cut; any breach gives its code after what came
// before it; and arbitrary bytes give messages or a close, and nothing else.

import { assert, assertEquals } from "@std/assert";
import { isCloseCode } from "../../src/websocket/close_codes.ts";
import { negotiateDeflate } from "../../src/websocket/deflate_offer.ts";
import { DEFAULT_COMPRESSION_OPTIONS } from "../../src/websocket/options.ts";
import { connect, type Connected, echo } from "./_connected.ts";
import { DeflatingClient } from "./_deflating_client.ts";
import {
  BINARY,
  clientFrame,
  CLOSE,
  closeFrame,
  concat,
  CONTINUATION,
  describe,
  hex,
  PING,
  PONG,
  TEXT,
  utf8,
} from "./_frames.ts";
import { Random } from "./_random.ts";

const DEFLATE = negotiateDeflate(
  [{ name: "permessage-deflate", parameters: [] }],
  DEFAULT_COMPRESSION_OPTIONS,
);

/** What a client sends, and what must come of it. */
interface Conversation {
  readonly frames: Uint8Array[];
  readonly messages: (string | Uint8Array)[];
  readonly pings: string[];
}

/** Frames of random messages, each fragmented and interleaved at random. */
async function converse(
  random: Random,
  deflating: DeflatingClient | undefined,
): Promise<Conversation> {
  const conversation: Conversation = { frames: [], messages: [], pings: [] };
  for (let i = random.integer(1, 6); i > 0; i--) {
    const size = random.pick([0, 1, 20, 125, 126, 500, 3000]);
    const message = random.chance(0.5) ? random.text(size) : random.bytes(size);
    conversation.messages.push(message);
    const text = typeof message === "string";
    const content = text ? utf8(message) : message;
    const compress = content.length > 0 && deflating && random.chance(0.7);
    const payload = compress ? await deflating.compress(content) : content;
    addMessage(conversation, random, text, payload, compress ? 4 : 0);
  }
  return conversation;
}

function addMessage(
  { frames, pings }: Conversation,
  random: Random,
  text: boolean,
  payload: Uint8Array,
  rsv: number,
): void {
  const parts = random.cut(payload, random.integer(1, 6));
  for (const [at, part] of parts.entries()) {
    const opcode = at > 0 ? CONTINUATION : text ? TEXT : BINARY;
    const fin = at === parts.length - 1;
    const key = [...random.bytes(4)];
    frames.push(clientFrame(opcode, part, { fin, rsv: at > 0 ? 0 : rsv, key }));
    if (random.chance(0.2)) {
      const name = `${pings.length}`;
      pings.push(name);
      frames.push(clientFrame(PING, name));
    }
    if (random.chance(0.1)) frames.push(clientFrame(PONG, "unasked"));
  }
}

/** Feeds bytes cut at random. */
function feedCut({ client }: Connected, random: Random, wire: Uint8Array) {
  client.feed(
    ...random.cut(wire, random.integer(1, 12)).filter((cut) => cut.length > 0),
  );
}

Deno.test("Any message arrives whole, however it is fragmented and interleaved", async () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    using deflating = new DeflatingClient();
    const deflate = random.chance(0.5) ? DEFLATE : undefined;
    const talk = await converse(random, deflate && deflating);
    const connected = connect({ deflate });
    const { connection, client } = connected;
    feedCut(connected, random, concat([...talk.frames, closeFrame(1000)]));
    assertEquals(await echo(connection), talk.messages, `seed ${seed}`);
    assertEquals((await connection.closed).code, 1000, `seed ${seed}`);
    const pongs = client.frames.filter(({ opcode }) => opcode === PONG);
    assertEquals(
      pongs.map(describe),
      talk.pings.map((ping) => `pong ${ping}`),
      `seed ${seed}`,
    );
  }
});

/** A breach outside of a message, and its code. */
function breach(random: Random): [code: number, frame: Uint8Array] {
  const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
  const text = random.text(random.integer(0, 20));
  const bad = concat([
    utf8(text),
    hex(random.pick(["80", "ff", "c0", "eda0"])),
  ]);
  const codes = [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535];
  return random.pick<[number, Uint8Array]>([
    [1002, clientFrame(random.pick(reserved), text)],
    [
      1002,
      clientFrame(random.pick([TEXT, PING]), "", { rsv: random.integer(1, 3) }),
    ],
    [1002, clientFrame(random.pick([TEXT, PING, CLOSE]), "", { key: null })],
    [1002, clientFrame(random.pick([PING, PONG, CLOSE]), "", { fin: false })],
    [1002, clientFrame(PONG, random.bytes(random.integer(126, 300)))],
    [1002, clientFrame(CONTINUATION, text)],
    [1002, clientFrame(TEXT, "abc", { lengthBytes: random.pick([2, 8]) })],
    [1002, closeFrame(random.pick(codes))],
    [1007, clientFrame(TEXT, bad, { fin: random.chance(0.5) })],
    [1007, clientFrame(CLOSE, concat([hex("03e8"), bad]))],
    [
      1009,
      clientFrame(BINARY, "", { length: 1n << BigInt(random.integer(24, 62)) }),
    ],
  ]);
}

Deno.test("Any breach gives its code, after the messages before it", async () => {
  for (let seed = 0; seed < 500; seed++) {
    const random = new Random(seed);
    const talk = await converse(random, undefined);
    const [code, frame] = breach(random);
    const connected = connect({ maxMessageBytes: 2 ** 24 - 1 });
    const wire = [...talk.frames, frame, random.bytes(random.integer(0, 50))];
    feedCut(connected, random, concat(wire));
    const { connection, client } = connected;
    assertEquals(await echo(connection), talk.messages, `seed ${seed}`);
    assertEquals((await connection.closed).code, code, `seed ${seed}`);
    const closes = client.frames.filter(({ opcode }) => opcode === CLOSE);
    assertEquals(closes.map(describe).join().slice(0, 10), `close ${code}`);
    assertEquals(closes.length, 1);
  }
});

/** A legal wire with some damage, or no wire at all. */
async function damaged(
  random: Random,
  deflating: DeflatingClient,
): Promise<Uint8Array> {
  if (random.chance(0.2)) return random.bytes(random.integer(0, 300));
  const { frames } = await converse(random, deflating);
  const wire = concat(frames);
  for (let i = random.integer(1, 4); i > 0 && wire.length > 0; i--) {
    wire[random.integer(0, wire.length - 1)] = random.integer(0, 255);
  }
  return random.chance(0.3) ? wire.slice(random.integer(0, 10)) : wire;
}

Deno.test("Arbitrary bytes give messages or a close, and nothing else", async () => {
  const codes = new Set<number>();
  for (let seed = 0; seed < 800; seed++) {
    const random = new Random(seed);
    using deflating = new DeflatingClient();
    const deflate = random.chance(0.7) ? DEFLATE : undefined;
    const connected = connect({ deflate, maxMessageBytes: 100_000 });
    const { connection, client } = connected;
    feedCut(connected, random, await damaged(random, deflating));
    client.end();
    await echo(connection).catch(() => {}); // A send may come too late.
    const { code } = await connection.closed;
    codes.add(code);
    assert(
      isCloseCode(code) || code === 1005 || code === 1006,
      `seed ${seed}: ${code}`,
    );
    // Whatever was sent are frames, and a close is the last of them.
    const opcodes = client.frames.map(({ opcode }) => opcode);
    const close = opcodes.indexOf(CLOSE);
    assert(close === -1 || close === opcodes.length - 1, `seed ${seed}`);
    assertEquals(close === -1, code === 1006, `seed ${seed}: ${code}`);
  }
  // The damage was of all kinds.
  assert([1002, 1006, 1007].every((code) => codes.has(code)), `${[...codes]}`);
});
