// Compression against an independent zlib: every agreement, messages of every
// kind, windows that are never exceeded, bombs that are stopped, memory that is
// given back.

import { deflateRawSync } from "node:zlib";
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { Deflater, Inflater } from "../../src/websocket/deflate.ts";
import type { DeflateAgreement } from "../../src/websocket/deflate_offer.ts";
import { DEFAULT_COMPRESSION_OPTIONS } from "../../src/websocket/options.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { DeflatingClient } from "./_deflating_client.ts";
import { concat, hex, utf8 } from "./_frames.ts";
import { Random } from "./_random.ts";

const AGREEMENT: DeflateAgreement = {
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  response: "",
};

/** Messages that compress well, badly, and not at all; one longer than a window. */
function samples(seed: number): Uint8Array[] {
  const random = new Random(seed);
  const block = random.bytes(300);
  return [
    utf8("Hello"),
    utf8("Hello"),
    new Uint8Array(1),
    random.bytes(1000),
    utf8(JSON.stringify(Array.from({ length: 200 }, (_, id) => ({ id })))),
    // Repeats at each distance around what 8 and 9 bits allow.
    ...[240, 250, 251, 256, 257, 300].map((distance) =>
      concat([block.subarray(0, distance), block.subarray(0, distance)])
    ),
    new Uint8Array(70_000),
    concat([random.bytes(40_000), utf8("Hello".repeat(1000))]),
    utf8(random.text(3000)),
  ];
}

/** Compresses as the server, without the four bytes that are not sent. */
async function compress(
  deflater: Deflater,
  message: Uint8Array,
): Promise<Uint8Array> {
  const bytes = concat(await deflater.deflate(message));
  assertEquals(bytes.slice(-4), hex("0000ffff"));
  return bytes.slice(0, -4);
}

/** Decompresses as the server, in parts. */
async function decompress(
  inflater: Inflater,
  parts: readonly Uint8Array[],
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (const [at, part] of parts.entries()) {
    const last = at === parts.length - 1;
    await inflater.inflate(part, last, (chunk) => chunks.push(chunk.slice()));
  }
  return concat(chunks);
}

for (const bits of [8, 9, 10, 12, 15]) {
  for (const noContext of [false, true]) {
    const title = `${bits} bits${noContext ? ", without context" : ""}`;

    Deno.test(`Deflater keeps to its agreement, with ${title}`, async () => {
      const deflater = new Deflater({
        ...AGREEMENT,
        serverMaxWindowBits: bits,
        serverNoContextTakeover: noContext,
      }, DEFAULT_COMPRESSION_OPTIONS);
      using client = new DeflatingClient({
        serverWindowBits: bits,
        serverNoContextTakeover: noContext,
      });
      for (const message of samples(bits)) {
        const payload = await compress(deflater, message);
        assertEquals(await client.decompress(payload), message);
      }
      deflater.close();
    });

    Deno.test(`Inflater takes what a client sends, with ${title}`, async () => {
      const inflater = new Inflater({
        ...AGREEMENT,
        clientMaxWindowBits: bits,
        clientNoContextTakeover: noContext,
      });
      using client = new DeflatingClient({
        clientWindowBits: Math.max(bits, 9),
        clientNoContextTakeover: noContext,
      });
      const random = new Random(bits);
      for (const message of samples(bits)) {
        const payload = await client.compress(message);
        const parts = random.cut(payload, random.integer(1, 5));
        assertEquals(await decompress(inflater, parts), message);
      }
      inflater.close();
    });
  }
}

Deno.test("Deflater refers to earlier messages, unless it must not", async () => {
  const message = utf8("The same again, and nothing that repeats in itself?");
  for (const serverNoContextTakeover of [false, true]) {
    const agreement = { ...AGREEMENT, serverNoContextTakeover };
    const deflater = new Deflater(agreement, DEFAULT_COMPRESSION_OPTIONS);
    const first = await compress(deflater, message);
    const second = await compress(deflater, message);
    if (serverNoContextTakeover) assertEquals(second, first);
    else assertLess(second.length, first.length / 2);
    deflater.close();
  }
});

Deno.test("Inflater knows nothing of earlier messages if there is no context", async () => {
  using client = new DeflatingClient(); // It breaks its promise.
  const inflater = new Inflater({
    ...AGREEMENT,
    clientNoContextTakeover: true,
  });
  const message = utf8("This will be referred to, and cannot be found");
  await decompress(inflater, [await client.compress(message)]);
  const payload = await client.compress(message);
  const error = await assertRejects(
    () => decompress(inflater, [payload]),
    WebSocketError,
    "bad data",
  );
  assertEquals(error.code, 1007);
  inflater.close();
});

