// The clients of the soak: each kind does one thing, and throws if an answer is
// not what it must be. Well-behaved ones check all that they get; the others
// leave, vanish or misbehave, and it is the watch that finds what they cost.

import { assertEquals } from "@std/assert";
import type { Random } from "../_feeding.ts";
import { RawClient, request, webSocketRequest } from "../e2e/_raw_client.ts";
import { reset } from "../e2e/_reset.ts";
import { pause } from "../e2e/_testing.ts";
import {
  BINARY,
  clientFrame,
  CLOSE,
  closeFrame,
  CONTINUATION,
  PING,
  PONG,
  TEXT,
} from "../websocket/_frames.ts";
import { Checksum, contentOf, MAX_CONTENT_BYTES } from "./content.ts";

/** Where a client connects to. */
export interface Target {
  readonly port: number;
  /** The certificate, where it is TLS. */
  readonly cert?: string;
  /** Whether its processes are replaced: WebSockets may end with 1012. */
  readonly restarts: boolean;
}

/** What one client does, on a connection that is closed after it. */
export type Client = (
  connection: RawClient,
  random: Random,
  target: Target,
) => Promise<void>;

/** Connects to a target. */
export function connect({ port, cert }: Target): Promise<RawClient> {
  return cert === undefined
    ? RawClient.connect(port)
    : RawClient.connectTls(port, cert);
}

const text = new TextDecoder();

/** Several GETs, one after the other, until the server says close. */
async function gets(client: RawClient, random: Random): Promise<void> {
  for (let left = 1 + random.below(20); left > 0; left--) {
    if (await getContent(client, random, 8 * 1024)) return;
  }
}

/** One GET; whether the connection is at its end. */
async function getContent(
  client: RawClient,
  random: Random,
  maxBytes: number,
): Promise<boolean> {
  const seed = random.below(256);
  const length = random.below(maxBytes);
  const route = random.pick(["content", "stream"]);
  await client.get(`/${route}/${seed}/${length}`);
  const { status, headers, body } = await client.readResponse();
  assertEquals(status, 200);
  assertSame(body, seed, length);
  return headers.get("connection") === "close";
}

function assertSame(body: string, seed: number, length: number): void {
  // The strings themselves would make a message of many pages.
  if (body === text.decode(contentOf(seed, length))) return;
  throw new Error(
    `Wrong content of ${body.length} bytes for ${seed}/${length}`,
  );
}

/** Several GETs in one write, whose answers must come in order. */
async function pipelinedGets(client: RawClient, random: Random): Promise<void> {
  const seeds = Array.from(
    { length: 2 + random.below(14) },
    () => random.below(256),
  );
  const length = random.below(2048);
  await client.send(
    seeds.map((seed) => request("GET", `/content/${seed}/${length}`)).join(""),
  );
  for (const seed of seeds) {
    const { headers, body } = await client.readResponse();
    assertSame(body, seed, length);
    if (headers.get("connection") === "close") return;
  }
}

async function head(client: RawClient, random: Random): Promise<void> {
  const length = random.below(1000);
  await client.send(request("HEAD", `/content/1/${length}`));
  const { status, headers } = await client.readResponse({ method: "HEAD" });
  assertEquals(status, 200);
  assertEquals(headers.get("content-length"), String(length));
}

/** A long download, read at once or slowly. */
async function download(client: RawClient, random: Random): Promise<void> {
  const length = random.below(MAX_CONTENT_BYTES);
  await client.get(`/content/9/${length}`);
  await client.readHead();
  const sum = new Checksum();
  const step = random.oneIn(4) ? 8 * 1024 : 256 * 1024;
  for (let left = length; left > 0;) {
    const part = await client.readExactly(Math.min(left, step));
    sum.add(bytesOf(part));
    left -= part.length;
    if (step < 64 * 1024) await pause(2);
  }
  const expected = new Checksum().add(contentOf(9, length));
  assertEquals(String(sum), String(expected));
}

function bytesOf(ascii: string): Uint8Array {
  return new TextEncoder().encode(ascii);
}

/** An upload with a content-length or in chunks, in pieces of any size. */
async function upload(client: RawClient, random: Random): Promise<void> {
  const content = contentOf(random.below(256), random.below(300_000));
  const chunked = random.oneIn(2);
  const expect = random.oneIn(3) ? ["expect: 100-continue"] : [];
  await client.send(
    request(
      "POST",
      "/digest",
      chunked
        ? "transfer-encoding: chunked"
        : `content-length: ${content.length}`,
      ...expect,
    ),
  );
  await sendPieces(client, content, random, chunked);
  let { status, body } = await client.readResponse();
  if (status === 100) ({ status, body } = await client.readResponse());
  assertEquals(status, 200);
  assertEquals(body, String(new Checksum().add(content)));
}

async function sendPieces(
  client: RawClient,
  content: Uint8Array,
  random: Random,
  chunked: boolean,
): Promise<void> {
  for (let at = 0; at < content.length;) {
    const piece = content.subarray(at, at + 1 + random.below(40_000));
    at += piece.length;
    const size = `${piece.length.toString(16)}\r\n`;
    if (chunked) await client.send(size, piece, "\r\n");
    else await client.send(piece);
  }
  if (chunked) await client.send("0\r\n\r\n");
}

/** An upload that is answered while it goes on. */
async function echo(client: RawClient, random: Random): Promise<void> {
  const seed = random.below(256);
  const length = random.below(60_000);
  const fields = ["transfer-encoding: chunked", "connection: close"];
  await client.send(request("POST", "/echo", ...fields));
  const [, { status, body }] = await Promise.all([
    sendPieces(client, contentOf(seed, length), random, true),
    client.readResponse(),
  ]);
  assertEquals(status, 200);
  assertSame(body, seed, length);
}

