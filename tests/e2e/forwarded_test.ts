// Behind a proxy, over sockets: what the application and the access log see of
// a client, whose proxy is trusted or is not, and that nothing a client can
// send makes the server fail.

import { assertEquals } from "@std/assert";
import {
  type AccessRecord,
  type AsgiApp,
  respond,
  serve,
  type ServeOptions,
} from "../../mod.ts";
import { forwarded, mount } from "../../src/middleware/mod.ts";
import { WebSocketClient } from "../_web_socket_client.ts";
import { http } from "./_apps.ts";
import { connectUnix, TestFolder } from "./_other_clients.ts";
import { netTest, start, until } from "./_testing.ts";

const TRUSTED: ServeOptions = { trustedProxies: ["127.0.0.0/8"] };
const FORWARDED = ["x-forwarded-for: 192.0.2.1", "x-forwarded-proto: https"];
const CLIENT = { client: ["192.0.2.1", 0], scheme: "https" };

/** Answers with what it sees of the client, and where it is mounted. */
const app: AsgiApp = http(async (scope, _receive, send) => {
  const { client, scheme, path, root_path } = scope;
  const body = JSON.stringify({ client, scheme, path, root_path });
  await respond(send, 200, { body });
});

/** What the application sees of a request. */
async function seen(
  options: ServeOptions,
  fields: string[],
  wrapped = app,
): Promise<Record<string, unknown>> {
  await using server = start(wrapped, options);
  using client = await server.connect();
  await client.get("/x", ...fields);
  const { body } = await client.readResponse();
  const facts = JSON.parse(body);
  // The client's own port differs from run to run.
  if (facts.client?.[1] === client.port) facts.client[1] = "its port";
  return facts;
}

const OWN = { client: ["127.0.0.1", "its port"], scheme: "http" };

netTest("trustedProxies say who the client is", async () => {
  assertEquals(await seen(TRUSTED, FORWARDED), {
    ...CLIENT,
    path: "/x",
    root_path: "",
  });
});

netTest("no proxy is trusted by default", async () => {
  const { client, scheme } = await seen({}, FORWARDED);
  assertEquals({ client, scheme }, OWN);
});

netTest("a proxy elsewhere is not trusted", async () => {
  const options = { trustedProxies: ["10.0.0.0/8", "unix", "::/0"] };
  const { client, scheme } = await seen(options, FORWARDED);
  assertEquals({ client, scheme }, OWN);
});

netTest("trustedProxies do not make the server read other fields", async () => {
  const { client, scheme } = await seen(TRUSTED, [
    "forwarded: for=192.0.2.1;proto=https",
    "x-real-ip: 192.0.2.1",
    "x-forwarded-prefix: /evil",
  ]);
  assertEquals({ client, scheme }, OWN);
});

netTest("whatever a trusted proxy passes on is no error", async () => {
  for (const value of ["", ",", '"', "a b", "[", "\x80\xff", "::1:::", "_"]) {
    await using server = start(app, TRUSTED);
    using client = await server.connect();
    await client.get("/", `x-forwarded-for: ${value}`, "x-forwarded-proto: ,");
    assertEquals((await client.readResponse()).status, 200, value);
    assertEquals(server.errors, []);
  }
});

netTest("rootPath is where the application is, and in its paths", async () => {
  const facts = await seen({ rootPath: "/outer" }, []);
  assertEquals([facts.path, facts.root_path], ["/outer/x", "/outer"]);
  const inner = mount({ "/x": app });
  const mounted = await seen({ rootPath: "/outer" }, [], inner);
  assertEquals([mounted.path, mounted.root_path], ["/outer/x", "/outer/x"]);
});

netTest("the middleware does what the options do, and more", async () => {
  const wrapped = forwarded(app, {
    trust: ["127.0.0.1"],
    fields: ["forwarded", "x-forwarded-prefix"],
  });
  const fields = [
    'forwarded: for=forged, for="192.0.2.1:99";proto=https',
    "x-forwarded-prefix: /outer",
  ];
  assertEquals(await seen({}, fields, wrapped), {
    client: ["192.0.2.1", 99],
    scheme: "https",
    path: "/outer/x",
    root_path: "/outer",
  });
});

netTest(
  "the access log has the client that a trusted proxy named",
  async () => {
    const records: AccessRecord[] = [];
    await using server = start(app, {
      ...TRUSTED,
      accessLog: (record) => records.push(record),
    });
    using client = await server.connect();
    await client.get("/", ...FORWARDED);
    await client.readResponse();
    // No proxy has said anything of what is no request.
    await client.send("GET / HTTP/1.1\r\nhost: a b\r\n\r\n");
    await client.waitForClose();
    await until(() => records.length === 2);
    const seen = records.map(({ client, scheme }) => [client?.[0], scheme]);
    assertEquals(seen, [["192.0.2.1", "https"], ["127.0.0.1", "http"]]);
  },
);

netTest("requests on one connection each have their own client", async () => {
  await using server = start(app, TRUSTED);
  using client = await server.connect();
  for (const host of ["192.0.2.1", "192.0.2.2"]) {
    await client.get("/", `x-forwarded-for: ${host}`);
    const { body } = await client.readResponse();
    assertEquals(JSON.parse(body).client, [host, 0]);
  }
  await client.get("/");
  const { body } = await client.readResponse();
  assertEquals(JSON.parse(body).client, ["127.0.0.1", client.port]);
});

netTest("a WebSocket behind a trusted proxy is wss", async () => {
  // Deno's client sends no such field, so the proxy is an application.
  const echo: AsgiApp = async (scope, receive, send) => {
    if (scope.type !== "websocket") throw new TypeError("No WebSocket");
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: scope.scheme });
    await receive();
  };
  const proxied = forwarded(echo, { trust: ["127.0.0.1"] });
  const proxy: AsgiApp = (scope, receive, send) => {
    if (scope.type !== "websocket") return proxied(scope, receive, send);
    const headers = [...scope.headers];
    headers.push(["x-forwarded-proto", "https"]);
    return proxied({ ...scope, headers }, receive, send);
  };
  await using server = start(proxy);
  const socket = await WebSocketClient.open(server.url.replace("http", "ws"));
  assertEquals(await socket.next(), "wss");
  await socket.close();
});

netTest("a proxy at a unix socket is trusted only as such", async () => {
  using folder = new TestFolder();
  for (const [trust, expected] of [["unix", "192.0.2.1"], ["::/0", null]]) {
    const path = folder.file("server.sock");
    await using _server = serve(app, {
      log() {},
      onListen() {},
      listen: { path },
      trustedProxies: [String(trust)],
    });
    using client = await connectUnix(path);
    await client.get("/", ...FORWARDED, "connection: close");
    const facts = JSON.parse((await client.readResponse()).body);
    assertEquals(facts.client?.[0] ?? null, expected);
  }
}, {
  permissions: ["read", "write"],
  lacks: Deno.build.os === "windows"
    ? "there are no unix sockets here"
    : undefined,
});
