// TLS on a connection of our own: what leaves in which writes, how handshakes
// fail, and clients that end TLS in a way that they should not.

import { assertEquals, assertRejects } from "@std/assert";
import type { SocketConn } from "../../src/net/connection.ts";
import { TlsTerminator } from "../../src/net/tls_socket.ts";
import { createCertificate } from "../e2e/_certificates.ts";
import { netTest } from "../e2e/_testing.ts";

const CERTIFICATE = await createCertificate();
const terminator = new TlsTerminator(CERTIFICATE, {
  alpn: ["http/1.1"],
  minVersion: "TLSv1.2",
});

netTest(
  "each write leaves at once, in one write to the connection",
  async () => {
    await using pair = await handshakes();
    const { server, client, wire } = pair;
    assertEquals(wire.noDelay, true);
    for (const size of [1, 2, 100, 16_000, 40_000]) {
      const before = wire.writes;
      await server.write(new Uint8Array(size));
      assertEquals(wire.writes - before, 1);
    }
    // Nothing was read before: no write has waited for the client.
    await readExactly(client, 56_103);
  },
);

netTest("a write can follow one that the client has answered", async () => {
  await using pair = await handshakes();
  const { server, client, wire } = pair;
  const target = new Uint8Array(10);
  for (let i = 0; i < 20; i++) {
    await client.write(Uint8Array.of(i));
    assertEquals(await server.read(target), 1);
    const before = wire.writes;
    await server.write(target.subarray(0, 1));
    assertEquals(wire.writes - before, 1);
    assertEquals(await readExactly(client, 1), Uint8Array.of(i));
  }
});

netTest("writes that the system takes in parts arrive whole", async () => {
  await using pair = await handshakes({ most: 1000 });
  const { server, client } = pair;
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  const reading = readExactly(client, sent.length);
  for (let at = 0; at < sent.length;) {
    at += await server.write(sent.subarray(at));
  }
  assertEquals(await reading, sent);
});

netTest("what a client sends byte by byte arrives", async () => {
  await using pair = await handshakes({ most: 1 });
  const { server, client } = pair;
  const sent = crypto.getRandomValues(new Uint8Array(20_000));
  await client.write(sent);
  assertEquals(await readExactly(server, sent.length), sent);
});

netTest("records that are longer than what is read into arrive", async () => {
  await using pair = await handshakes();
  const { server, client } = pair;
  const sent = crypto.getRandomValues(new Uint8Array(50_000));
  const writing = writeAll(client, sent);
  const target = new Uint8Array(512);
  const received: number[] = [];
  while (received.length < sent.length) {
    received.push(...target.subarray(0, (await server.read(target))!));
  }
  await writing;
  assertEquals(Uint8Array.from(received), sent);
});

netTest("a client that ends without a word of TLS is at its end", async () => {
  await using pair = await handshakes();
  const { server, client, wire } = pair;
  const target = new Uint8Array(10);
  wire.next = null;
  assertEquals(await server.read(target), null);
  assertEquals(await server.read(target), null);
  await server.write(Uint8Array.of(2));
  assertEquals(await readExactly(client, 1), Uint8Array.of(2));
});

netTest(
  "a client that ends TLS, and not its connection, is at its end",
  async () => {
    await using pair = await handshakes();
    const { server, client, wire } = pair;
    await client.closeWrite();
    const before = wire.reads;
    assertEquals(await server.read(new Uint8Array(512)), null);
    assertEquals(wire.reads - before, 1);
    await server.write(Uint8Array.of(2));
    assertEquals(await readExactly(client, 1), Uint8Array.of(2));
  },
);

netTest(
  "bytes that are no TLS fail what is read, and are answered",
  async () => {
    await using pair = await handshakes();
    const { server, client, wire } = pair;
    const target = new Uint8Array(512);
    wire.next = new Uint8Array(512).fill(0xff);
    await assertRejects(() => server.read(target), Error);
    await assertRejects(() => server.read(target), Error);
    await assertRejects(() => client.read(target), Error, "alert");
  },
);

netTest("a write to a client that is lost fails", async () => {
  await using pair = await handshakes();
  pair.client.close();
  await assertRejects(async () => {
    for (;;) await pair.server.write(new Uint8Array(64 * 1024));
  }, Error);
});

netTest(
  "a write waits for its client, whatever that sends",
  async () => {
    await using pair = await handshakes();
    const { server, client } = pair;
    let written = 0;
    const writing = (async () => {
      for (;;) written += await server.write(new Uint8Array(64 * 1024));
    })().catch(() => {});
    // The client reads nothing, and sends on and on.
    const target = new Uint8Array(10);
    let before = -1;
    for (let calm = 0; calm < 20; before = written) {
      calm = written === before ? calm + 1 : 0;
      await client.write(Uint8Array.of(1));
      await server.read(target);
    }
    before = written;
    for (let i = 0; i < 500; i++) {
      await client.write(Uint8Array.of(1));
      await server.read(target);
    }
    assertEquals(written, before);
    server[Symbol.dispose]();
    await writing;
  },
);

// The protocol that is agreed on.

const both = new TlsTerminator(CERTIFICATE, {
  alpn: ["h2", "http/1.1"],
  minVersion: "TLSv1.2",
});

