/**
 * Step 2 of 3: the HTTP/1 parser on a TCP server. It prints the method, path,
 * headers and body of every request, and answers each with an empty response.
 *
 *     deno run -A examples/http_parser.ts
 *     curl -v -d Hello 'http://127.0.0.1:8000/items?page=2'
 *
 * @module
 */

import {
  ByteReader,
  DEFAULT_LIMITS,
  HttpError,
  reasonPhrase,
  RequestBody,
  type RequestHead,
  RequestHeadParser,
} from "jsr:@x/asgi/http1";

const limits = { ...DEFAULT_LIMITS, maxBodyBytes: 1024 * 1024 };

/** Prints the requests of one connection, one after the other. */
async function serveConnection(conn: Deno.Conn): Promise<void> {
  const reader = new ByteReader(ReadableStream.from(chunksOf(conn)));
  const parser = new RequestHeadParser(reader, limits);
  try {
    for (let head; (head = await parser.read()) !== null;) {
      if (head.expectsContinue) await answer(conn, 100);
      const body = new RequestBody(reader, head.framing, limits);
      print(head, await readText(body));
      const connection = head.keepAlive ? "keep-alive" : "close";
      await answer(conn, 204, `connection: ${connection}\r\n`);
      if (!head.keepAlive) return;
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    console.error(`Refused with ${error.status}: ${error.message}`);
    const fields = "content-length: 0\r\nconnection: close\r\n";
    await answer(conn, error.status, fields);
  }
}

/** Prints a request; in an object, control characters come out escaped. */
function print(head: RequestHead, body: string): void {
  const { method, target: { path, query }, headers } = head;
  console.log({ method, path, query, headers, body });
}

async function readText(body: RequestBody): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let chunk; (chunk = await body.read()) !== null;) {
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

async function answer(
  conn: Deno.Conn,
  status: number,
  fields = "",
): Promise<void> {
  const head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${fields}\r\n`;
  await conn.write(new TextEncoder().encode(head));
}

/** What a client sends. `conn.readable` would close both directions at its end. */
async function* chunksOf(conn: Deno.Conn): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(4096);
  for (let length; (length = await conn.read(chunk)) !== null;) {
    yield chunk.slice(0, length);
  }
}

/** Accepts. A loop over `listener` would end where a client resets too early. */
async function* accept(listener: Deno.Listener): AsyncGenerator<Deno.Conn> {
  for (;;) {
    try {
      yield await listener.accept();
    } catch (error) {
      console.error(`Cannot accept: ${(error as Error).message}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

const port = Number(Deno.env.get("PORT") || 8000);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
Deno.addSignalListener("SIGINT", () => Deno.exit());
console.log(`Listening on http://127.0.0.1:${listener.addr.port}/`);

for await (const conn of accept(listener)) {
  serveConnection(conn)
    .catch((error) => console.error(`Connection lost: ${error.message}`))
    .finally(() => conn[Symbol.dispose]());
}