Deno.test("Inflater takes the examples of the RFC", async () => {
  const examples: string[][] = [
    ["f2 48 cd c9 c9 07 00"],
    ["f2 48 cd", "c9 c9 07 00"],
    // A block without compression; one that says it is the last; two blocks.
    ["00 05 00 fa ff 48 65 6c 6c 6f 00"],
    ["f3 48 cd c9 c9 07 00 00"],
    ["f2 48 05 00 00 00 ff ff ca c9 c9 07 00"],
  ];
  for (const parts of examples) {
    const inflater = new Inflater(AGREEMENT);
    const message = await decompress(inflater, parts.map(hex));
    assertEquals(message, utf8("Hello"), `${parts}`);
    inflater.close();
  }
  const inflater = new Inflater(AGREEMENT);
  await decompress(inflater, [hex("f2 48 cd c9 c9 07 00")]);
  const again = await decompress(inflater, [hex("f2 00 11 00 00")]);
  assertEquals(again, utf8("Hello"));
  inflater.close();
});

Deno.test("Inflater loses nothing of what is made in turns", async () => {
  const inflater = new Inflater(AGREEMENT);
  using client = new DeflatingClient();
  const kib = 1024;
  for (const size of [255, 256, 257, 280, 300, 319, 320, 321, 1024, 1100]) {
    const message = new Random(size).bytes(1000);
    const long = concat(Array<Uint8Array>(kib * size / 1000 | 0).fill(message));
    const payload = await client.compress(long);
    assertEquals(await decompress(inflater, [payload]), long);
  }
  inflater.close();
});

Deno.test("Inflater goes on after a block that says it is the last", async () => {
  const inflater = new Inflater(AGREEMENT);
  const last = hex("f3 48 cd c9 c9 07 00");
  const normal = hex("f2 48 cd c9 c9 07 00");
  const twice = await decompress(inflater, [concat([last, normal])]);
  assertEquals(twice, utf8("HelloHello"));
  assertEquals(await decompress(inflater, [last, normal]), twice);
  // Its end and the end of a part fall together, and the next message comes.
  assertEquals(await decompress(inflater, [last, hex("00")]), utf8("Hello"));
  assertEquals(await decompress(inflater, [normal]), utf8("Hello"));
  inflater.close();
});

Deno.test("Inflater refuses a message that is all last blocks", async () => {
  const inflater = new Inflater(AGREEMENT);
  const empty = hex("03 00"); // An empty block that says it is the last.
  const error = await assertRejects(
    () => decompress(inflater, [concat(Array(1000).fill(empty))]),
    WebSocketError,
    "bad data",
  );
  assertEquals(error.code, 1007);
  inflater.close();
});

Deno.test("Inflater refuses what is not compressed, with 1007", async () => {
  for (
    const payload of ["ff ff ff", "06", "00 05 00 00 00"]
  ) {
    const inflater = new Inflater(AGREEMENT);
    const error = await assertRejects(
      () => decompress(inflater, [hex(payload)]),
      WebSocketError,
      "bad data",
      payload,
    );
    assertEquals(error.code, 1007, payload);
    inflater.close();
  }
});

Deno.test("Inflater stops when its taker has had enough", async () => {
  const bomb = deflateRawSync(new Uint8Array(50 * 2 ** 20));
  const inflater = new Inflater(AGREEMENT);
  let taken = 0;
  const enough = new Error("Enough");
  const inflated = inflater.inflate(bomb, true, (chunk) => {
    taken += chunk.length;
    if (taken > 100_000) throw enough;
  });
  assertEquals(await inflated.catch((error) => error), enough);
  assert(taken <= 100_000 + 4096, `${taken} bytes`);
  inflater.close();
});

Deno.test("Inflater and Deflater can be closed at any time", async () => {
  const inflater = new Inflater(AGREEMENT);
  const deflater = new Deflater(AGREEMENT, DEFAULT_COMPRESSION_OPTIONS);
  const pending = [
    inflater.inflate(deflateRawSync(new Uint8Array(10 ** 6)), true, () => {}),
    deflater.deflate(new Uint8Array(10 ** 6)),
  ];
  inflater.close();
  deflater.close();
  for (const promise of pending) {
    await assertRejects(() => promise, WebSocketError, "closed");
  }
  inflater.close();
  deflater.close();
  await assertRejects(() => deflater.deflate(utf8("a")), WebSocketError);
  await assertRejects(
    () => inflater.inflate(utf8("a"), true, () => {}),
    WebSocketError,
  );
  new Inflater(AGREEMENT).close();
});
