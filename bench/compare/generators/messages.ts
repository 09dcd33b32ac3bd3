/**
 * Loads a WebSocket echo: many clients, each with a few messages in flight. It
 * does as little as it can, so that the server is the limit: frames are made
 * once, of answers only the lengths are looked at, and of each client's first
 * answers every byte.
 *
 *     deno run --allow-net messages.ts PORT SECONDS text|binary CLIENTS BYTES
 *
 * The time that it reports is from a write of messages to their last answer.
 *
 * @module
 */

import process from "node:process";
import { percentile } from "../statistics.ts";

/** Messages that a client has in flight. */
const DEPTH = 4;
const OPCODES: Record<string, number> = { text: 1, binary: 2 };
const FIN = 0x80;
const MASKED = 0x80;
const LONG = 126;
const HANDSHAKE = new TextEncoder().encode(
  "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n" +
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
);

const [port, seconds, kind, clients, size] = Deno.args;
const payload = new Uint8Array(Number(size)).map((_, i) => 0x61 + i % 26);
const question = repeated(frame(OPCODES[kind], payload, true));
const answer = repeated(frame(OPCODES[kind], payload, false));

let isOver = false;
let messages = 0;
let errors = 0;
const times: number[] = [];

/** A frame with a length of 16 bits. */
function frame(
  opcode: number,
  payload: Uint8Array,
  masked: boolean,
): Uint8Array {
  const key = masked ? [0x12, 0x34, 0x56, 0x78] : [];
  const { length } = payload;
  return Uint8Array.from([
    FIN | opcode,
    (masked ? MASKED : 0) | LONG,
    length >> 8,
    length & 0xff,
    ...key,
    ...payload.map((byte, i) => byte ^ (masked ? key[i % 4] : 0)),
  ]);
}

function repeated(frame: Uint8Array): Uint8Array {
  const frames = new Uint8Array(DEPTH * frame.length);
  for (let i = 0; i < DEPTH; i++) frames.set(frame, i * frame.length);
  return frames;
}

async function runClient(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(answer.length + 1);
  try {
    await round(conn, buffer);
    requireEcho(buffer);
    while (!isOver) {
      const began = performance.now();
      await round(conn, buffer);
      times.push(performance.now() - began);
      messages += DEPTH;
    }
  } catch (error) {
    errors++;
    console.error(error);
  } finally {
    conn.close();
  }
}

async function round(conn: Deno.TcpConn, buffer: Uint8Array): Promise<void> {
  let at = 0;
  while (at < question.length) at += await conn.write(question.subarray(at));
  for (let length = 0; length < answer.length;) {
    const read = await conn.read(buffer.subarray(length));
    if (read === null) throw new Error("The server closed a WebSocket");
    length += read;
    if (length > answer.length) throw new Error("An answer is too long");
  }
}

function requireEcho(buffer: Uint8Array): void {
  if (answer.every((byte, i) => byte === buffer[i])) return;
  throw new Error("An answer is not what was sent");
}

async function open(): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(port),
  });
  conn.setNoDelay(true);
  await conn.write(HANDSHAKE);
  const buffer = new Uint8Array(4096);
  for (let length = 0;;) {
    const read = await conn.read(buffer.subarray(length));
    if (read === null) throw new Error("The server refused a WebSocket");
    length += read;
    const text = new TextDecoder().decode(buffer.subarray(0, length));
    if (text.startsWith("HTTP/1.1 101") && text.endsWith("\r\n\r\n")) break;
    if (text.includes("\r\n\r\n")) throw new Error(text.split("\r\n")[0]);
  }
  return conn;
}

const conns = await Promise.all(Array.from({ length: Number(clients) }, open));
const began = performance.now();
const cpuBefore = process.cpuUsage();
setTimeout(() => isOver = true, Number(seconds) * 1000);
await Promise.all(conns.map(runClient));
const time = performance.now() - began;
const cpu = process.cpuUsage(cpuBefore);
const sorted = Float64Array.from(times).sort();
const [p50, p99] = [0.5, 0.99].map((share) => percentile(sorted, share));
const latencies = [p50 * 1e3, p99 * 1e3];
const figures = [messages, time * 1e3, ...latencies, errors];
figures.push(cpu.user + cpu.system);
console.log(`figures ${figures.map(Math.round).join(" ")}`);
