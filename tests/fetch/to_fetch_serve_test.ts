// `toFetch` under `Deno.serve`, over real connections: streams, disconnects and
// faults as clients see them, and WebSockets over the platform's own.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
} from "@std/assert";
import {
  type AsgiApp,
  ClientDisconnected,
  InvalidEventError,
  type Receive,
  type Send,
  type WebSocketScope,
} from "../../mod.ts";
import {
  type FetchApp,
  toFetch,
  type ToFetchOptions,
} from "../../src/fetch/mod.ts";
import { WebSocketClient } from "../_web_socket_client.ts";
import { echoApp, http } from "../e2e/_apps.ts";
import { post, RawClient, request } from "../e2e/_raw_client.ts";
import { bounded, netTest, until } from "../e2e/_testing.ts";
import { type Listening, serveFetch } from "./_servers.ts";

/** An application on `Deno.serve`, and what it has thrown. */
interface Served extends Listening {
  readonly handler: FetchApp;
  readonly errors: unknown[];
}

function serveApp(app: AsgiApp, options: ToFetchOptions = {}): Served {
  const errors: unknown[] = [];
  const handler = toFetch(app, {
    onError: (error) => errors.push(error),
    upgradeWebSocket: Deno.upgradeWebSocket,
    ...options,
  });
  return { ...serveFetch(handler), handler, errors };
}

/** An application for WebSockets alone. */
function webSocket(
  app: (scope: WebSocketScope, receive: Receive, send: Send) => Promise<void>,
): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== "websocket") throw new TypeError(`No ${scope.type}`);
    await receive();
    await app(scope, receive, send);
  };
}

function open({ port }: Listening, path = "/", protocols: string[] = []) {
  return WebSocketClient.open(`ws://127.0.0.1:${port}${path}`, protocols);
}

netTest(
  "toFetch gives the client's address and the path as it came",
  async () => {
    const reported: unknown[] = [];
    await using server = serveApp(http(async (scope, _receive, send) => {
      const { client, server, path, raw_path, query_string } = scope;
      reported.push(client, server, path, raw_path, query_string);
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body" });
    }));
    using client = await RawClient.connect(server.port);
    await client.get("/a/../b%2F%2e?x=%20");
    await client.readResponse();
    assertEquals(reported, [
      ["127.0.0.1", client.port],
      ["test", 80],
      "/a/../b/.",
      "/a/../b%2F%2e",
      "x=%20",
    ]);
  },
);

netTest("toFetch outlives a Host that makes no URL", async () => {
  await using server = serveApp(echoApp);
  using client = await RawClient.connect(server.port);
  await client.send("GET / HTTP/1.1\r\nhost: h:99999\r\n\r\n");
  assertEquals((await client.readResponse()).status, 200);
});

netTest("toFetch streams in both directions at once", async () => {
  await using server = serveApp(echoApp);
  using client = await RawClient.connect(server.port);
  await client.send(
    request("POST", "/", "transfer-encoding: chunked"),
    "5\r\nfirst\r\n",
  );
  assertEquals((await client.readHead()).status, 200);
  assertEquals(await client.readChunk(), "first");
  await client.send("6\r\nsecond\r\n0\r\n\r\n");
  assertEquals(await client.readChunk(), "second");
  assertEquals(await client.readChunk(), "");
});

netTest(
  "toFetch goes on with the connection after unread content",
  async () => {
    await using server = serveApp(http(async ({ path }, receive, send) => {
      if (path === "/some") await receive();
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: path });
    }));
    using client = await RawClient.connect(server.port);
    for (const path of ["/none", "/some", "/none"]) {
      await client.send(post(path, "x".repeat(100_000)));
      assertEquals((await client.readResponse()).body, path);
    }
  },
);

netTest(
  "toFetch says nothing of a length that it does not know to HEAD",
  async () => {
    await using server = serveApp(http(async ({ path }, _receive, send) => {
      const headers = path === "/sized"
        ? [["content-length", "7"]] as const
        : [];
      await send({ type: "http.response.start", status: 200, headers });
      await send({ type: "http.response.body" });
    }));
    using client = await RawClient.connect(server.port);
    for (const [path, length] of [["/sized", "7"], ["/other", undefined]]) {
      await client.send(request("HEAD", path!));
      const { headers } = await client.readResponse({ method: "HEAD" });
      assertEquals(headers.get("content-length"), length);
    }
  },
);

netTest("toFetch cuts a response that ends too soon", async () => {
  await using server = serveApp(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "half", more_body: true });
    throw new Error("It broke");
  }));
  using client = await RawClient.connect(server.port);
  await client.get("/");
  await assertRejects(() => client.readResponse(), Error, "truncated");
  assertEquals(server.errors.map(String), ["Error: It broke"]);
});

