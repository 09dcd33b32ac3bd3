// Clients that are lost in the middle: half of the way, or all of it, whatever
// their streams are at. Everything ends, and no failure goes astray.

import { assert, assertEquals } from "@std/assert";
import { END_TIMEOUT_MS } from "../../src/http2/limits.ts";
import { settled } from "./_in_memory.ts";
import { leave, respond, serve } from "./_serving.ts";

/** What is answered with 501, without a handler. */
const CONNECT = [[":method", "CONNECT"], [":authority", "a:1"]] as const;

Deno.test("A half close amid an upload ends the connection", async () => {
  const lost: unknown[] = [];
  using connected = serve(async (exchange) => {
    for (;;) {
      const chunk = await exchange.readBody().catch((error) => {
        lost.push(error);
        return null;
      });
      if (chunk === null) return;
    }
  });
  const { client, transport } = connected;
  await client.open({ method: "POST" }, false).send("x");
  await settled();
  transport.end();
  await settled();
  assertEquals(lost.length, 1);
  assert(transport.closed);
  await connected.done;
});

Deno.test("A failed write fails nothing that nobody waits for", async () => {
  using connected = serve((exchange) => respond(exchange, ""));
  const { client, transport } = connected;
  await settled();
  transport.stallWrites();
  const rounds = 8;
  for (let i = 0; i < rounds; i++) {
    client.together(() => {
      for (let j = 0; j < 200; j++) {
        client.open({ fields: CONNECT });
      }
    });
    await settled();
  }
  transport.breakWrites();
  await connected.done.catch(() => {});
  await settled();
});

Deno.test("A client that ends amid what its windows let through is left at once", async () => {
  const errors: unknown[] = [];
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      const content = new Uint8Array(200_000);
      await exchange.data(content, true)?.catch((error) => errors.push(error));
    },
    {},
    { autoCredit: false, settings: { INITIAL_WINDOW_SIZE: 50_000 } },
  );
  const { client, transport } = connected;
  transport.stallWrites();
  client.open();
  client.open();
  await settled();
  transport.end();
  await settled();
  transport.acceptWrites();
  await settled();
  assertEquals(errors.length, 2);
  assert(transport.closed);
  await connected.done;
});

Deno.test("A client that goes on after an early answer is stopped, though its content is awaited", async () => {
  const open = Promise.withResolvers<void>();
  using connected = serve(async (exchange) => {
    exchange.readBody().catch(() => {});
    await open.promise;
    await respond(exchange, "early");
  });
  const { client, transport } = connected;
  const stream = client.open({ method: "POST" }, false);
  await settled();
  open.resolve();
  await settled();
  assert(stream.complete);
  client.data(stream.id, "more");
  await settled();
  await transport.passTime(END_TIMEOUT_MS + 1);
  assertEquals(stream.resetCode, "NO_ERROR");
  await leave(connected);
  assertEquals(transport.deadlines.size, 0);
});

Deno.test("What comes after a GOAWAY of the client is not served", async () => {
  let calls = 0;
  using connected = serve(async (exchange) => {
    calls++;
    await respond(exchange, "x");
  });
  const { client, transport } = connected;
  await client.request();
  client.together(() => {
    client.goAway();
    client.open();
  });
  await settled();
  assertEquals(calls, 1);
  assert(transport.writeClosed);
  transport.end();
  await connected.done;
});
