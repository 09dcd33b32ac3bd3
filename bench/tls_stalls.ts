/**
 * How long small writes wait over TLS: a client asks, and is sent two events a
 * millisecond apart. Nagle's algorithm keeps the second back until the client has
 * acknowledged the first, which a client that has nothing to say puts off for
 * 40 ms.
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

/** A byte that occurs in no head. */
const EVENT = 0;
const PAIRS = 200;
const APART_MS = 1;

const app: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  const body = Uint8Array.of(EVENT);
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body, more_body: true });
  await delay(APART_MS);
  await send({ type: "http.response.body", body, more_body: true });
  await send({ type: "http.response.body" });
};

/** How long the second event came after the first, each time, sorted. */
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
  return gaps.sort((a, b) => a - b);
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

async function measure(name: string, tls?: TlsOptions): Promise<void> {
  await using server = serve(app, { port: 0, tls, onListen() {} });
  const { hostname, port } = server.addr as TcpAddress;
  using conn = tls === undefined
    ? await Deno.connect({ hostname, port })
    : await Deno.connectTls({ hostname, port, caCerts: [tls.cert] });
  const gaps = await eventGaps(conn);
  const median = gaps[gaps.length >> 1].toFixed(1);
  const p95 = gaps[Math.floor(gaps.length * 0.95)].toFixed(1);
  console.log(name.padEnd(13), `median ${median} ms, p95 ${p95} ms`);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const certificate = await createCertificate();
  await measure("in clear");
  await measure("TLS", certificate);
  await measure("TLS, noDelay", { ...certificate, noDelay: true });
}
