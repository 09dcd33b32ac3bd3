// A connection of the operating system, over sockets of the loopback interface:
// reading on demand, writing all of what is asked, half closes, deadlines, and
// a close that frees everything.

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { toText } from "@std/streams";
import { Connection, type SocketConn } from "../../src/net/connection.ts";
import { DeadlineClock } from "../../src/net/deadlines.ts";
import { TlsTerminator } from "../../src/net/tls_socket.ts";
import { createCertificate } from "../e2e/_certificates.ts";
import { connectAndReset, reset } from "../e2e/_reset.ts";
import { bounded, netTest, pause } from "../e2e/_testing.ts";

const LARGE = 16 * 1024 * 1024;
const CERTIFICATE = await createCertificate();

connectionTest(
  "readable gives what the peer sends, and ends with it",
  async (connect) => {
    using pair = await connect();
    await pair.peer.write(bytesOf("Hello"));
    pair.peer.close();
    assertEquals(await toText(pair.connection.readable), "Hello");
  },
);

connectionTest(
  "readable gives many small pieces, one after the other",
  async (connect) => {
    using pair = await connect();
    const reader = pair.connection.readable.getReader();
    for (let i = 0; i < 2000; i++) {
      await pair.peer.write(bytesOf(`piece ${i}`));
      const { value } = await reader.read();
      assertEquals(new TextDecoder().decode(value), `piece ${i}`);
    }
  },
);

connectionTest("readable gives all of a large transfer", async (connect) => {
  using pair = await connect();
  const sent = pattern(LARGE);
  const sending = writeAll(pair.peer, sent).then(() => pair.peer.closeWrite());
  let at = 0;
  for await (const chunk of pair.connection.readable) {
    assertEquals(chunk, sent.slice(at, at + chunk.length));
    at += chunk.length;
  }
  await sending;
  assertEquals(at, LARGE);
});

connectionTest("nothing is read before it is asked for", async (connect) => {
  using pair = await connect();
  let sent = 0;
  const sending = writeAll(pair.peer, new Uint8Array(LARGE), (length) => {
    sent = length;
  });
  for (let last = -1; last !== sent;) {
    last = sent;
    await pause(100);
  }
  assertEquals(sent < LARGE, true);
  let read = 0;
  const reader = pair.connection.readable.getReader();
  while (read < LARGE) read += (await reader.read()).value!.length;
  await sending;
});

connectionTest(
  "what is written after the peer's end arrives",
  async (connect) => {
    using pair = await connect();
    await pair.peer.closeWrite();
    assertEquals(await toText(pair.connection.readable), "");
    await pair.connection.write(bytesOf("Goodbye"));
    pair.connection.close();
    assertEquals(await readAll(pair.peer), "Goodbye");
  },
);

connectionTest("write writes all of what it is given", async (connect) => {
  using pair = await connect();
  const sent = pattern(LARGE);
  const writing = pair.connection.write(sent);
  const received = new Uint8Array(LARGE);
  for (let at = 0; at < LARGE;) {
    at += (await pair.peer.read(received.subarray(at)))!;
  }
  await writing;
  assertEquals(indexOfDifference(received, sent), -1);
});

connectionTest("write of nothing resolves", async (connect) => {
  using pair = await connect();
  await pair.connection.write(new Uint8Array(0));
});

connectionTest(
  "closeWrite ends what the peer reads, and reading goes on",
  async (connect) => {
    using pair = await connect();
    await pair.connection.write(bytesOf("last"));
    await pair.connection.closeWrite();
    assertEquals(await readAll(pair.peer), "last");
    await pair.peer.write(bytesOf("reply"));
    await pair.peer.closeWrite();
    assertEquals(await toText(pair.connection.readable), "reply");
  },
);

connectionTest("write rejects when the peer is gone", async (connect) => {
  using pair = await connect();
  pair.peer.close();
  await assertRejects(async () => {
    for (;;) await pair.connection.write(new Uint8Array(64 * 1024));
  }, Error);
});

