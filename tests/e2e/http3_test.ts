// HTTP/3 beside HTTP/1.1 and HTTP/2 of one server: how clients learn of it, that
// limits hold for all together, and that nobody else pays for it.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Metrics } from "../../src/metrics/mod.ts";
import type { AccessRecord, AsgiApp, ServeOptions } from "../../mod.ts";
import { TestProcess } from "../_process.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { connectQuic } from "../net/_quic.ts";
import { SocketClient } from "../http2/_sockets.ts";
import { http, pathApp } from "./_apps.ts";
import { Http3Client } from "./_http3_client.ts";
import { connectTls } from "./_other_clients.ts";
import { netTest, start, type TestServer, until } from "./_testing.ts";
import { ONE } from "./_tls.ts";

const HTTP3: ServeOptions = { tls: ONE, http3: true };
const MODULE = new URL("../../mod.ts", import.meta.url).href;

/** The status and the content of the answer to one request. */
async function get(client: Http3Client, path = "/"): Promise<[string, string]> {
  const stream = await client.open([
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", "localhost"],
    [":path", path],
  ]);
  await stream.end();
  let [status, content] = ["", ""];
  for (let part; (part = await stream.next()) !== undefined;) {
    if (part.type === "content") {
      content += new TextDecoder().decode(part.bytes);
    } else status = new Map(part.fields).get(":status")!;
  }
  return [status, content];
}

/** What responses over HTTP/1.1 and HTTP/2 say of HTTP/3. */
async function altSvc(
  { port }: TestServer,
  path = "/",
): Promise<(string | undefined)[]> {
  using first = await connectTls(port, ONE);
  await first.get(path, "connection: close");
  const response = await first.readResponse();
  await using second = await SocketClient.connectTls(port, ONE.cert);
  const stream = await second.request({ path });
  return [
    response.headers.get("alt-svc") ?? undefined,
    stream.header("alt-svc"),
  ];
}

