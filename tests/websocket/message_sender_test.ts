// Messages on their way into frames: their order while some are compressed, and
// what may be changed once they were sent. What the frames hold is tested with the
// connection.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { negotiateDeflate } from "../../src/websocket/deflate_offer.ts";
import { parseExtensions } from "../../src/websocket/extensions.ts";
import { MessageSender } from "../../src/websocket/message_sender.ts";
import { DEFAULT_COMPRESSION_OPTIONS } from "../../src/websocket/options.ts";
import { Outbox } from "../../src/websocket/outbox.ts";
import { MemoryStream } from "./_connected.ts";
import { BINARY, TEXT, utf8 } from "./_frames.ts";
import { DeflatingClient } from "./_deflating_client.ts";

/** A sender, and the client that gets what it sends. */
function createSender({ compressed }: { compressed: boolean }) {
  const client = new MemoryStream();
  const messages = { isEmpty: true };
  const outbox = new Outbox(client, { messages, onLost() {} });
  const offers = parseExtensions("permessage-deflate")!;
  const agreement = compressed
    ? negotiateDeflate(offers, DEFAULT_COMPRESSION_OPTIONS)
    : undefined;
  return { client, sender: new MessageSender(outbox, agreement) };
}

const LONG_TEXT = "many words, again and again; ".repeat(100);

Deno.test("Messages and frames leave in the order in which they were sent", async () => {
  for (const compressed of [true, false]) {
    const { client, sender } = createSender({ compressed });
    await Promise.all([
      sender.send(LONG_TEXT),
      sender.send("short"),
      sender.sendFrame(new Uint8Array([0x89, 0])),
    ]);
    const kinds = client.frames.map(({ opcode, rsv }) => [opcode, rsv]);
    assertEquals(kinds, [[TEXT, compressed ? 4 : 0], [TEXT, 0], [9, 0]]);
    sender.close();
  }
});

Deno.test("How much waits is not known while a message is compressed", async () => {
  const { sender } = createSender({ compressed: true });
  assertEquals(sender.waiting, 0);
  const sent = sender.send(LONG_TEXT);
  assertEquals(sender.waiting, Infinity);
  await sent;
  assertEquals(sender.waiting, 0);
  sender.close();
});

Deno.test("Bytes of up to 64 KiB may be changed once send has returned", async () => {
  for (const compressed of [true, false]) {
    const { client, sender } = createSender({ compressed });
    client.hold();
    const bytes = utf8(LONG_TEXT);
    const sends = [sender.send(bytes), sender.send(bytes)];
    bytes.fill(0);
    client.release();
    await Promise.all(sends);
    const deflating = new DeflatingClient();
    for (const { opcode, payload } of client.frames) {
      assertEquals(opcode, BINARY);
      const content = compressed
        ? await deflating.decompress(payload)
        : payload;
      assertEquals(content, utf8(LONG_TEXT));
    }
    sender.close();
  }
});

Deno.test("Short messages, and those that should not be, are not compressed", async () => {
  const { client, sender } = createSender({ compressed: true });
  await sender.send("short");
  await sender.send(LONG_TEXT, { compress: false });
  assert(client.frames.every(({ rsv }) => rsv === 0));
  sender.close();
});

Deno.test("A message that is being compressed when all ends is lost", async () => {
  const { sender } = createSender({ compressed: true });
  const sent = sender.send(LONG_TEXT);
  sender.close();
  await assertRejects(() => sent);
});