netTest("readable errors when the peer resets the connection", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const resetting = reset(listener.addr.port, "Hello");
  const connection = wrap(await listener.accept(), new DeadlineClock(5));
  const reader = connection.readable.getReader();
  assertEquals((await reader.read()).value, bytesOf("Hello"));
  await connection.write(bytesOf("answer"));
  await assertRejects(() => reader.read(), Deno.errors.ConnectionReset);
  await resetting;
  connection.close();
});

netTest("a connection can be lost before its options are set", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const resetting = connectAndReset(listener.addr.port);
  const conn = await listener.accept().catch(() => undefined);
  await resetting;
  if (conn === undefined) return; // This system says so by accept.
  // As macOS does, of a connection that was reset.
  conn.setNoDelay = () => {
    throw new Error("Invalid argument (os error 22)");
  };
  const connection = wrap(conn, new DeadlineClock(5));
  const reader = connection.readable.getReader();
  await assertRejects(() => reader.read(), Deno.errors.ConnectionReset);
  connection.close();
});

connectionTest(
  "a write without progress is cut at its deadline",
  async (connect) => {
    using pair = await connect({ writeTimeout: 30 });
    await assertRejects(
      () => pair.connection.write(new Uint8Array(4 * LARGE)),
      Error,
    );
    assertEquals(pair.clock.size, 0);
  },
);

connectionTest("a write that makes progress is not cut", async (connect) => {
  using pair = await connect({ writeTimeout: 500 });
  const writing = pair.connection.write(new Uint8Array(LARGE));
  const target = new Uint8Array(LARGE / 8);
  for (let read = 0; read < LARGE;) {
    read += (await pair.peer.read(target))!;
    await pause(1);
  }
  await writing;
});

connectionTest(
  "the read deadline can end readable with an error",
  async (connect) => {
    using pair = await connect();
    const reader = pair.connection.readable.getReader();
    pair.connection.readDeadline.arm(20, () => {
      pair.connection.endRead(new RangeError("Too late"));
    });
    await assertRejects(() => reader.read(), RangeError, "Too late");
    await pair.connection.write(bytesOf("sorry"));
    pair.connection.close();
    assertEquals(await readAll(pair.peer), "sorry");
  },
);

connectionTest(
  "endRead closes readable though the peer has not",
  async (connect) => {
    using pair = await connect();
    const reader = pair.connection.readable.getReader();
    const read = reader.read();
    pair.connection.endRead();
    pair.connection.endRead(new Error("Only the first call counts"));
    assertEquals((await read).done, true);
    await pair.peer.write(bytesOf("late"));
    assertEquals((await reader.read()).done, true);
  },
);

connectionTest(
  "close ends both directions and lets go of the deadlines",
  async (connect) => {
    using pair = await connect();
    assertEquals(pair.clock.size > 0, true);
    const reader = pair.connection.readable.getReader();
    const read = reader.read();
    pair.connection.close();
    pair.connection.close();
    await assertRejects(() => read, Deno.errors.Interrupted, "was closed");
    assertEquals(await readAll(pair.peer), "");
    assertEquals(pair.clock.size, 0);
  },
);

connectionTest("close rejects a write that waits", async (connect) => {
  using pair = await connect();
  const writing = pair.connection.write(new Uint8Array(4 * LARGE))
    .then(() => undefined, (error) => error);
  await pause(50);
  pair.connection.close();
  assertInstanceOf(await bounded(writing, "the write"), Error);
});

connectionTest("cancelling readable closes the connection", async (connect) => {
  using pair = await connect();
  await pair.connection.readable.cancel();
  assertEquals(await readAll(pair.peer), "");
  assertEquals(pair.clock.size, 0);
});

connectionTest(
  "a connection knows both addresses, also once it is closed",
  async (connect) => {
    using pair = await connect();
    pair.connection.close();
    const { localAddr, remoteAddr } = pair.connection;
    assertEquals(localAddr, pair.peer.remoteAddr);
    assertEquals(remoteAddr, pair.peer.localAddr);
  },
);