for (
  const [offered, chosen] of [
    [["h2", "http/1.1"], "h2"],
    [["http/1.1", "h2"], "h2"],
    [["http/1.1"], "http/1.1"],
    [[], null],
  ] as const
) {
  netTest(
    `a client that offers [${offered}] is served ${chosen}`,
    async () => {
      await using pair = await connect({ alpnProtocols: [...offered] });
      const [server] = await Promise.all([
        both.handshake(pair.wire),
        (pair.peer as Deno.TlsConn).handshake(),
      ]);
      assertEquals(server.alpnProtocol, chosen);
      server[Symbol.dispose]();
    },
  );
}

// Handshakes that fail.

netTest("a client in clear gets an alert", async () => {
  await using pair = await connect();
  const { wire, peer } = pair;
  await peer.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await assertRejects(() => terminator.handshake(wire), Error);
  const alert = await readExactly(peer, 7);
  assertEquals(alert[0], 21);
});

netTest("a client that offers other protocols gets an alert", async () => {
  await using pair = await connect({ alpnProtocols: ["h2"] });
  const { wire, peer } = pair;
  const shaking = (peer as Deno.TlsConn).handshake();
  await Promise.all([
    assertRejects(() => terminator.handshake(wire), Error),
    assertRejects(() => shaking, Error, "NoApplicationProtocol"),
  ]);
});

netTest("a client that leaves amid its handshake fails it", async () => {
  await using pair = await connect();
  const { wire, peer } = pair;
  await peer.write(Uint8Array.of(22, 3, 1));
  await peer.closeWrite();
  await assertRejects(
    () => terminator.handshake(wire),
    Deno.errors.UnexpectedEof,
  );
});

netTest("a connection that is closed amid its handshake fails it", async () => {
  await using pair = await connect();
  const shaking = assertRejects(() => terminator.handshake(pair.wire), Error);
  pair.wire[Symbol.dispose]();
  await shaking;
  assertEquals(await pair.peer.read(new Uint8Array(1)), null);
});

/** Both ends of a connection; that of the server can be watched. */
interface Sockets extends AsyncDisposable {
  readonly wire: Wire;
  readonly peer: Deno.Conn;
}

/** Connects in clear, or over TLS if protocols are offered. */
async function connect(
  { alpnProtocols, most }: { alpnProtocols?: string[]; most?: number } = {},
): Promise<Sockets> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = { hostname: "127.0.0.1", port: listener.addr.port };
  const caCerts = [CERTIFICATE.cert];
  const [peer, conn] = await Promise.all([
    alpnProtocols === undefined
      ? Deno.connect(address)
      : Deno.connectTls({ ...address, caCerts, alpnProtocols }),
    listener.accept(),
  ]);
  const wire = new Wire(conn, most);
  return {
    wire,
    peer,
    [Symbol.asyncDispose]() {
      wire[Symbol.dispose]();
      peer[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

/** Both ends of a connection over TLS. */
interface Pair extends AsyncDisposable {
  readonly server: SocketConn;
  readonly client: Deno.Conn;
  readonly wire: Wire;
}

/** Connects over TLS; `most` is how much one read or write takes. */
async function handshakes({ most }: { most?: number } = {}): Promise<Pair> {
  const sockets = await connect({ alpnProtocols: ["http/1.1"], most });
  const { wire, peer } = sockets;
  const [server] = await Promise.all([
    terminator.handshake(wire),
    (peer as Deno.TlsConn).handshake(),
  ]);
  return {
    server,
    client: peer,
    wire,
    async [Symbol.asyncDispose]() {
      server[Symbol.dispose]();
      await sockets[Symbol.asyncDispose]();
    },
  };
}

/** The end of the server below TLS: it counts its reads and writes. */
class Wire implements SocketConn {
  readonly remoteAddr: Deno.Addr;
  readonly localAddr: Deno.Addr;
  /** What the next read gives in place of what the client sends. */
  next: Uint8Array | null | undefined;
  /** How many reads and writes there were. */
  reads = 0;
  writes = 0;
  /** The last setting of Nagle's algorithm. */
  noDelay: boolean | undefined;

  readonly #conn: Deno.TcpConn;
  readonly #most: number;

  constructor(conn: Deno.TcpConn, most = Infinity) {
    this.#conn = conn;
    this.#most = most;
    this.remoteAddr = conn.remoteAddr;
    this.localAddr = conn.localAddr;
  }

  setNoDelay(noDelay: boolean): void {
    this.noDelay = noDelay;
    this.#conn.setNoDelay(noDelay);
  }

  read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    const { next } = this;
    if (next === undefined) {
      return this.#conn.read(into.subarray(0, this.#most));
    }
    this.next = undefined;
    if (next !== null) into.set(next);
    return Promise.resolve(next && next.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    return this.#conn.write(bytes.subarray(0, this.#most));
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  [Symbol.dispose](): void {
    this.#conn[Symbol.dispose]();
  }
}

async function readExactly(
  conn: Pick<Deno.Conn, "read">,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) throw new Error("The connection has ended");
    at += count;
  }
  return bytes;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}