netTest(
  "toFetch lets the application know that the client has disconnected",
  async () => {
    const reported = Promise.withResolvers<unknown>();
    await using server = serveApp(http(async (_scope, receive, send) => {
      await receive();
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "x", more_body: true });
      assertEquals((await receive()).type, "http.disconnect");
      const late = send({ type: "http.response.body", body: "x" });
      reported.resolve(await late.catch((error) => error));
      await late;
    }));
    const client = await RawClient.connect(server.port);
    await client.get("/");
    await client.readHead();
    client.close();
    const error = await bounded(reported.promise, "the disconnect");
    assertInstanceOf(error, ClientDisconnected);
    assertEquals(server.errors, []);
  },
);

netTest(
  "toFetch reports a client that disconnects before any answer",
  async () => {
    const begun = Promise.withResolvers<void>();
    const reported = Promise.withResolvers<string>();
    await using server = serveApp(http(async (_scope, receive) => {
      await receive();
      begun.resolve();
      reported.resolve((await receive()).type);
    }));
    const client = await RawClient.connect(server.port);
    await client.get("/");
    await begun.promise;
    client.close();
    assertEquals(await bounded(reported.promise, "it"), "http.disconnect");
    assertEquals(server.errors, []);
  },
);

netTest(
  "toFetch carries messages of a WebSocket in both directions",
  async () => {
    const scopes: WebSocketScope[] = [];
    await using server = serveApp(webSocket(async (scope, receive, send) => {
      scopes.push(scope);
      await send({ type: "websocket.accept", subprotocol: "b" });
      for (let event; (event = await receive()).type === "websocket.receive";) {
        const { text, bytes } = event;
        await send({ type: "websocket.send", text, bytes });
      }
      assertEquals(
        await receive(),
        { type: "websocket.disconnect", code: 4001, reason: "Bye" },
      );
    }));
    await using client = await open(server, "/a%20b?c", ["a", "b"]);
    assertEquals(client.protocol, "b");
    client.send("Grüße");
    client.send(Uint8Array.of(1, 2, 3));
    client.send("");
    assertEquals(await client.next(), "Grüße");
    assertEquals(await client.next(), Uint8Array.of(1, 2, 3));
    assertEquals(await client.next(), "");
    assertEquals((await client.close(4001, "Bye")).code, 4001);
    await server.handler.shutdown();
    assertEquals(server.errors, []);
    const [{ scheme, path, query_string, subprotocols, client: peer }] = scopes;
    assertEquals(
      [scheme, path, query_string, subprotocols, peer?.[0]],
      ["ws", "/a b", "c", ["a", "b"], "127.0.0.1"],
    );
  },
);

netTest(
  "toFetch keeps messages that come before they are received",
  async () => {
    const gate = Promise.withResolvers<void>();
    await using server = serveApp(webSocket(async (_scope, receive, send) => {
      await send({ type: "websocket.accept" });
      await gate.promise;
      let texts = "";
      for (let i = 0; i < 3; i++) {
        const event = await receive();
        if (event.type === "websocket.receive") texts += event.text;
      }
      await send({ type: "websocket.send", text: texts });
    }));
    await using client = await open(server);
    for (const text of "abc") client.send(text);
    gate.resolve();
    assertEquals(await client.next(), "abc");
    assertEquals((await client.closed()).code, 1000);
  },
);

netTest("toFetch closes a WebSocket whose messages pile up", async () => {
  const gate = Promise.withResolvers<void>();
  let received = 0;
  await using server = serveApp(webSocket(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await gate.promise;
    while ((await receive()).type === "websocket.receive") received++;
  }));
  const client = await open(server);
  const message = new Uint8Array(1024 * 1024);
  for (let i = 0; i < 40; i++) client.send(message);
  // What its code is depends on whether the client still reads.
  await client.closed();
  gate.resolve();
  await server.handler.shutdown();
  assert(received >= 16 && received < 40, `${received} messages were kept`);
});

netTest("toFetch closes a WebSocket with the application's code", async () => {
  await using server = serveApp(webSocket(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.close", code: 1008, reason: "Enough" });
    assertEquals(
      await receive(),
      { type: "websocket.disconnect", code: 1008, reason: "Enough" },
    );
  }));
  await using client = await open(server);
  assertEquals(await client.closed(), { code: 1008, reason: "Enough" });
  await server.handler.shutdown();
  assertEquals(server.errors, []);
});

netTest(
  "toFetch refuses what the platform's WebSocket can't carry",
  async () => {
    const messages: string[] = [];
    await using server = serveApp(webSocket(async (_scope, _receive, send) => {
      const refused = async (event: Parameters<Send>[0]) => {
        const error = await assertRejects(() => send(event), InvalidEventError);
        messages.push(error.message);
      };
      const headers = [["x-a", "1"]] as const;
      await refused({ type: "websocket.accept", headers });
      await refused({ type: "websocket.http.response.start", status: 700 });
      await send({ type: "websocket.accept", headers: [] });
      await send({ type: "websocket.send", text: "Still open" });
    }));
    await using client = await open(server);
    assertEquals(await client.next(), "Still open");
    assertEquals(messages, [
      "Cannot send websocket.accept: fetch can't carry headers of a handshake",
      "Cannot send websocket.http.response.start: fetch carries only statuses 200–599, not 700",
    ]);
  },
);

