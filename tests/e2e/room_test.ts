// Past maxConnections, clients that keep the server waiting make room, however
// patient its deadlines are; clients that use their connection keep it.

import { assertEquals } from "@std/assert";
import { respond, type ServeOptions } from "../../mod.ts";
import { http, type HttpApp } from "./_apps.ts";
import { createCertificate } from "./_certificates.ts";
import { connectTls } from "./_other_clients.ts";
import { type RawClient, request, webSocketRequest } from "./_raw_client.ts";
import { bounded, netTest, start, type TestServer, until } from "./_testing.ts";

const MAX_CONNECTIONS = 3;
/** No deadline makes room before a test has failed. */
const PATIENT: ServeOptions = {
  maxConnections: MAX_CONNECTIONS,
  handshakeTimeout: Infinity,
  headerTimeout: Infinity,
  keepAliveTimeout: Infinity,
  bodyTimeout: Infinity,
  writeTimeout: Infinity,
  drainTimeout: Infinity,
};
const CERTIFICATE = await createCertificate();
const HELLO = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
const HALF_HEAD = "GET / HTTP/1.1\r\nhost: te";
const EARLY = request("POST", "/early", "content-length: 9");

/** How a client holds a connection without a request. */
interface Hold {
  /** What it sends. */
  readonly bytes: string | Uint8Array;
  /** The status of the response that it waits for, if it gets one. */
  readonly status?: number;
}

const HOLDS: Record<string, Hold> = {
  "say nothing": { bytes: "" },
  "send half a head": { bytes: HALF_HEAD },
  "are idle": { bytes: request("GET", "/"), status: 200 },
  "send half of another head": {
    bytes: request("GET", "/") + HALF_HEAD,
    status: 200,
  },
  "do not send content that nobody wants": { bytes: EARLY, status: 200 },
  "do not close": {
    bytes: request("GET", "/", "connection: close"),
    status: 200,
  },
  "do not close after a refusal": { bytes: "nonsense\r\n\r\n", status: 400 },
};

for (const [what, { bytes, status }] of Object.entries(HOLDS)) {
  netTest(`clients that ${what} lock nobody out`, async () => {
    await using server = start(http(respondAtOnce), PATIENT);
    using holders = new DisposableStack();
    for (let i = 0; i < MAX_CONNECTIONS; i++) {
      const holder = holders.use(await server.connect());
      await holder.send(bytes);
      if (status === undefined) continue;
      assertEquals((await holder.readResponse()).status, status);
    }
    for (let i = 0; i < MAX_CONNECTIONS; i++) await assertServed(server);
  });
}

netTest(
  "clients that do not begin with their PROXY header lock nobody out",
  async () => {
    await using server = start(http(respondAtOnce), {
      ...PATIENT,
      proxyProtocol: ["127.0.0.1"],
    });
    using holders = new DisposableStack();
    for (let i = 0; i < MAX_CONNECTIONS; i++) {
      const holder = holders.use(await server.connect());
      await holder.send("PROXY TCP4 192.0.2.1".slice(0, 7 * i));
    }
    using client = await server.connect();
    await client.send(`PROXY UNKNOWN\r\n${request("GET", "/")}`);
    assertEquals((await client.readResponse()).status, 200);
  },
);

netTest("clients that do not go on with TLS lock nobody out", async () => {
  await using server = start(http(respondAtOnce), {
    ...PATIENT,
    tls: CERTIFICATE,
  });
  using holders = new DisposableStack();
  for (let i = 0; i < MAX_CONNECTIONS; i++) {
    const holder = holders.use(await server.connect());
    await holder.send(new Uint8Array(HELLO.slice(0, 5 * i)));
  }
  using client = await connectTls(server.port, CERTIFICATE);
  await client.get("/");
  assertEquals((await client.readResponse()).status, 200);
});

