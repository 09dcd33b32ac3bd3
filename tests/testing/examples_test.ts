// Every example that is an application runs in the test client, in process, and
// does what it says.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import type { AsgiApp } from "../../mod.ts";
import { TestClient, WebSocketDeniedError } from "../../src/testing/mod.ts";
import { bounded, granted } from "../e2e/_testing.ts";
import { bytes } from "./_apps.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);
const TEST_TIMEOUT_MS = 10_000;
const POST = { method: "POST" } as const;

/** Those that are servers of TCP: there is no application in them. */
const SERVERS = new Set(["tcp_echo.ts", "http_parser.ts"]);

/** What each of the others is asked. */
const ASKED: Record<string, (client: TestClient) => Promise<void>> = {
  async "access_log.ts"(client) {
    assertEquals(await (await client.fetch("/")).text(), "Hello\n");
    assertEquals((await client.fetch("/missing")).status, 404);
  },

  async "behind_proxy.ts"(client) {
    assert(client.hasLifespan);
    const headers = { "x-forwarded-for": "192.0.2.1" };
    const site = await client.fetch("/", { headers });
    assertMatch(await site.text(), /^Hello 192\.0\.2\.1, who came by http, /);
    const stranger = ["198.51.100.1", 1] as const;
    const forged = await client.fetch("/", { headers, client: stranger });
    assertMatch(await forged.text(), /^Hello 198\.51\.100\.1, /);
    const visit = await client.fetch("/visits");
    assertEquals(await visit.text(), "Visit 1 of /visits\n");
  },

  async "chat.ts"(client) {
    const page = await client.fetch("/");
    assertMatch(await page.text(), /^<!DOCTYPE html>/);
    await using ann = await client.websocket("/chat?name=Ann");
    const welcome = { type: "welcome", name: "Ann", names: ["Ann"] };
    assertEquals(await nextJson(ann), welcome);
    const bob = await client.websocket("/chat?name=Bob");
    assertEquals(await nextJson(ann), { type: "join", name: "Bob" });
    await bob.receive();
    await bob.send("Hi");
    const hi = { type: "say", name: "Bob", text: "Hi" };
    for (const socket of [ann, bob]) assertEquals(await nextJson(socket), hi);
    bob.disconnect();
    assertEquals(await nextJson(ann), { type: "leave", name: "Bob" });
    await ann.send(new Uint8Array(1));
    assertEquals((await ann.closed).code, 1003);
  },

  async "deno_serve.ts"(client) {
    const response = await client.fetch("/world");
    assertEquals(await response.text(), "Hello from /world\n");
    await using socket = await client.websocket("/");
    await socket.send("Hello");
    assertEquals(await socket.receive(), "Hello");
  },

  async "download.ts"(client) {
    const response = await client.fetch("/?2");
    assertEquals((await response.bytes()).length, 2 * 1024 * 1024);
    const exchange = client.request("/?1024");
    await (await exchange.response).body?.cancel();
    await exchange.finished;
    assertEquals((await client.fetch("/?many")).status, 400);
  },

  async "early_hints_and_trailers.ts"(client) {
    const exchange = client.request("/", {
      headers: { te: "trailers" },
      extensions: { "http.response.early_hint": {} },
    });
    const text = await (await exchange.response).text();
    const [{ status, headers }] = exchange.informational;
    assertEquals([status, headers[0][0]], [103, "link"]);
    const digest = createHash("sha256").update(text).digest("base64");
    const { trailers } = exchange;
    const field = (await trailers).get("content-digest");
    assertEquals(field, `sha-256=:${digest}:`);
    const old = await client.fetch("/", { httpVersion: "1.0" });
    assertEquals(await old.text(), text);
  },

  async "echo.ts"(client) {
    const pipe = new TransformStream<Uint8Array, Uint8Array>();
    const writer = pipe.writable.getWriter();
    const fetching = client.fetch("/", { ...POST, body: pipe.readable });
    await writer.write(bytes("a"));
    const reader = (await fetching).body!.getReader();
    assertEquals((await reader.read()).value, bytes("a"));
    await writer.write(bytes("b"));
    assertEquals((await reader.read()).value, bytes("b"));
    await writer.close();
    assertEquals((await reader.read()).done, true);
  },

  async "fetch_handler.ts"(client) {
    const body = ReadableStream.from([bytes("a"), bytes("b")]);
    const echoed = await client.fetch("/echo", { ...POST, body });
    assertEquals(await echoed.text(), "ab");
    const countdown = await client.fetch("/countdown");
    assertMatch(await countdown.text(), /^10\n9\n8\n(.\n)+1\n0\n$/);
    assertEquals((await client.fetch("/")).status, 404);
  },

  async "hello.ts"(client) {
    const response = await client.fetch("/wörld");
    assertEquals(await response.text(), "Hello from /wörld\n");
  },

  async "lifespan.ts"(client) {
    assert(client.hasLifespan);
    const text = await (await client.fetch("/")).text();
    assertEquals(text, `Running since ${client.state.started}\n`);
  },

  async "middleware.ts"(client) {
    const { headers } = await client.fetch("/");
    assertMatch(headers.get("server-timing") ?? "none", /^app;dur=\d+\.\d$/);
  },

  async "server_sent_events.ts"(client) {
    const exchange = client.request("/");
    const response = await exchange.response;
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    assertMatch(new TextDecoder().decode(value), /^id: 1\ndata: /);
    client.announceShutdown();
    const last = await reader.read();
    assertMatch(new TextDecoder().decode(last.value), /^event: end\n/);
    assertEquals((await reader.read()).done, true);
  },

  async "transform.ts"(client) {
    const body = ReadableStream.from([bytes("hello, w"), bytes("örld")]);
    const response = await client.fetch("/", { ...POST, body });
    assertEquals(await response.text(), "HELLO, WÖRLD");
  },

  async "upload.ts"(client) {
    const body = new Uint8Array(300_000);
    const response = await client.fetch("/", { ...POST, body });
    assertEquals(await response.text(), "300000 bytes\n");
  },

  async "websocket_denial.ts"(client) {
    const { response } = await assertRejects(
      () => client.websocket("/"),
      WebSocketDeniedError,
    );
    assertEquals(response.status, 401);
    assertEquals(response.headers.get("www-authenticate"), "Bearer");
    assertEquals(await response.text(), "Come back with the token\n");
    const token = Deno.env.get("TOKEN") || "secret";
    const headers = { authorization: `Bearer ${token}` };
    await using socket = await client.websocket("/", { headers });
    assertEquals(await socket.receive(), "Welcome");
  },

  async "websocket_echo.ts"(client) {
    assertEquals((await client.fetch("/")).status, 426);
    await using socket = await client.websocket("/");
    for (const message of ["Hello", "", new Uint8Array([0, 255])]) {
      await socket.send(message);
      assertEquals(await socket.receive(), message);
    }
  },

  async "websocket_subprotocols.ts"(client) {
    const subprotocols = ["sum.xml", "sum.json"];
    const socket = await client.websocket("/", { subprotocols });
    assertEquals(socket.subprotocol, "sum.json");
    await socket.send("[1, 2]");
    assertEquals(await nextJson(socket), { sum: 3 });
    await socket.send("{}");
    assertEquals((await socket.closed).code, 1007);
    await assertRejects(() => client.websocket("/"), WebSocketDeniedError);
  },
};

for (const [name, ask] of Object.entries(ASKED)) {
  Deno.test({
    name: `${name} runs in the test client`,
    // Some read a file or a variable.
    ignore: !granted("read") || !granted("env"),
    fn: () => bounded(run(name, ask), `examples/${name}`, TEST_TIMEOUT_MS),
  });
}

Deno.test({
  name: "every example that has an application runs in the test client",
  ignore: !granted("read"),
  fn() {
    const names = [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name)
      .filter((name) => name.endsWith(".ts") && !name.startsWith("_"));
    assert(names.includes("echo.ts"));
    const known = [...Object.keys(ASKED), ...SERVERS];
    assertEquals(names.toSorted(), known.toSorted());
  },
});

async function run(
  name: string,
  ask: (client: TestClient) => Promise<void>,
): Promise<void> {
  const { app } = await import(new URL(name, EXAMPLES).href) as {
    app: AsgiApp;
  };
  await using client = await TestClient.start(app);
  await ask(client);
}

async function nextJson(
  socket: { receive(): Promise<string | Uint8Array> },
): Promise<unknown> {
  return JSON.parse(await socket.receive() as string);
}
