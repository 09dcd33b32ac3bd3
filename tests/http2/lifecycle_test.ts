import { assert, assertEquals } from "@std/assert";
import { settled } from "./_in_memory.ts";
import { echo, left, respond, serve } from "./_serving.ts";

Deno.test("A shutdown has two steps, and serves what comes between them", async () => {
  const wait = Promise.withResolvers<void>();
  using connected = serve(
    async (exchange) => {
      await wait.promise;
      await respond(exchange, exchange.request.target.path);
    },
    {},
    { acknowledges: false },
  );
  const { client, connection } = connected;
  client.open({ path: "/1" });
  await settled();
  connection.shutdown();
  await client.until(() => client.seen("GOAWAY").length === 1);
  client.open({ path: "/2" });
  // An answer to another PING means nothing.
  client.frame("PING", 1, 0, new Uint8Array(8));
  await settled();
  assertEquals(client.seen("GOAWAY").length, 1);
  const [ping] = client.seen("PING");
  client.frame("PING", 1, 0, new TextEncoder().encode(ping.payload));
  await client.until(() => client.seen("GOAWAY").length === 2);
  client.open({ path: "/3" });
  await settled();
  wait.resolve();
  await left(connected);
  const ids = client.seen("GOAWAY").map(({ last }) => last);
  assertEquals(ids, [2 ** 31 - 1, 3]);
  assertEquals(
    [...client.streams.values()].map(({ content }) => content),
    ["/1", "/2", ""],
  );
});

Deno.test("The last request of a connection is answered", async () => {
  using connected = serve(echo, { maxRequestsPerConnection: 2 });
  const { client } = connected;
  await client.request({ path: "/1" });
  const last = await client.request({ path: "/2" });
  assertEquals(last.content, "GET /2 ");
  await left(connected);
  assertEquals(client.goAways, ["NO_ERROR", "NO_ERROR"]);
});

Deno.test("A client that has said farewell is left when its streams have ended", async () => {
  using connected = serve(echo);
  const { client, transport } = connected;
  const stream = client.open({ method: "POST" }, false);
  client.goAway();
  await settled();
  assert(!transport.writeClosed);
  await stream.send("x", true);
  await stream.response();
  await settled();
  assert(transport.writeClosed);
  transport.end();
  await connected.done;
});
