/**
 * The application of the comparison on this package. Every other file in this
 * folder answers the same paths with the same bytes:
 *
 * | path        | answer                                               |
 * |-------------|------------------------------------------------------|
 * | `/`         | "Hello, World!"                                      |
 * | `/10k`      | 10 KiB                                               |
 * | `/1m`       | 1 MiB in pieces of 64 KiB, with its length           |
 * | `/echo`     | what was sent, collected, with its length            |
 * | `/stream`   | 64 KiB in 16 pieces, of no length known before       |
 * | `/upload`   | how many bytes were sent                             |
 * | `/download` | 100 MiB in pieces of 64 KiB, with their length       |
 * | WebSocket   | each message, text as text and bytes as bytes        |
 *
 * The environment says where: `PORT`, and for TLS `CERT` and `KEY`, which are
 * files; and whether `ACCESS_LOG` is on.
 *
 * @module
 */

import { type AsgiApp, type Receive, respond, serve } from "../../../mod.ts";

const KIBIBYTE = 1024;
const STREAMED_PIECES = 16;
const DOWNLOADED_PIECES = 1600;
const MEBIBYTE_PIECES = 16;
const PLAIN = ["content-type", "text/plain"] as const;

const hello = new TextEncoder().encode("Hello, World!");
const tenKibibytes = new Uint8Array(10 * KIBIBYTE).fill(0x78);
const streamedPiece = new Uint8Array(4 * KIBIBYTE).fill(0x78);
const downloadedPiece = new Uint8Array(64 * KIBIBYTE).fill(0x78);

/** The application. */
export const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "websocket") return await echoMessages(receive, send);
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  switch (scope.path) {
    case "/":
      return await answer(send, hello);
    case "/10k":
      return await answer(send, tenKibibytes);
    case "/echo":
      return await answer(send, await collect(receive));
    case "/upload":
      return await respond(send, 200, { body: String(await count(receive)) });
    case "/stream":
      return await stream(send, streamedPiece, STREAMED_PIECES, []);
    case "/1m":
      return await download(send, MEBIBYTE_PIECES);
    case "/download":
      return await download(send, DOWNLOADED_PIECES);
    default:
      return await respond(send, 404);
  }
};

type Send = Parameters<AsgiApp>[2];

async function answer(send: Send, body: Uint8Array): Promise<void> {
  const headers = [PLAIN, ["content-length", String(body.length)]] as const;
  await send({ type: "http.response.start", status: 200, headers });
  await send({ type: "http.response.body", body });
}

async function download(send: Send, pieces: number): Promise<void> {
  const length = String(downloadedPiece.length * pieces);
  const headers = [["content-length", length]] as const;
  await stream(send, downloadedPiece, pieces, headers);
}

async function stream(
  send: Send,
  piece: Uint8Array,
  pieces: number,
  fields: readonly (readonly [string, string])[],
): Promise<void> {
  const headers = [PLAIN, ...fields];
  await send({ type: "http.response.start", status: 200, headers });
  for (let left = pieces - 1; left >= 0; left--) {
    const more_body = left > 0;
    await send({ type: "http.response.body", body: piece, more_body });
  }
}

async function collect(receive: Receive): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await forEachPiece(receive, (piece) => pieces.push(piece));
  if (pieces.length === 1) return pieces[0];
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

async function count(receive: Receive): Promise<number> {
  let length = 0;
  await forEachPiece(receive, (piece) => length += piece.length);
  return length;
}

async function forEachPiece(
  receive: Receive,
  take: (piece: Uint8Array) => void,
): Promise<void> {
  for (;;) {
    const event = await receive();
    if (event.type !== "http.request") return;
    take(event.body);
    if (!event.more_body) return;
  }
}

async function echoMessages(receive: Receive, send: Send): Promise<void> {
  for (;;) {
    const event = await receive();
    if (event.type === "websocket.connect") {
      await send({ type: "websocket.accept" });
    } else if (event.type === "websocket.receive") {
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes });
    } else {
      return;
    }
  }
}

/** Makes lines as a server in production does; the disk is left out. */
async function logToNowhere(): Promise<Parameters<typeof serve>[1]> {
  const { accessFormatter, LineWriter } = await import(
    "../../../src/logs/mod.ts"
  );
  const file = await Deno.open("/dev/null", { write: true });
  const lines = new LineWriter(file);
  const toLine = accessFormatter("combined");
  return { accessLog: (record) => lines.line(toLine(record)) };
}

if (import.meta.main) {
  const { PORT, CERT, KEY, ACCESS_LOG } = Deno.env.toObject();
  const tls = CERT === undefined ? undefined : {
    cert: Deno.readTextFileSync(CERT),
    key: Deno.readTextFileSync(KEY),
  };
  const log = ACCESS_LOG === undefined ? {} : await logToNowhere();
  serve(app, { port: Number(PORT), tls, ...log });
}
