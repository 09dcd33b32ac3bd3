// A stream of zlib as a function. What it is for is tested with Deflater and
// Inflater.

import { createDeflateRaw, createInflateRaw, deflateRawSync } from "node:zlib";
import { assertEquals, assertRejects } from "@std/assert";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { COMMON_OPTIONS, ZlibPipe } from "../../src/websocket/zlib_pipe.ts";
import { concat, utf8 } from "./_frames.ts";

function inflating(): ZlibPipe {
  return new ZlibPipe(createInflateRaw(COMMON_OPTIONS));
}

const FLUSH = { finishFlush: 2 };

Deno.test("All that comes of some bytes is there when their run is over", async () => {
  const deflate = new ZlibPipe(createDeflateRaw(COMMON_OPTIONS));
  const inflate = inflating();
  for (const text of ["Hello", "again", "x".repeat(100_000)]) {
    const deflated: Uint8Array[] = [];
    await deflate.run(utf8(text), (chunk) => deflated.push(chunk));
    const inflated: Uint8Array[] = [];
    await inflate.run(concat(deflated), (chunk) => inflated.push(chunk));
    assertEquals(concat(inflated), utf8(text));
    deflate.endMessage(true);
    inflate.endMessage(true);
  }
  deflate.close();
  inflate.close();
});

Deno.test("A run says how many bytes were taken, where the stream ends before", async () => {
  const pipe = inflating();
  const ended = deflateRawSync(utf8("end"));
  const taken = await pipe.run(concat([ended, utf8("rest")]), () => {});
  assertEquals(taken, ended.length);
  pipe.close();
});

Deno.test("Bytes that are not compressed give 1007", async () => {
  const error = await assertRejects(
    () => inflating().run(new Uint8Array([7, 7, 7]), () => {}),
    WebSocketError,
  );
  assertEquals(error.code, 1007);
});

Deno.test("A receiver that throws stops the work, and its error comes out", async () => {
  let chunks = 0;
  const bomb = deflateRawSync(new Uint8Array(10_000_000), FLUSH);
  await assertRejects(
    () =>
      inflating().run(bomb, () => {
        chunks++;
        throw new RangeError("Enough");
      }),
    RangeError,
    "Enough",
  );
  assertEquals(chunks, 1);
});

Deno.test("A run of a stream that is closed fails with 1006", async () => {
  const pipe = inflating();
  const running = pipe.run(deflateRawSync(new Uint8Array(1_000_000)), () => {});
  pipe.close();
  const error = await assertRejects(() => running, WebSocketError);
  assertEquals(error.code, 1006);
});