netTest("toFetch denies a WebSocket as the application does", async () => {
  const HANDSHAKE = [
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
  ];
  await using server = serveApp(webSocket(async (scope, _receive, send) => {
    if (scope.path === "/close") {
      return await send({ type: "websocket.close", code: 1008 });
    }
    if (scope.path === "/throw") throw new Error("It broke");
    const headers = [["x-why", "because"]] as const;
    const type = "websocket.http.response.body";
    const status = 401;
    await send({ type: "websocket.http.response.start", status, headers });
    await send({ type, body: "not ", more_body: true });
    await send({ type, body: "you" });
  }));
  const answers: unknown[] = [];
  for (const path of ["/close", "/throw", "/deny"]) {
    using client = await RawClient.connect(server.port);
    await client.get(path, ...HANDSHAKE);
    const { status, body, headers } = await client.readResponse();
    answers.push([status, body, headers.get("x-why")]);
  }
  assertEquals(answers, [
    [403, "Forbidden\n", undefined],
    [500, "Internal Server Error\n", undefined],
    [401, "not you", "because"],
  ]);
  assertEquals(server.errors.map(String), ["Error: It broke"]);
});

netTest("toFetch refuses a handshake that the platform refuses", async () => {
  const reported = Promise.withResolvers<unknown>();
  await using server = serveApp(webSocket(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" }).catch(reported.resolve);
  }));
  using client = await RawClient.connect(server.port);
  await client.get("/", "connection: upgrade", "upgrade: websocket");
  assertEquals((await client.readResponse()).status, 400);
  assertInstanceOf(await reported.promise, ClientDisconnected);
});

netTest("toFetch closes a WebSocket whose application throws", async () => {
  await using server = serveApp(webSocket(async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    throw new Error("It broke");
  }));
  await using client = await open(server);
  assertEquals((await client.closed()).code, 1011);
  assertEquals(server.errors.map(String), ["Error: It broke"]);
});

netTest(
  "toFetch reports to the application that a WebSocket was lost",
  async () => {
    const reported = Promise.withResolvers<unknown>();
    const accepted = Promise.withResolvers<void>();
    await using server = serveApp(webSocket(async (_scope, receive, send) => {
      await send({ type: "websocket.accept" });
      accepted.resolve();
      const event = await receive();
      const late = send({ type: "websocket.send", text: "x" });
      reported.resolve([event, await late.catch((error) => error.name)]);
    }));
    const client = await RawClient.connect(server.port);
    await client.get(
      "/",
      "connection: upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
    );
    assertEquals((await client.readHead()).status, 101);
    await accepted.promise;
    client.close();
    const [event, name] = await bounded(reported.promise, "it") as [
      unknown,
      string,
    ];
    assertMatch(JSON.stringify(event), /"websocket\.disconnect","code":1006/);
    assertEquals(name, "ClientDisconnected");
  },
);

netTest("toFetch holds up a WebSocket's sender that is too fast", async () => {
  let sent = 0;
  const total = 400;
  await using server = serveApp(webSocket(async (_scope, _receive, send) => {
    const bytes = new Uint8Array(64 * 1024);
    await send({ type: "websocket.accept" });
    for (; sent < total; sent++) await send({ type: "websocket.send", bytes });
  }));
  const client = await RawClient.connect(server.port);
  await client.get(
    "/",
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
  );
  await client.readHead();
  let [before, same] = [-1, 0];
  await until(() => {
    same = sent === before ? same + 1 : 0;
    before = sent;
    return same > 20;
  });
  client.close();
  await server.handler.shutdown();
  assert(sent < total, "All of the messages were sent unread");
});

netTest("toFetch closes WebSockets when it shuts down", async () => {
  await using server = serveApp(webSocket(async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    while ((await receive()).type !== "websocket.disconnect");
  }));
  await using client = await open(server);
  await bounded(server.handler.shutdown(), "the shutdown");
  assertEquals((await client.closed()).code, 1012);
  assertEquals(server.errors, []);
});

netTest("toFetch makes a module for deno serve", async () => {
  const root = new URL("../../", import.meta.url);
  const module = new URL("src/fetch/mod.ts", root);
  const code = `
    import { toFetch } from ${JSON.stringify(module.href)};
    export default {
      fetch: toFetch(async (scope, receive, send) => {
        if (scope.type !== "http") throw new TypeError();
        const { client, path } = scope;
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body", body: client[0] + path });
      }),
    };`;
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["serve", "--host", "127.0.0.1", "--port", "0", "--no-check"],
      `data:application/javascript,${encodeURIComponent(code)}`,
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    let printed = "";
    const decoder = new TextDecoder();
    for await (const chunk of process.stderr) {
      printed += decoder.decode(chunk, { stream: true });
      if (/:\d+\/\n/.test(printed)) break;
    }
    const [, port] = /:(\d+)\/\n/.exec(printed) ?? [];
    assert(port !== undefined, `It does not listen: ${printed}`);
    const response = await fetch(`http://127.0.0.1:${port}/world`);
    assertEquals(await response.text(), "127.0.0.1/world");
  } finally {
    process.kill("SIGKILL");
    await process.status;
  }
}, { permissions: ["run", "read", "env"] });
