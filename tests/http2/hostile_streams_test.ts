// What clients have sent to other servers, much of it hostile, and single frames
// that break a rule: fed to whole connections, whole, byte by byte, and cut
// anywhere. Nothing but the protocol's errors comes of it, and the same each time.

import { assert, assertEquals } from "@std/assert";
import type { Http2Exchange } from "../../src/http2/exchange.ts";
import { errorName } from "../../src/http2/frames.ts";
import { readHttp2Data } from "../_corpora.ts";
import { settledSoon } from "../_turns.ts";
import { Random } from "../websocket/_random.ts";
import { concat, PREFACE, wire } from "./_frames.ts";
import { abort, disconnected, outcome, routes } from "./_outcomes.ts";
import { serve } from "./_serving.ts";

/** What one connection made of the bytes: the requests, and how it ended. */
async function serveBytes(
  chunks: readonly Uint8Array[],
  handle: (exchange: Http2Exchange) => Promise<void> = routes,
): Promise<string[]> {
  const seen: string[] = [];
  let running = 0;
  using connected = serve(
    async (exchange) => {
      const { method, target } = exchange.request;
      seen.push(`${method} ${target.path}`);
      running++;
      try {
        await handle(exchange);
      } finally {
        running--;
      }
    },
    {},
    { begins: false },
  );
  const { client, transport, done } = connected;
  for (const chunk of chunks) client.raw(chunk);
  await settledSoon();
  transport.lose();
  // Whatever comes of it, it ends, and so do all handlers.
  await done.catch((error) => assert(error instanceof Error));
  await settledSoon();
  assertEquals(running, 0, "A handler does not know of the end");
  return [...seen, ...client.goAways];
}

const hostile = readHttp2Data<{ streams: { file: string; base64: string }[] }>(
  "client_streams",
);
Deno.test({
  name:
    "Hostile client streams are served, or refused, the same however they come" +
    ("absent" in hostile ? ` (skipped: ${hostile.absent})` : ""),
  ignore: "absent" in hostile,
  async fn() {
    if ("absent" in hostile) return;
    const random = new Random(5);
    const outcomes = new Map<string, number>();
    for (const { file, base64 } of hostile.streams) {
      const bytes = Uint8Array.fromBase64(base64);
      // Handlers that never answer: else the states would depend on time.
      const whole = await serveBytes([bytes], disconnected);
      const single = Array.from(bytes, (byte) => new Uint8Array([byte]));
      if (bytes.length < 4000) {
        const seen = await serveBytes(single, disconnected);
        assertSame(seen, whole, `${file}, byte by byte`);
      }
      for (let i = 0; i < 3; i++) {
        const seen = await serveBytes(random.cut(bytes, 4), disconnected);
        assertSame(seen, whole, file);
      }
      const end = whole.at(-1) ?? "nothing";
      outcomes.set(end, (outcomes.get(end) ?? 0) + 1);
    }
    assert(outcomes.size > 3, `${[...outcomes]}`);
  },
});

/**
 * Asserts that a connection has ended as another one did. If they came in another
 * chunk than their reset, more requests are handled.
 */
function assertSame(actual: string[], expected: string[], what: string): void {
  const errors = (seen: string[]) => seen.filter((one) => !one.includes(" "));
  assertEquals(errors(actual), errors(expected), what);
  const missing = expected.filter((one) => !actual.includes(one));
  assertEquals(missing, [], what);
}

Deno.test({
  name: "Changed hostile streams give errors of the protocol only" +
    ("absent" in hostile ? ` (skipped: ${hostile.absent})` : ""),
  ignore: "absent" in hostile,
  async fn() {
    if ("absent" in hostile) return;
    const random = new Random(11);
    for (const { base64 } of hostile.streams) {
      const bytes = Uint8Array.fromBase64(base64);
      for (let i = 0; i < 8; i++) {
        const changed = bytes.slice(0, random.integer(24, bytes.length));
        for (let changes = random.integer(1, 3); changes > 0; changes--) {
          const at = random.integer(24, changed.length - 1);
          changed[at] = random.integer(0, 255);
        }
        await serveBytes(random.cut(changed, 3));
      }
    }
  },
});

interface FrameCase {
  readonly file: string;
  readonly description: string;
  readonly wire: string;
  readonly error: readonly number[] | null;
}

const samples = readHttp2Data<{ cases: FrameCase[] }>("frames");
Deno.test({
  name: "Single frames that break a rule have one of the codes they may have" +
    ("absent" in samples ? ` (skipped: ${samples.absent})` : ""),
  ignore: "absent" in samples,
  async fn() {
    if ("absent" in samples) return;
    for (const { file, wire: hex, error } of samples.cases) {
      if (error === null) continue;
      const bytes = Uint8Array.fromHex(hex);
      for (
        const chunks of [
          [bytes],
          Array.from(bytes, (b) => Uint8Array.of(b)),
        ]
      ) {
        using connected = serve(routes);
        const { client } = connected;
        for (const chunk of chunks) client.raw(chunk);
        const streamId = bytes[8];
        const came = await outcome(client, streamId);
        const [, code] = came.split(" ");
        assert(error.map(errorName).includes(code), `${file}: ${came}`);
        await abort(connected);
      }
    }
  },
});

Deno.test("A connection that is cut at any byte ends without a trace", async () => {
  const settings = wire(4, 0, 0);
  const block = [0x82, 0x84, 0x87, 0x41, 1, 0x61];
  const bytes = concat([
    PREFACE,
    settings,
    wire(1, 1, 1, block.slice(0, 3)),
    wire(9, 4, 1, block.slice(3)),
    wire(1, 4, 3, [...block.slice(0, 0), 0x83, 0x84, 0x87, 0x41, 1, 0x61]),
    wire(0, 8, 3, [2, 1, 2, 3, 0, 0]),
    wire(8, 0, 0, [0, 0, 1, 0]),
    wire(3, 0, 3, [0, 0, 0, 8]),
  ]);
  for (let end = 0; end <= bytes.length; end++) {
    await serveBytes([bytes.slice(0, end)]);
  }
});
