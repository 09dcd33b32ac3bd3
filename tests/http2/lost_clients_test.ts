// Clients that are lost in the middle: half of the way, or all of it, whatever
// their streams are at. Everything ends, and no failure goes astray.

import { settled } from "./_in_memory.ts";
import { respond, serve } from "./_serving.ts";

/** What is answered with 501, without a handler. */
const CONNECT = [[":method", "CONNECT"], [":authority", "a:1"]] as const;

Deno.test("A failed write fails nothing that nobody waits for", async () => {
  using connected = serve((exchange) => respond(exchange, ""));
  const { client, transport } = connected;
  await settled();
  transport.stallWrites();
  for (let round = 0; round < 8; round++) {
    client.together(() => {
      for (let i = 0; i < 200; i++) client.open({ fields: CONNECT });
    });
    await settled();
  }
  transport.breakWrites();
  await connected.done.catch(() => {});
  await settled();
});
