/**
 * Sends or fetches 100 MiB over one connection, again and again, for a while;
 * at least once. What a server says of the length is held against it.
 *
 *     deno run --allow-net transfers.ts PORT SECONDS upload|download
 *
 * @module
 */

import process from "node:process";
import { percentile } from "../statistics.ts";

const TRANSFER = 100 * 1024 * 1024;
const PIECE = 256 * 1024;
const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

const [port, seconds, direction] = Deno.args;
const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
conn.setNoDelay(true);
const buffer = new Uint8Array(PIECE);
const piece = new Uint8Array(PIECE).fill(0x78);

async function upload(): Promise<void> {
  const head = "POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
    `Content-Type: text/plain\r\nContent-Length: ${TRANSFER}\r\n\r\n`;
  await conn.write(encoder.encode(head));
  for (let left = TRANSFER; left > 0;) {
    left -= await conn.write(piece.subarray(0, Math.min(left, PIECE)));
  }
  const body = String(TRANSFER);
  const { length, rest } = await readHead();
  if (length !== undefined && length !== body.length) {
    throw new Error(`The server answered ${length} bytes`);
  }
  // Without a length, chunked: the framing is around the same content.
  let text = rest;
  while (!text.includes(body)) text += await readText();
  while (length === undefined && !text.endsWith("0\r\n\r\n")) {
    text += await readText();
  }
}

async function download(): Promise<void> {
  const head = "GET /download HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  await conn.write(encoder.encode(head));
  const { length, rest } = await readHead();
  if (length !== TRANSFER) throw new Error(`The server sends ${length} bytes`);
  for (let left = TRANSFER - rest.length; left > 0;) {
    const read = await conn.read(buffer);
    if (read === null) throw new Error(`${left} bytes did not come`);
    left -= read;
  }
}

/** Reads the head of a response; `rest` is what came with it. */
async function readHead(): Promise<
  { length: number | undefined; rest: string }
> {
  let text = "";
  while (!text.includes("\r\n\r\n")) text += await readText();
  const end = text.indexOf("\r\n\r\n") + 4;
  if (!text.startsWith("HTTP/1.1 200")) throw new Error(text.slice(0, end));
  const field = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end));
  const length = field === null ? undefined : Number(field[1]);
  return { length, rest: text.slice(end) };
}

async function readText(): Promise<string> {
  const read = await conn.read(buffer);
  if (read === null) throw new Error("The server closed the connection");
  return decoder.decode(buffer.subarray(0, read));
}

const transfer = direction === "upload" ? upload : download;
const times: number[] = [];
const began = performance.now();
const cpuBefore = process.cpuUsage();
do {
  const start = performance.now();
  await transfer();
  times.push(performance.now() - start);
} while (performance.now() - began < Number(seconds) * 1000);
const time = performance.now() - began;
const cpu = process.cpuUsage(cpuBefore);
conn.close();
const sorted = times.toSorted((a, b) => a - b);
const [p50, p99] = [0.5, 0.99].map((share) => percentile(sorted, share));
const figures = [times.length, time * 1e3, p50 * 1e3, p99 * 1e3, 0];
figures.push(cpu.user + cpu.system);
console.log(`figures ${figures.map(Math.round).join(" ")}`);