withUnstableNet(import.meta.url, () => {
  netTest("responses over TCP say where HTTP/3 is", async () => {
    await using server = start(pathApp, HTTP3);
    const value = `h3=":${server.port}"; ma=86400`;
    assertEquals(await altSvc(server), [value, value]);
    using client = await Http3Client.connect(server.port, ONE);
    assertEquals(await get(client, "/path"), ["200", "/path"]);
  });

  netTest(
    "the application, or the options, may say something else",
    async () => {
      const own: AsgiApp = http(async (_scope, _receive, send) => {
        const headers = [["alt-svc", "clear"]] as const;
        await send({ type: "http.response.start", status: 200, headers });
        await send({ type: "http.response.body" });
      });
      await using first = start(own, HTTP3);
      assertEquals(await altSvc(first), ["clear", "clear"]);
      await using second = start(pathApp, {
        ...HTTP3,
        http3: { altSvc: false },
      });
      assertEquals(await altSvc(second), [undefined, undefined]);
      await using plain = start(pathApp, { tls: ONE });
      assertEquals(await altSvc(plain), [undefined, undefined]);
    },
  );

  netTest("connections of all versions are counted together", async () => {
    const metrics = new Metrics();
    const options = { ...HTTP3, metrics, maxConnections: 2 };
    await using server = start(pathApp, options);
    using first = await connectTls(server.port, ONE);
    await first.get("/");
    await first.readResponse();
    using second = await Http3Client.connect(server.port, ONE);
    await get(second);
    await until(() => metrics.counts.connectionsOpen === 2);
    // An idle one makes room for the third: the oldest.
    using third = await Http3Client.connect(server.port, ONE);
    assertEquals(await get(third), ["200", "/"]);
    assertEquals(await first.readToEnd(), "");
    assertEquals(metrics.counts.connectionsOpen, 2);
  });

  netTest("a connection with a request is not closed for another", async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const app: AsgiApp = http(async (scope, receive, send) => {
      entered.resolve();
      await gate.promise;
      await pathApp(scope, receive, send);
    });
    await using server = start(app, { ...HTTP3, maxConnections: 1 });
    using client = await Http3Client.connect(server.port, ONE);
    const answer = get(client, "/held");
    await entered.promise;
    await assertRejects(() => connectQuic(server.port, ONE), Error, "refused");
    gate.resolve();
    assertEquals(await answer, ["200", "/held"]);
  });

  netTest("requests past the limit get 503", async () => {
    const gate = Promise.withResolvers<void>();
    const app: AsgiApp = http(async (scope, receive, send) => {
      await gate.promise;
      await pathApp(scope, receive, send);
    });
    const metrics = new Metrics();
    const options = { ...HTTP3, metrics, maxConcurrentRequests: 1 };
    await using server = start(app, options);
    using client = await Http3Client.connect(server.port, ONE);
    const answer = get(client, "/held");
    await until(() => metrics.counts.requestsInProgress === 1);
    assertEquals((await get(client))[0], "503");
    gate.resolve();
    assertEquals(await answer, ["200", "/held"]);
  });

  netTest("requests are recorded", async () => {
    const access: AccessRecord[] = [];
    const accessLog = (record: AccessRecord) => void access.push(record);
    await using server = start(pathApp, { ...HTTP3, accessLog });
    using client = await Http3Client.connect(server.port, ONE);
    await get(client, "/recorded");
    await until(() => access.length === 1);
    const [{ method, target, status, httpVersion, client: peer }] = access;
    assertEquals([method, target, status], ["GET", "/recorded", 200]);
    assertEquals([httpVersion, peer], ["3", ["127.0.0.1", client.port]]);
  });

  netTest("a shutdown lets requests end, and says so", async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const app: AsgiApp = http(async (scope, receive, send) => {
      entered.resolve();
      await gate.promise;
      await pathApp(scope, receive, send);
    });
    await using server = start(app, HTTP3);
    using client = await Http3Client.connect(server.port, ONE);
    const answer = get(client, "/held");
    await entered.promise;
    const ended = server.server.shutdown();
    await until(() => client.goAways.length === 1);
    await assertRejects(() => connectQuic(server.port, ONE), Error, "refused");
    gate.resolve();
    assertEquals(await answer, ["200", "/held"]);
    assertEquals(await client.closed, 0x100);
    await ended;
    // Identifiers never rise.
    assert(
      client.goAways.every((id, at, all) => at === 0 || id <= all[at - 1]),
    );
  });
});

const LOADS = `
  import { serve } from "${MODULE}";
  const server = serve(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body" });
  }, { port: 0, tls: JSON.parse(Deno.args[0]), log() {}, lifespan: "off",
    http3: Deno.args[1] === "http3" });
  const client = Deno.createHttpClient({ caCerts: [JSON.parse(Deno.args[0]).cert] });
  try {
    await Promise.race([
      server.finished,
      fetch("https://localhost:" + server.addr.port, { client })
        .then((response) => response.text()),
    ]);
    await server.shutdown();
    console.log("served");
  } catch (error) {
    console.log(error.message.includes("/nowhere/") ? "loaded" : error);
  }
  client.close();
`;

/** What a server does where modules of HTTP/3 cannot be loaded. */
async function serveWithout(option: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const nowhere = (path: string) => [
      new URL(path, MODULE).href,
      new URL("nowhere/", `file://${folder}/`).href,
    ];
    const imports = Object.fromEntries([
      nowhere("src/http3/"),
      [nowhere("src/net/quic.ts")[0], `file://${folder}/nowhere/quic.ts`],
    ]);
    await Deno.writeTextFile(
      `${folder}/map.json`,
      JSON.stringify({ imports }),
    );
    await Deno.writeTextFile(`${folder}/main.ts`, LOADS);
    await using process = new TestProcess([
      ...[Deno.execPath(), "run", "-A", "--unstable-net", "--no-check"],
      ...[`--import-map=${folder}/map.json`, `${folder}/main.ts`],
      ...[JSON.stringify(ONE), option],
    ]);
    const { stdout, stderr } = await process.end();
    return stdout.trim() || stderr;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

netTest("nothing of HTTP/3 is loaded by who does not ask for it", async () => {
  assertEquals(await serveWithout("none"), "served");
  assertEquals(await serveWithout("http3"), "loaded");
}, { permissions: ["read", "write", "run"] });
