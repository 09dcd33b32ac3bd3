/**
 * The application of the comparison on `Deno.serve`; `x_asgi.ts` says what it
 * answers.
 *
 * @module
 */

const hello = new TextEncoder().encode("Hello, World!");
const tenKibibytes = new Uint8Array(10 * 1024).fill(0x78);
const streamedPiece = new Uint8Array(4 * 1024).fill(0x78);
const downloadedPiece = new Uint8Array(64 * 1024).fill(0x78);
const DOWNLOADED_PIECES = 1600;
const MEBIBYTE_PIECES = 16;
const PLAIN = { "content-type": "text/plain" };

async function handle(request: Request): Promise<Response> {
  const path = request.url.slice(request.url.indexOf("/", 8));
  switch (path) {
    case "/":
      if (request.headers.has("upgrade")) return echoMessages(request);
      return new Response(hello, { headers: PLAIN });
    case "/10k":
      return new Response(tenKibibytes, { headers: PLAIN });
    case "/echo":
      return new Response(await request.bytes(), { headers: PLAIN });
    case "/upload":
      return new Response(String(await count(request)));
    case "/stream":
      return new Response(piecesOf(streamedPiece, 16), { headers: PLAIN });
    case "/1m":
      return download(MEBIBYTE_PIECES);
    case "/download":
      return download(DOWNLOADED_PIECES);
    default:
      return new Response(null, { status: 404 });
  }
}

function download(pieces: number): Response {
  const length = String(downloadedPiece.length * pieces);
  const headers = { ...PLAIN, "content-length": length };
  return new Response(piecesOf(downloadedPiece, pieces), { headers });
}

function piecesOf(
  piece: Uint8Array<ArrayBuffer>,
  count: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = count;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(piece);
      if (--left === 0) controller.close();
    },
  });
}

async function count(request: Request): Promise<number> {
  let length = 0;
  for await (const chunk of request.body ?? []) length += chunk.length;
  return length;
}

function echoMessages(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

const { PORT, CERT, KEY } = Deno.env.toObject();
const address = { port: Number(PORT), hostname: "127.0.0.1" };
const tls = CERT === undefined
  ? {}
  : { cert: Deno.readTextFileSync(CERT), key: Deno.readTextFileSync(KEY) };
Deno.serve({ ...address, ...tls, onListen: () => {} }, handle);
