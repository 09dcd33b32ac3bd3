/**
 * A client that takes all it can get of a server. It says when it begins, and
 * goes on until it is killed, or until its standard input ends.
 *
 *     deno run --allow-net attacker.ts PORT NAME
 *
 * @module
 */

const BATCH_BYTES = 64 * 1024;
const UPLOADS = 4;
const DOWNLOADS = 300;
const ENDLESS = 2 ** 40;
const RETRY_MS = 50;
const TEXT = 0x81;
const PING = 0x89;
const MASKED = 0x80;

const encoder = new TextEncoder();
const UPGRADE = encoder.encode(
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" +
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
);
const GET = requestHead("GET /");
const DOWNLOAD = requestHead("GET /download");
const UPLOAD = requestHead("POST /upload", `Content-Length: ${ENDLESS}`);
const CHUNKED = requestHead("POST /upload", "Transfer-Encoding: chunked");
const CHUNK = encoder.encode("1\r\nx\r\n");

/** A way to keep a server busy. */
export interface Attack {
  /** What the clients do. */
  readonly title: string;
  /** Whether it needs WebSocket. */
  readonly webSocket?: boolean;
  /** Goes on until a connection is closed, and then rejects. */
  run(port: number): Promise<unknown>;
}

/** All of them, by their names. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  uploads: {
    title: `${UPLOADS} uploads`,
    run: (port) =>
      times(UPLOADS, () => flood(port, UPLOAD, new Uint8Array(BATCH_BYTES))),
  },
  chunks: {
    title: "one upload in chunks of 1 byte",
    run: (port) => flood(port, CHUNKED, repeated(CHUNK)),
  },
  messages: {
    title: "one WebSocket with messages of 1 byte",
    webSocket: true,
    run: (port) => flood(port, UPGRADE, repeated(frame(TEXT))),
  },
  pings: {
    title: "one WebSocket with pings",
    webSocket: true,
    run: (port) => flood(port, UPGRADE, repeated(frame(PING))),
  },
  pipelining: {
    title: "one connection with pipelined requests",
    run: (port) => flood(port, GET, repeated(GET)),
  },
  downloads: {
    title: `${DOWNLOADS} downloads at full speed`,
    run: (port) => times(DOWNLOADS, () => flood(port, DOWNLOAD, DOWNLOAD)),
  },
  unread: {
    title: `${DOWNLOADS} downloads that nobody reads`,
    run: (port) => times(DOWNLOADS, () => leaveUnread(port)),
  },
};

function requestHead(request: string, field = "Accept: */*"): Uint8Array {
  return encoder.encode(
    `${request} HTTP/1.1\r\nHost: localhost\r\n${field}\r\n\r\n`,
  );
}

/** A frame of one byte, with a key of zeros. */
function frame(flags: number): Uint8Array {
  return Uint8Array.of(flags, MASKED | 1, 0, 0, 0, 0, 0x78);
}

/** As many copies as fit in a batch. */
function repeated(bytes: Uint8Array): Uint8Array {
  const count = Math.floor(BATCH_BYTES / bytes.length);
  const batch = new Uint8Array(count * bytes.length);
  for (let i = 0; i < count; i++) batch.set(bytes, i * bytes.length);
  return batch;
}

function times(count: number, run: () => Promise<never>): Promise<never[]> {
  return Promise.all(Array.from({ length: count }, run));
}

/** Writes a head, and then one batch after the other; reads all answers. */
async function flood(
  port: number,
  head: Uint8Array,
  batch: Uint8Array,
): Promise<never> {
  using conn = await connect(port);
  return await Promise.race([writeEndlessly(conn, head, batch), drop(conn)]);
}

async function writeEndlessly(
  conn: Deno.Conn,
  head: Uint8Array,
  batch: Uint8Array,
): Promise<never> {
  await write(conn, head);
  for (;;) await write(conn, batch);
}

async function write(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** Reads and drops all that comes; rejects at its end. */
async function drop(conn: Deno.Conn): Promise<never> {
  const buffer = new Uint8Array(BATCH_BYTES);
  while (await conn.read(buffer) !== null);
  throw new Deno.errors.UnexpectedEof();
}

/** Asks for much, and reads nothing of it. */
async function leaveUnread(port: number): Promise<never> {
  using conn = await connect(port);
  await write(conn, DOWNLOAD);
  return await new Promise(() => {});
}

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Attacks again and again. */
async function attack({ run }: Attack, port: number): Promise<never> {
  for (;;) {
    try {
      await run(port);
    } catch {
      // A connection was closed, and all others with it when this ends.
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Reads standard input to its end. */
async function endOfInput(): Promise<void> {
  while (await Deno.stdin.read(new Uint8Array(1)) !== null);
}

if (import.meta.main) {
  const [port, name] = Deno.args;
  console.log(name);
  await Promise.race([attack(ATTACKS[name], Number(port)), endOfInput()]);
  Deno.exit();
}
