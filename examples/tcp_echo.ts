/**
 * Step 1 of 3: bytes back. A TCP server that reads each connection through the
 * `ByteReader` that the HTTP parser reads through as well.
 *
 *     deno run -A examples/tcp_echo.ts
 *     echo Hello | curl -N -m 1 telnet://127.0.0.1:8000
 *
 * @module
 */

import { ByteReader } from "jsr:@x/asgi/http1";

/** Sends a connection's bytes back until its client sends no more. */
async function echo(conn: Deno.Conn): Promise<void> {
  const reader = new ByteReader(ReadableStream.from(chunksOf(conn)));
  for (let bytes; (bytes = await reader.read(4096)) !== null;) {
    // A write may take only a part of what it is given.
    while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
  }
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
  echo(conn)
    .catch((error) => console.error(`Connection lost: ${error.message}`))
    .finally(() => conn[Symbol.dispose]());
}
