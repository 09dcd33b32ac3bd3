// The application of the comparison on `node:http2`, by its core API of streams
// or, where `COMPAT` is set, by its API of requests and responses; `x_asgi.ts`
// says what it answers. It has those paths only that are asked over HTTP/2.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import process from "node:process";
import { Buffer } from "node:buffer";

const hello = Buffer.from("Hello, World!");
const downloadedPiece = Buffer.alloc(64 * 1024, "x");
const MEBIBYTE_PIECES = 16;
const PLAIN = { "content-type": "text/plain" };

/** Content goes in by `incoming`, out by `outgoing`; `start` sends the head. */
async function handle(path, incoming, outgoing, start) {
  switch (path) {
    case "/":
      start({ ":status": 200, ...PLAIN, "content-length": hello.length });
      return outgoing.end(hello);
    case "/upload": {
      let length = 0;
      for await (const piece of incoming) length += piece.length;
      start({ ":status": 200, ...PLAIN });
      return outgoing.end(String(length));
    }
    case "/1m": {
      const length = downloadedPiece.length * MEBIBYTE_PIECES;
      start({ ":status": 200, ...PLAIN, "content-length": length });
      return await download(outgoing);
    }
    default:
      start({ ":status": 404 });
      outgoing.end();
  }
}

async function download(outgoing) {
  for (let i = 0; i < MEBIBYTE_PIECES; i++) {
    if (!outgoing.write(downloadedPiece)) await once(outgoing, "drain");
  }
  outgoing.end();
}

function onStream(stream, headers) {
  stream.on("error", () => {});
  const start = (fields) => stream.respond(fields);
  handle(headers[":path"], stream, stream, start).catch(cancelled);
}

function onRequest(request, response) {
  handle(request.url, request, response, ({ ":status": status, ...fields }) => {
    response.writeHead(status, fields);
  }).catch(cancelled);
}

/** The load ends in the middle of requests. */
function cancelled() {}

const { PORT, CERT, KEY, COMPAT } = process.env;
const server = CERT === undefined
  ? http2.createServer()
  : http2.createSecureServer({
    cert: readFileSync(CERT),
    key: readFileSync(KEY),
  });
if (COMPAT === undefined) server.on("stream", onStream);
else server.on("request", onRequest);
server.on("sessionError", () => {});
server.listen(Number(PORT), "127.0.0.1");