/** Clients that use their connection, up to and from where others press. */
const USES: Record<string, Use> = {
  "sends content": async (client) => {
    await client.send(request("POST", "/echo", "content-length: 8"), "half");
    return async () => {
      await client.send("more");
      assertEquals((await client.readResponse()).body, "halfmore");
    };
  },
  "waits for its response": async (client) => {
    await client.get("/wait");
    return async (open) => {
      open();
      assertEquals((await client.readResponse()).body, "/wait");
    };
  },
  "reads its response": async (client) => {
    await client.get("/stream");
    await client.readHead();
    return async (open) => {
      assertEquals(await client.readChunk(), "begun");
      open();
      assertEquals(await client.readChunk(), "done");
    };
  },
  "has a WebSocket": async (client) => {
    await client.send(webSocketRequest());
    assertEquals((await client.readHead()).status, 101);
    return async () => {
      await client.send(new Uint8Array([0x89, 0x80, 0, 0, 0, 0])); // Ping.
      assertEquals(await client.readExactly(2), "\x8a\0");
    };
  },
};

/** Begins to use a connection; what is returned goes on, and sees it whole. */
type Use = (client: RawClient) => Promise<(open: () => void) => Promise<void>>;

for (const [what, use] of Object.entries(USES)) {
  netTest(`a client that ${what} is not cut for others`, async () => {
    const gate = Promise.withResolvers<void>();
    let entered = false;
    const serveHttp = http(async (scope, receive, send) => {
      if (scope.path === "/") return respondAtOnce(scope, receive, send);
      entered = true;
      await ROUTES[scope.path](gate.promise)(scope, receive, send);
    });
    await using server = start(async (scope, receive, send) => {
      if (scope.type !== "websocket") return serveHttp(scope, receive, send);
      entered = true;
      await send({ type: "websocket.accept" });
      while ((await receive()).type !== "websocket.disconnect");
    }, { ...PATIENT, maxConnections: 2 });
    using client = await server.connect();
    const goOn = await use(client);
    await until(() => entered);
    // Each of them needs the one place that is left, for longer than any grace.
    const silent = await Promise.all([server.connect(), server.connect()]);
    using _holders = disposing(silent);
    for (let i = 0; i < 3; i++) await assertServed(server);
    await goOn(gate.resolve);
  });
}

const ROUTES: Record<string, (opened: Promise<void>) => HttpApp> = {
  "/wait": (opened) => async (scope, _receive, send) => {
    await opened;
    await respond(send, 200, { body: scope.path });
  },
  "/stream": (opened) => async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "begun", more_body: true });
    await opened;
    await send({ type: "http.response.body", body: "done" });
  },
  "/echo": () => async (_scope, receive, send) => {
    let body = "";
    for await (const event of receive) {
      if (event.type !== "http.request") return;
      body += new TextDecoder().decode(event.body);
      if (!event.more_body) break;
    }
    await respond(send, 200, { body });
  },
};

netTest("a client that has just come is not closed for others", async () => {
  await using server = start(http(respondAtOnce), {
    ...PATIENT,
    maxConnections: 2,
  });
  using old = await server.connect();
  using idle = await server.connect();
  await idle.get("/");
  await idle.readResponse();
  using next = await server.connect();
  await next.get("/");
  await next.readResponse();
  assertEquals(await idle.readToEnd(), "");
  await old.get("/");
  assertEquals((await old.readResponse()).status, 200);
});

const respondAtOnce: HttpApp = async (_scope, _receive, send) => {
  await respond(send, 200, { body: "served" });
};

/** Another client gets its response, and leaves. */
async function assertServed(server: TestServer): Promise<void> {
  using client = await server.connect();
  await client.get("/", "connection: close");
  const response = bounded(client.readResponse(), "a response", 10_000);
  assertEquals((await response).body, "served");
}

function disposing(clients: readonly Disposable[]): Disposable {
  const stack = new DisposableStack();
  for (const client of clients) stack.use(client);
  return stack;
}
