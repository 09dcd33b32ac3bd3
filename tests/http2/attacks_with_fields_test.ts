// Header blocks that cost more than they weigh (CVE-2016-6581, 2024-27316,
// 2026-49975 and their kin): what they unfold to is bounded, and what is only a
// little too much is answered, without harm to the connection.

import { assertEquals } from "@std/assert";
import { FLAGS } from "../../src/http2/frames.ts";
import { HpackEncoder } from "../../src/http2/hpack/mod.ts";
import { concat } from "./_frames.ts";
import { type Http2Client, requestFields } from "./_client.ts";
import { abort, outcome, routes } from "./_outcomes.ts";
import { leave, respond, serve } from "./_serving.ts";

const { END_HEADERS, END_STREAM } = FLAGS;
const CALM = "connection ENHANCE_YOUR_CALM";

/** A block that refers to nothing which was sent before. */
function firstBlock(): Uint8Array {
  return new HpackEncoder().encode(requestFields());
}

/** Sends the block of a request and more, in as many frames as it takes. */
function block(client: Http2Client, streamId: number, ...rest: Uint8Array[]) {
  const bytes = concat([firstBlock(), ...rest]);
  client.together(() => {
    for (let at = 0; at < bytes.length; at += 16_384) {
      const last = at + 16_384 >= bytes.length;
      client.frame(
        at === 0 ? "HEADERS" : "CONTINUATION",
        (at === 0 ? END_STREAM : 0) | (last ? END_HEADERS : 0),
        streamId,
        bytes.subarray(at, at + 16_384),
      );
    }
  });
}

/** A reference to an entry of the table, so many times. */
function references(index: number, count: number): Uint8Array {
  return new Uint8Array(count).fill(0x80 | index);
}

/** A field for the table: 4 KiB, so that nothing else has room in it. */
const LARGE_ENTRY = concat([
  Uint8Array.of(0x40, 1, 0x78, 0x7f, 0xa0, 0x1e), // "x", and 4,000 bytes.
  new Uint8Array(4_000 - 1).fill(0x61),
]);

/** The index that it then has. */
const NEWEST = 62;

/** What is sent after the fields of a request, and what comes of it. */
const BLOCKS: Record<string, [Uint8Array[], expected: number | string]> = {
  // :method and the like are repeated in none of them.
  "100 references to a small entry": [[references(25, 100)], 200],
  "200 references to a small entry": [[references(25, 200)], 431],
  "600 references to a small entry": [[references(25, 600)], CALM],
  "50,000 references to a small entry": [[references(25, 50_000)], CALM],
  "10 references to a large entry": [
    [LARGE_ENTRY, references(NEWEST, 10)],
    200,
  ],
  "20 references to a large entry": [
    [LARGE_ENTRY, references(NEWEST, 20)],
    431,
  ],
  "100 references to a large entry": [
    [LARGE_ENTRY, references(NEWEST, 100)],
    CALM,
  ],
  "100 crumbs of cookies": [[references(32, 100)], 200],
  "200 crumbs of cookies": [[references(32, 200)], 431],
  "600 crumbs of cookies": [[references(32, 600)], CALM],
};

for (const [what, [rest, expected]] of Object.entries(BLOCKS)) {
  Deno.test(`${what}: ${expected}`, async () => {
    let calls = 0;
    using connected = serve(async (exchange) => {
      calls++;
      await respond(exchange, "served");
    });
    const { client } = connected;
    block(client, 1, ...rest);
    const came = await outcome(client);
    if (typeof expected === "string") assertEquals(came, expected);
    else {
      await client.until(() => client.seen("HEADERS").length > 0);
      const [{ fields }] = client.seen("HEADERS");
      assertEquals(fields[0], [":status", String(expected)]);
      // Both tables are still in step, and the connection serves on.
      client.frame("HEADERS", END_HEADERS | END_STREAM, 3, firstBlock());
      await client.until(() => client.seen("HEADERS").length > 1);
      assertEquals(client.seen("HEADERS")[1].fields[0], [":status", "200"]);
    }
    assertEquals(calls, expected === 200 ? 2 : expected === 431 ? 1 : 0);
    await abort(connected);
  });
}

Deno.test("a block of ever more CONTINUATIONs ends the connection", async () => {
  for (const size of [0, 1, 100, 16_384]) {
    using connected = serve(routes);
    const { client } = connected;
    client.frame("HEADERS", END_STREAM, 1, client.encode(requestFields()));
    let frames = 0;
    for (; frames < 50 && client.goAways.length === 0; frames++) {
      client.frame("CONTINUATION", 0, 1, new Uint8Array(size).fill(0x90));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assertEquals(client.goAways, ["ENHANCE_YOUR_CALM"], `${size} bytes each`);
    assertEquals(frames <= 9, true, `${frames} frames`);
    await abort(connected);
  }
});

Deno.test("fields without a name are malformed", async () => {
  using connected = serve(routes);
  const { client } = connected;
  const stream = client.open({ headers: [["", "x"], ["", "x"]] });
  assertEquals(await stream.reset(), "PROTOCOL_ERROR");
  assertEquals((await client.request()).status, 200);
  await leave(connected);
});

Deno.test("trailers are bounded as fields are", async () => {
  using connected = serve(routes);
  const { client } = connected;
  const stream = client.open({ method: "POST" }, false);
  const trailers = Array.from(
    { length: 200 },
    (_, i) => [`x-${i}`, "y"] as const,
  );
  stream.sendTrailers(trailers);
  assertEquals((await stream.reset()).length > 0, true);
  assertEquals((await client.request()).status, 200);
  await leave(connected);
});

Deno.test("honest: large cookies in crumbs, again and again", async () => {
  using connected = serve((exchange) =>
    respond(
      exchange,
      exchange.request.headers.find(([name]) => name === "cookie")![1],
    )
  );
  const { client } = connected;
  const crumbs = Array.from(
    { length: 100 },
    (_, i) => ["cookie", `name${i}=${"v".repeat(300)}`] as const,
  );
  for (let round = 0; round < 20; round++) {
    const { content } = await client.request({ headers: crumbs });
    assertEquals(content, crumbs.map(([, value]) => value).join("; "));
  }
  await leave(connected);
});