/** A request whose bytes come one by one. */
async function trickle(client: RawClient): Promise<void> {
  const wire = request("POST", "/digest", "content-length: 5") + "hello";
  for (const byte of wire) {
    await client.send(byte);
    await pause(1);
  }
  const { body } = await client.readResponse();
  assertEquals(body, String(new Checksum().add(bytesOf("hello"))));
}

/** Bytes that are no request, and requests that the application refuses. */
async function refused(client: RawClient, random: Random): Promise<void> {
  const [wire, expected] = random.pick<[string, number]>([
    ["GET / HTTP/1.1\r\nhost : a\r\n\r\n", 400],
    [request("GET", "/fail"), 500],
    [request("GET", "/nowhere"), 404],
    [request("POST", "/unauthorized", "content-length: 9999999"), 401],
  ]);
  await client.send(wire);
  const { status, headers } = await client.readResponse();
  assertEquals(status, expected);
  if (expected === 401) assertEquals(headers.get("connection"), "close");
}

/** A WebSocket that is closed as it should be. */
async function webSocket(
  client: RawClient,
  random: Random,
  { restarts }: Target,
): Promise<void> {
  if (!await openWebSocket(client, restarts)) return;
  for (let left = random.below(30); left > 0; left--) {
    const seed = random.below(256);
    const length = random.below(random.oneIn(5) ? 60_000 : 500);
    const opcode = random.pick([TEXT, BINARY]);
    await sendMessage(client, opcode, contentOf(seed, length), random);
    const frame = await readFrame(client);
    if (restarts && frame.opcode === CLOSE) return;
    assertEquals(frame.opcode, opcode);
    assertSame(frame.payload, seed, length);
  }
  await client.send(closeFrame(1000));
  assertEquals((await readFrame(client)).opcode, CLOSE);
}

/** Whether it was opened; a server that stops may refuse it. */
async function openWebSocket(
  client: RawClient,
  restarts: boolean,
): Promise<boolean> {
  await client.send(webSocketRequest("/socket"));
  const { status } = await client.readHead();
  if (restarts && status === 503) return false;
  assertEquals(status, 101);
  return true;
}

/** Sends a message, in one frame or in two with a ping between them. */
async function sendMessage(
  client: RawClient,
  opcode: number,
  content: Uint8Array,
  random: Random,
): Promise<void> {
  if (!random.oneIn(3)) return await client.send(clientFrame(opcode, content));
  const middle = random.below(content.length + 1);
  await client.send(
    clientFrame(opcode, content.subarray(0, middle), { fin: false }),
    clientFrame(PING, "still there?"),
    clientFrame(CONTINUATION, content.subarray(middle)),
  );
}

/** The next frame that is no pong; every frame of the server is a whole message. */
async function readFrame(
  client: RawClient,
): Promise<{ opcode: number; payload: string }> {
  const header = await client.readExactly(2);
  const opcode = header.charCodeAt(0) & 15;
  const short = header.charCodeAt(1);
  const extra = short < 126
    ? ""
    : await client.readExactly(short < 127 ? 2 : 8);
  const length = [...extra].reduce((sum, c) => sum * 256 + c.charCodeAt(0), 0);
  const payload = await client.readExactly(extra === "" ? short : length);
  return opcode === PONG ? await readFrame(client) : { opcode, payload };
}

/** Clients that check what they get, each as often as it is listed. */
export const HONEST: readonly Client[] = [
  gets,
  gets,
  gets,
  pipelinedGets,
  head,
  download,
  upload,
  upload,
  echo,
  trickle,
  refused,
  webSocket,
  webSocket,
];

/** What is sent before the client leaves without waiting for the end. */
function unfinished(random: Random): string {
  return random.pick([
    "",
    "GET / HTT",
    request("GET", "/content/1/9"),
    request("GET", `/content/1/${MAX_CONTENT_BYTES}`),
    request("GET", `/content/1/4000`).repeat(200),
    request("POST", "/digest", "content-length: 100") + "half",
    request("POST", "/echo", "transfer-encoding: chunked") + "a\r\nhalf",
    request("POST", "/digest", "content-length: 9", "expect: 100-continue"),
    webSocketRequest("/socket"),
    webSocketRequest("/socket") +
    String.fromCharCode(...clientFrame(PING, "half").subarray(0, 7)),
  ]);
}

/** Closes amid whatever it is. */
async function leaves(client: RawClient, random: Random): Promise<void> {
  await client.send(unfinished(random));
  await pause(random.below(50));
}

/** Says that it sends no more, and reads what comes. */
async function halfCloses(client: RawClient, random: Random): Promise<void> {
  await client.send(unfinished(random));
  await client.closeWrite();
  await client.waitForClose();
}

/** Asks for much and reads nothing of it. */
async function neverReads(client: RawClient, random: Random): Promise<void> {
  await client.send(request("GET", "/content/1/30000").repeat(50));
  await pause(200 + random.below(800));
}

/** Resets a connection of its own amid an answer; over TCP only. */
async function vanishes(
  client: RawClient,
  random: Random,
  { port, cert }: Target,
): Promise<void> {
  if (cert !== undefined) return await leaves(client, random);
  await reset(port, request("GET", `/content/1/${MAX_CONTENT_BYTES}`));
}

/** Clients that leave or misbehave; what they meet does not count. */
export const UNRELIABLE: readonly Client[] = [
  leaves,
  leaves,
  halfCloses,
  neverReads,
  vanishes,
];
