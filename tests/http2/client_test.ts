// The test client itself, against the runtime's own server of HTTP/2: what it
// sends is understood, and what comes is taken apart, by an implementation that
// shares nothing with this package.

import { assert, assertEquals } from "@std/assert";
import { netTest } from "../e2e/_testing.ts";
import { SocketClient } from "./_sockets.ts";

/** Serves with `Deno.serve`, which speaks HTTP/2 by prior knowledge. */
function serveElsewhere(
  handler: (request: Request) => Response | Promise<Response>,
): { port: number } & AsyncDisposable {
  const server = Deno.serve({ port: 0, onListen: () => {} }, handler);
  const { port } = server.addr as Deno.NetAddr;
  return { port, [Symbol.asyncDispose]: () => server.shutdown() };
}

netTest("the test client gets responses, with fields and content", async () => {
  await using server = serveElsewhere((request) =>
    new Response(`${request.method} ${new URL(request.url).pathname}`, {
      status: 203,
      headers: { "x-one": "1" },
    })
  );
  await using client = await SocketClient.connect(server.port);
  const [first, second] = await Promise.all([
    client.request({ path: "/one" }),
    client.request({ path: "/two", method: "DELETE" }),
  ]);
  assertEquals([first.status, first.content], [203, "GET /one"]);
  assertEquals([second.status, second.content], [203, "DELETE /two"]);
  assertEquals(first.header("x-one"), "1");
  assert(first.complete);
});

netTest(
  "the test client sends and receives more than the windows",
  async () => {
    const size = 3_000_000;
    await using server = serveElsewhere((request) =>
      new Response(request.body)
    );
    await using client = await SocketClient.connect(server.port);
    const content = "0123456789".repeat(size / 10);
    const response = await client.request({ method: "POST", content });
    assertEquals(response.content.length, size);
    assert(response.content === content);
  },
);

netTest("the test client grants only what the test grants", async () => {
  await using server = serveElsewhere(() => new Response("x".repeat(100)));
  await using client = await SocketClient.connect(server.port, {
    settings: { INITIAL_WINDOW_SIZE: 40 },
    autoCredit: false,
  });
  const stream = client.open();
  await stream.contentOf(40);
  await client.sync();
  assertEquals(stream.content.length, 40);
  stream.grant(60);
  assertEquals((await stream.response()).content.length, 100);
});

netTest("the test client sees a reset, and a GOAWAY", async () => {
  await using server = serveElsewhere(() => new Response("fine"));
  await using client = await SocketClient.connect(server.port);
  const fields = [[":method", "GET"], [":path", "/"], ["connection", "close"]];
  const stream = client.open({ fields: fields as [string, string][] });
  assertEquals(await stream.reset(), "PROTOCOL_ERROR");
  client.windowUpdate(0, 2 ** 31 - 1);
  await client.closed();
  assertEquals(client.goAways, ["FLOW_CONTROL_ERROR"]);
});
