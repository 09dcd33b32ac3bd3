/**
 * How long small writes wait over TLS: a client asks, and is sent two events a
 * millisecond apart. Nagle's algorithm keeps the second back until the client has
 * acknowledged the first, which a client that has nothing to say puts off for
 * 40 ms. Over HTTP/2, the client says nothing either: it has large windows.
 *
 *     deno run -A bench/tls_stalls.ts
 *
 * @module
 */

import {
  type AsgiApp,
  serve,
  type TcpAddress,
  type TlsOptions,
} from "../mod.ts";
import { createCertificate } from "../tests/e2e/_certificates.ts";
import { SocketClient } from "../tests/http2/_sockets.ts";

/** A byte that occurs in no head. */
const EVENT = 0;
const PAIRS = 200;
const APART_MS = 1;
/** No gap may be longer than the application's own by more than this. */
const MAX_STALL_MS = 10;

const app: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  const body = Uint8Array.of(EVENT);
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body, more_body: true });
  await delay(APART_MS);
  await send({ type: "http.response.body", body, more_body: true });
  await send({ type: "http.response.body" });
};

/** How long the second event came after the first, each time. */
async function eventGaps(conn: Deno.Conn): Promise<number[]> {
  const gaps: number[] = [];
  for (let i = 0; i < PAIRS; i++) {
    const times: number[] = [];
    await get(conn, (bytes) => {
      const now = performance.now();
      for (const byte of bytes) if (byte === EVENT) times.push(now);
    });
    gaps.push(times[1] - times[0]);
  }
  return gaps;
}

/** As {@linkcode eventGaps}, over HTTP/2. */
async function http2Gaps(client: SocketClient): Promise<number[]> {
  const gaps: number[] = [];
  for (let i = 0; i < PAIRS; i++) {
    const stream = client.open();
    await stream.contentOf(1);
    const first = performance.now();
    await stream.contentOf(2);
    gaps.push(performance.now() - first);
    await stream.response();
  }
  return gaps;
}

const decoder = new TextDecoder();

/** Sends a request, and reads the response, which is chunked. */
async function get(
  conn: Deno.Conn,
  onBytes: (bytes: Uint8Array) => void,
): Promise<void> {
  const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  await conn.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(1024);
  for (let tail = ""; !tail.endsWith("\r\n0\r\n\r\n");) {
    const length = await conn.read(buffer);
    if (length === null) throw new Error("The server has closed");
    const bytes = buffer.subarray(0, length);
    onBytes(bytes);
    tail = tail.slice(-6) + decoder.decode(bytes.subarray(-7));
  }
}

/** How the events are sent. */
interface Way {
  readonly tls?: TlsOptions;
  readonly http2?: boolean;
}

async function measure(name: string, way: Way): Promise<void> {
  const { tls } = way;
  await using server = serve(app, { port: 0, tls, onListen() {} });
  const { port } = server.addr as TcpAddress;
  const gaps = (await gapsOf(port, way)).sort((a, b) => a - b);
  const figures = [
    `median ${gaps[gaps.length >> 1].toFixed(1)} ms`,
    `p95 ${gaps[Math.floor(gaps.length * 0.95)].toFixed(1)} ms`,
    `longest ${gaps.at(-1)!.toFixed(1)} ms`,
    `${gaps.filter((gap) => gap > APART_MS + MAX_STALL_MS).length} stalls`,
  ];
  console.log(name.padEnd(21), figures.join(", "));
}

async function gapsOf(
  port: number,
  { tls, http2 = false }: Way,
): Promise<number[]> {
  if (http2) {
    const options = { autoCredit: false };
    await using client = tls === undefined
      ? await SocketClient.connect(port, options)
      : await SocketClient.connectTls(port, tls.cert, options);
    return await http2Gaps(client);
  }
  const hostname = "127.0.0.1";
  using conn = tls === undefined
    ? await Deno.connect({ hostname, port })
    : await Deno.connectTls({ hostname, port, caCerts: [tls.cert] });
  return await eventGaps(conn);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const certificate = await createCertificate();
  for (const http2 of [false, true]) {
    const version = http2 ? "HTTP/2" : "HTTP/1";
    await measure(`${version} in clear`, { http2 });
    await measure(`${version}, TLS`, { http2, tls: certificate });
    const tls = { ...certificate, noDelay: true };
    await measure(`${version}, TLS, noDelay`, { http2, tls });
  }
}
