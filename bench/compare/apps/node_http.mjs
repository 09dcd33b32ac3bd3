// The application of the comparison on `node:http` and `node:https`;
// `x_asgi.ts` says what it answers.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import process from "node:process";
import { Buffer } from "node:buffer";

const hello = Buffer.from("Hello, World!");
const tenKibibytes = Buffer.alloc(10 * 1024, "x");
const streamedPiece = Buffer.alloc(4 * 1024, "x");
const downloadedPiece = Buffer.alloc(64 * 1024, "x");
const DOWNLOADED_PIECES = 1600;
const PLAIN = { "content-type": "text/plain" };

async function handle(request, response) {
  switch (request.url) {
    case "/":
      return answer(response, hello);
    case "/10k":
      return answer(response, tenKibibytes);
    case "/echo":
      return collect(request, response);
    case "/upload":
      return answer(response, Buffer.from(String(await count(request))));
    case "/stream":
      response.writeHead(200, PLAIN);
      return await stream(response, streamedPiece, 16);
    case "/download": {
      const length = downloadedPiece.length * DOWNLOADED_PIECES;
      response.writeHead(200, { ...PLAIN, "content-length": length });
      return await stream(response, downloadedPiece, DOWNLOADED_PIECES);
    }
    default:
      response.writeHead(404).end();
  }
}

function answer(response, body) {
  response.writeHead(200, { ...PLAIN, "content-length": body.length });
  response.end(body);
}

function collect(request, response) {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    answer(response, pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
  });
}

async function count(request) {
  let length = 0;
  for await (const piece of request) length += piece.length;
  return length;
}

async function stream(response, piece, count) {
  for (let i = 0; i < count; i++) {
    if (!response.write(piece)) await once(response, "drain");
  }
  response.end();
}

const { PORT, CERT, KEY } = process.env;
const server = CERT === undefined ? http.createServer(handle) : https
  .createServer({ cert: readFileSync(CERT), key: readFileSync(KEY) }, handle);
// The default, 5 s, would close the idle connections that are measured.
server.keepAliveTimeout = 75_000;
server.listen(Number(PORT), "127.0.0.1");
