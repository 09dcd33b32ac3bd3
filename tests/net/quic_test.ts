// The QUIC listener: which connections it accepts, which it refuses, and what a
// failed handshake and a new certificate change. The client is Deno's own.

import { assertEquals, assertRejects } from "@std/assert";
import { netTest, pause, until } from "../e2e/_testing.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { Random } from "../websocket/_random.ts";
import {
  accept,
  connectPair,
  connectQuic,
  listenQuic,
  ONE,
  readAll,
  sendAll,
  TWO,
} from "./_quic.ts";

withUnstableNet(import.meta.url, () => {
  netTest("a client connects, and has what it sends echoed", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    const stream = await pair.client.createBidirectionalStream();
    await sendAll(stream.writable, new Uint8Array([1, 2, 3]));
    const accepted = (await pair.connection.acceptStream())!;
    assertEquals(accepted.id, 0);
    await accepted.write(await readAll(accepted.readable));
    await accepted.closeWrite();
    assertEquals(await readAll(stream.readable), new Uint8Array([1, 2, 3]));
  });

  netTest("a handshake that fails does not end the loop", async () => {
    using listening = listenQuic();
    await assertRejects(() => connectQuic(listening.port, TWO));
    await assertRejects(() => connectQuic(listening.port, ONE, ["other"]));
    await until(() => listening.failures.length === 2);
    assertEquals(listening.released, 2);
    using _pair = await connectPair(listening);
  });

  netTest("a client is refused where there is no room", async () => {
    let room = false;
    using listening = listenQuic({}, () => room);
    await assertRejects(() => connectQuic(listening.port), Error, "refused");
    room = true;
    using _pair = await connectPair(listening);
  });

  netTest("handshakes do not wait for each other", async () => {
    const first = Promise.withResolvers<boolean>();
    const answers = [first.promise, true];
    using listening = listenQuic({}, () => answers.shift()!);
    const waiting = connectQuic(listening.port);
    await until(() => answers.length === 1);
    using _pair = await connectPair(listening);
    first.resolve(true);
    await accept(listening);
    (await waiting).close();
  });

  netTest("past the bound of handshakes, clients get no answer", async () => {
    const room = Promise.withResolvers<boolean>();
    let asked = 0;
    const reserve = () => {
      asked++;
      return room.promise;
    };
    using listening = listenQuic({ maxPendingHandshakes: 2 }, reserve);
    const clients = [1, 2, 3].map(() => connectQuic(listening.port));
    await until(() => asked >= 2);
    await pause(100);
    assertEquals(asked, 2);
    // The third tries again until the two are through.
    room.resolve(true);
    for (const client of await Promise.all(clients)) client.close();
    assertEquals(asked, 3);
  });

  netTest("datagrams that are no QUIC change nothing", async () => {
    using listening = listenQuic();
    const random = new Random(1);
    const socket = Deno.listenDatagram({
      transport: "udp",
      hostname: "127.0.0.1",
      port: 0,
    });
    const to = {
      transport: "udp",
      hostname: "127.0.0.1",
      port: listening.port,
    } as const;
    for (let index = 0; index < 1000; index++) {
      const datagram = random.bytes(random.integer(6, 1400));
      // Every other one looks like the first packet of a connection.
      if (index % 2 === 0) datagram.set([0xc0, 0, 0, 0, 1, 8]);
      await socket.send(datagram, to);
    }
    socket.close();
    using _pair = await connectPair(listening);
    assertEquals(listening.failures, []);
  });

  netTest("a client has only so many streams", async () => {
    using listening = listenQuic({ maxConcurrentStreams: 2 });
    using pair = await connectPair(listening);
    const { client } = pair;
    await client.createBidirectionalStream();
    await client.createBidirectionalStream();
    await assertRejects(() => client.createBidirectionalStream(), RangeError);
  });

  netTest("who comes later can be refused", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    listening.listener.refuse();
    await assertRejects(() => connectQuic(listening.port), Error, "refused");
    const stream = await pair.client.createBidirectionalStream();
    await sendAll(stream.writable, new Uint8Array([1]));
    const accepted = (await pair.connection.acceptStream())!;
    assertEquals(await readAll(accepted.readable), new Uint8Array([1]));
    await accepted.closeWrite();
  });

  netTest("a close reaches clients with its code", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    listening.listener.close(0x100);
    await listening.over;
    assertEquals((await pair.client.closed).closeCode, 0x100);
    assertEquals(await pair.connection.acceptStream(), undefined);
    listening.listener.close(0x100);
  });

  netTest("a new certificate is for later connections", async () => {
    using listening = listenQuic();
    using pair = await connectPair(listening);
    listening.listener.reload(TWO);
    await assertRejects(() => connectQuic(listening.port, ONE));
    for (let index = 0; index < 3; index++) {
      const client = await connectQuic(listening.port, TWO);
      await accept(listening);
      client.close();
    }
    const stream = await pair.client.createBidirectionalStream();
    await sendAll(stream.writable, new Uint8Array([1]));
    assertEquals((await pair.connection.acceptStream())!.id, 0);
  });
});
