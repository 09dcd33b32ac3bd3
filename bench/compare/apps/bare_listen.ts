/**
 * The ceiling: a loop over `Deno.listen` that answers every read with the same
 * bytes, and neither parses nor checks anything. It is no server.
 *
 * @module
 */

const response = new TextEncoder().encode(
  "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n" +
    "date: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: bare\r\n\r\nHello, World!",
);

async function answer(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(64 * 1024);
  try {
    while (await conn.read(buffer) !== null) await conn.write(response);
  } catch {
    // The client is gone.
  } finally {
    conn[Symbol.dispose]();
  }
}

const port = Number(Deno.env.get("PORT"));
const listener = Deno.listen({ port, hostname: "127.0.0.1" });
for await (const conn of listener) answer(conn).catch(console.error);
