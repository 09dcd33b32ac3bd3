// QUIC connections and their streams: back pressure, ends, resets, and what is
// kept while it is open. The client is Deno's own.

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { handled } from "../../src/streams/handled.ts";
import { bounded, netTest, pause, until } from "../e2e/_testing.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { connectPair, listenQuic, readAll, sendAll } from "./_quic.ts";
import type { ConnectedPair } from "./_quic.ts";
import type { QuicStream } from "../../src/net/quic_connection.ts";

const MIB = 1024 * 1024;
/** What a peer may send into a stream that is not read, and then some. */
const BEYOND_WINDOW = 4 * MIB;

/** A stream of the client with some bytes in it, at both of its ends. */
async function openStream(
  { client, connection }: ConnectedPair,
): Promise<{ near: QuicStream; far: Deno.QuicBidirectionalStream }> {
  const far = await client.createBidirectionalStream();
  const writer = far.writable.getWriter();
  await writer.write(new Uint8Array([1]));
  writer.releaseLock();
  const near = (await connection.acceptStream())!;
  return { near, far };
}

/** Writes until that fails. */
async function writeOn(
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<never> {
  for (;;) {
    await write(new Uint8Array([1]));
    await pause(1);
  }
}

/** Collects garbage, for as long as something could still be. */
async function collectGarbage(): Promise<void> {
  const { gc } = globalThis as { gc?: () => void };
  assert(gc, "run Deno with --v8-flags=--expose-gc");
  for (let turn = 0; turn < 5; turn++) {
    gc();
    await pause(10);
  }
}

withUnstableNet(import.meta.url, () => {
  netTest("content of any size arrives whole, both ways", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    const { near, far } = await openStream(pair);
    const content = new Uint8Array(3 * MIB).map((_, index) => index % 251);
    const [received] = await Promise.all([
      readAll(near.readable),
      sendAll(far.writable, content),
    ]);
    assertEquals(received.length, content.length + 1);
    assertEquals(received.subarray(1), content);
    const answer = readAll(far.readable);
    await near.write(content);
    await near.closeWrite();
    assertEquals(await answer, content);
  });

  netTest("a client waits for who does not read", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    const { near, far } = await openStream(pair);
    let sent = 0;
    const sending = (async () => {
      const writer = far.writable.getWriter();
      const piece = new Uint8Array(64 * 1024);
      while (sent < BEYOND_WINDOW) {
        await writer.write(piece);
        sent += piece.length;
      }
      await writer.close();
    })();
    let before = -1;
    while (sent !== before) {
      before = sent;
      await pause(100);
    }
    assert(sent < BEYOND_WINDOW, `The client has sent ${sent} bytes`);
    assertEquals((await readAll(near.readable)).length, BEYOND_WINDOW + 1);
    await sending;
  });

  netTest("a write waits for who does not read", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    const { near, far } = await openStream(pair);
    let written = false;
    const writing = near.write(new Uint8Array(BEYOND_WINDOW))
      .then(() => written = true);
    await pause(200);
    assertEquals(written, false);
    const reader = far.readable.getReader();
    for (let read = 0; read < BEYOND_WINDOW;) {
      read += (await reader.read()).value!.length;
    }
    await writing;
  });

  netTest("a stream that was cancelled stops its client", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    const { near, far } = await openStream(pair);
    await near.readable.cancel();
    const writer = far.writable.getWriter();
    handled(writer.closed);
    await assertRejects(() => writeOn((bytes) => writer.write(bytes)));
    // The other direction goes on.
    await near.write(new Uint8Array([2]));
    await near.closeWrite();
    assertEquals(await readAll(far.readable), new Uint8Array([2]));
  });

  netTest("a client that stops a stream fails the writes", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    const { near, far } = await openStream(pair);
    await far.readable.cancel();
    await assertRejects(() => writeOn((bytes) => near.write(bytes)));
    await assertRejects(() => near.closeWrite());
  });

  netTest("streams in one direction, both ways", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    const { client, connection } = pair;
    const sent = await client.createUnidirectionalStream();
    await sendAll(sent, new Uint8Array([1]));
    const received = (await connection.acceptUnidirectional())!;
    assertEquals(received.id, 2);
    assertEquals(await readAll(received.readable), new Uint8Array([1]));
    const opened = await connection.openUnidirectional();
    assertEquals(opened.id, 3);
    opened.sendOrder = 7;
    assertEquals(opened.sendOrder, 7);
    await opened.write(new Uint8Array([2]));
    await opened.closeWrite();
    const reader = client.incomingUnidirectionalStreams.getReader();
    const { value } = await reader.read();
    assertEquals(await readAll(value!), new Uint8Array([2]));
  });

  netTest("streams that are open outlive a garbage collection", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    const { client, connection } = pair;
    await (await connection.openUnidirectional()).write(new Uint8Array([1]));
    const { far } = await openStream(pair);
    const reader = client.incomingUnidirectionalStreams.getReader();
    const ends = [far.readable, (await reader.read()).value!].map((each) => {
      return readAll(each).then(() => "ended", () => "closed");
    });
    await collectGarbage();
    // It is at the close of the connection that they end.
    const ended = await Promise.race([...ends, pause(200)]);
    assertEquals(ended, undefined);
    connection.close(0, "");
    assertEquals(await Promise.all(ends), ["closed", "closed"]);
  });

  netTest("streams that are over make room for others", async () => {
    using listening = listenQuic({ maxConcurrentStreams: 1 });
    using pair = await connectPair(listening);
    for (let index = 0; index < 5; index++) {
      const far = await pair.client.createBidirectionalStream({
        waitUntilAvailable: true,
      });
      await sendAll(far.writable, new Uint8Array([index]));
      const near = (await pair.connection.acceptStream())!;
      assertEquals(near.id, 4 * index);
      assertEquals(await readAll(near.readable), new Uint8Array([index]));
      await near.closeWrite();
      await readAll(far.readable);
    }
  });

  netTest("a close says who has closed, and why", async () => {
    using listening = listenQuic();
    const first = await connectPair(listening);
    first.client.close({ closeCode: 0x10c, reason: "enough" });
    const byClient = { code: 0x10c, reason: "enough" };
    assertEquals(await first.connection.closed, byClient);
    assertEquals(await first.connection.acceptStream(), undefined);
    assertEquals(await first.connection.acceptUnidirectional(), undefined);
    assertEquals(first.connection.remoteAddr.hostname, "127.0.0.1");

    using second = await connectPair(listening);
    second.connection.close(0x102, "failed");
    second.connection.close(0x100, "later");
    const byServer = { code: 0x102, reason: "failed" };
    assertEquals(await second.connection.closed, byServer);
    const { closeCode, reason } = await second.client.closed;
    assertEquals({ code: closeCode, reason }, byServer);
    assertEquals(second.connection.remoteAddr.hostname, "127.0.0.1");
  });

  netTest("a connection without packets is lost", async () => {
    using listening = listenQuic({ idleTimeout: 200 });
    using pair = await connectPair(listening);
    const { code, reason } = await pair.connection.closed;
    assertEquals(code, undefined);
    assertEquals(reason, "timed out");
    assertEquals(await pair.connection.acceptStream(), undefined);
  });

  netTest("what waits on a connection ends with it", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    const { near } = await openStream(pair);
    const reader = near.readable.getReader();
    await reader.read();
    const reading = assertRejects(() => reader.read());
    const writing = assertRejects(() =>
      near.write(new Uint8Array(BEYOND_WINDOW))
    );
    const accepting = pair.connection.acceptStream();
    pair.client.close({ closeCode: 0, reason: "" });
    await bounded(Promise.all([reading, writing]), "reads and writes");
    assertEquals(await accepting, undefined);
    await assertRejects(() => pair.connection.openUnidirectional());
  });

  netTest(
    "streams that nobody has accepted end with their connection",
    async () => {
      using listening = listenQuic();
      const { client, connection } = await connectPair(listening);
      await sendAll(
        (await client.createBidirectionalStream()).writable,
        new Uint8Array([1]),
      );
      await sendAll(
        await client.createUnidirectionalStream(),
        new Uint8Array([1]),
      );
      await pause(50); // Deno accepts one ahead.
      client.close();
      await connection.closed;
      await pause(50);
      assertEquals(await connection.acceptStream(), undefined);
      assertEquals(await connection.acceptUnidirectional(), undefined);
    },
  );

  netTest("bytes are counted, and addresses known", async () => {
    const meter = { bytesReceived: 0, bytesSent: 0, writeTimeouts: 0 };
    using listening = listenQuic({ meter });
    using pair = await connectPair(listening);
    const { near, far } = await openStream(pair);
    await sendAll(far.writable, new Uint8Array(4));
    await readAll(near.readable);
    await near.write(new Uint8Array(7));
    await near.closeWrite();
    assertEquals(meter.bytesReceived, 5);
    assertEquals(meter.bytesSent, 7);
    const { localAddr, remoteAddr } = pair.connection;
    assertEquals(localAddr.port, listening.port);
    assertNotEquals(remoteAddr.port, listening.port);
  });

  netTest("deadlines come from the clock of all connections", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    using deadline = pair.connection.createDeadline();
    let expired = false;
    deadline.arm(1, () => expired = true);
    await until(() => expired);
  });
});