netTest(
  "a close is clean when all was read that has come, in clear",
  async () => {
    using pair = await connect(connectInClear);
    const { connection, peer } = pair;
    const reader = connection.readable.getReader();
    const seen: boolean[] = [];
    async function read(length: number): Promise<void> {
      await peer.write(new Uint8Array(length));
      const reading = reader.read();
      seen.push(connection.closesCleanly);
      await reading;
      seen.push(connection.closesCleanly);
    }
    await read(100);
    assertEquals(seen.splice(0), [false, true]);
    // There may be more than the buffer had room for.
    await read(512);
    assertEquals(seen.splice(0), [false, false]);
    await read(100);
    assertEquals(seen.splice(0), [false, true]);
  },
);

netTest("a close over TLS is not clean", async () => {
  using pair = await connect(connectOverTls);
  const reader = pair.connection.readable.getReader();
  await pair.peer.write(new Uint8Array(100));
  await reader.read();
  assertEquals(pair.connection.closesCleanly, false);
});

netTest("a unix socket is a connection too", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/socket`;
  try {
    using listener = Deno.listen({ transport: "unix", path });
    using peer = await Deno.connect({ transport: "unix", path });
    const connection = wrap(await listener.accept(), new DeadlineClock(5));
    await connection.write(bytesOf("Hello"));
    connection.close();
    assertEquals(await readAll(peer), "Hello");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, {
  permissions: ["read", "write"],
  lacks: Deno.build.os === "windows"
    ? "Windows has no unix sockets"
    : undefined,
});

/** Both ends of a connection. */
interface Pair extends Disposable {
  readonly connection: Connection;
  readonly peer: Deno.Conn;
  readonly clock: DeadlineClock;
}

/** Makes a connection in clear, or over TLS. */
type Connect = (options?: { writeTimeout?: number }) => Promise<Pair>;

/** Declares a test of a connection in clear, and of one over TLS. */
function connectionTest(
  name: string,
  fn: (connect: Connect) => Promise<void>,
): void {
  netTest(name, () => fn((options) => connect(connectInClear, options)));
  netTest(`${name}, over TLS`, () => {
    return fn((options) => connect(connectOverTls, options));
  });
}

/** Makes both ends of what a connection is made of. */
type ConnectSockets = () => Promise<readonly [Deno.Conn, SocketConn]>;

async function connect(
  connectSockets: ConnectSockets,
  { writeTimeout = Infinity } = {},
): Promise<Pair> {
  const [peer, conn] = await connectSockets();
  const clock = new DeadlineClock(5);
  const connection = wrap(conn, clock, writeTimeout);
  return {
    connection,
    peer,
    clock,
    [Symbol.dispose](): void {
      connection.close();
      peer[Symbol.dispose]();
    },
  };
}

async function connectInClear(): Promise<readonly [Deno.Conn, Deno.Conn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
}

async function connectOverTls(): Promise<readonly [Deno.Conn, SocketConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const caCerts = [CERTIFICATE.cert];
  const [peer, conn] = await Promise.all([
    Deno.connectTls({ hostname: "127.0.0.1", port, caCerts }),
    listener.accept(),
  ]);
  const terminator = new TlsTerminator(CERTIFICATE, {
    alpn: ["http/1.1"],
    minVersion: "TLSv1.2",
  });
  const [secure] = await Promise.all([
    terminator.handshake(conn),
    peer.handshake(),
  ]);
  return [peer, secure];
}

function wrap(
  conn: SocketConn,
  clock: DeadlineClock,
  writeTimeout = Infinity,
): Connection {
  return new Connection(conn, { clock, writeTimeout });
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes that repeat nowhere near by. */
function pattern(length: number): Uint8Array {
  const words = new Uint32Array(length / 4);
  for (let i = 0; i < words.length; i++) words[i] = i * 2_654_435_761;
  return new Uint8Array(words.buffer);
}

function indexOfDifference(a: Uint8Array, b: Uint8Array): number {
  return a.findIndex((byte, index) => byte !== b[index]);
}

async function readAll(conn: Deno.Conn): Promise<string> {
  let text = "";
  const chunk = new Uint8Array(1024);
  for (let length; (length = await conn.read(chunk)) !== null;) {
    text += new TextDecoder().decode(chunk.subarray(0, length));
  }
  return text;
}

async function writeAll(
  conn: Deno.Conn,
  bytes: Uint8Array,
  onWritten: (total: number) => void = () => {},
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at, at + 64 * 1024));
    onWritten(at);
  }
}
