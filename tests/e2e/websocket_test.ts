// WebSockets over real sockets: handshakes and frames written by hand, and the
// client that the runtime brings; how they end, by either side and by every
// deadline; and that each side is held to the other's pace.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  allowedOrigins,
  type AsgiApp,
  ClientDisconnected,
  fromTransform,
  type Receive,
  type ReceiveEvent,
  respond,
  type Send,
  type SendEvent,
  type WebSocketScope,
} from "../../mod.ts";
import { DeflatingClient } from "../websocket/_deflating_client.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  concat,
  CONTINUATION,
  describe,
  PING,
  PONG,
  type ServerFrame,
  serverFrames,
  TEXT,
  utf8,
} from "../websocket/_frames.ts";
import {
  type RawClient,
  request,
  WEBSOCKET_FIELDS,
  WEBSOCKET_KEY,
  webSocketRequest,
} from "./_raw_client.ts";
import { bounded, netTest, pause, start, until } from "./_testing.ts";
import { unawaited } from "../_unawaited.ts";

/** Bounds tests of deadlines, so that those by default would come too late. */
const BELOW_DEFAULTS_MS = 4_500;

// Applications.

type WebSocketApp = (
  receive: Receive,
  send: Send,
  scope: WebSocketScope,
) => Promise<void> | void;

/** Serves WebSockets as a test says, and answers requests with their path. */
function websocket(app: WebSocketApp): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type === "http") {
      return await respond(send, 200, { body: scope.path });
    }
    if (scope.type === "websocket") return await app(receive, send, scope);
    throw new TypeError(`Unknown scope ${scope.type}`);
  };
}

/** Accepts at once, and then does what a test is about. */
function accepted(app: WebSocketApp): AsgiApp {
  return websocket(async (receive, send, scope) => {
    await receive();
    await send({ type: "websocket.accept" });
    await app(receive, send, scope);
  });
}

const echo: AsgiApp = accepted(async (receive, send) => {
  for (;;) {
    const event = await receive();
    if (event.type !== "websocket.receive") return;
    const { text, bytes } = event;
    await send({ type: "websocket.send", text, bytes });
  }
});

/** Accepts, and echoes. */
function echoTransform(): TransformStream<ReceiveEvent, SendEvent> {
  return new TransformStream({
    transform(event, controller) {
      if (event.type === "websocket.connect") {
        controller.enqueue({ type: "websocket.accept" });
      } else if (event.type === "websocket.receive") {
        const { text, bytes } = event;
        controller.enqueue({ type: "websocket.send", text, bytes });
      }
    },
  });
}

/** Keeps the last event of each WebSocket, and echoes what comes before it. */
function recording(ends: ReceiveEvent[]): AsgiApp {
  return accepted(async (receive, send) => {
    for (;;) {
      const event = await receive();
      if (event.type !== "websocket.receive") return void ends.push(event);
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes });
    }
  });
}

function disconnect(code: number, reason = ""): ReceiveEvent {
  return { type: "websocket.disconnect", code, reason };
}

// A client that writes frames by hand.

const ACCEPT_KEY = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** A handshake from which the field of a name is left out, or replaced. */
function handshakeWith(name: string, ...lines: string[]): string {
  const others = WEBSOCKET_FIELDS.filter((field) =>
    !field.startsWith(`${name}:`)
  );
  return request("GET", "/", ...others, ...lines);
}

/** A client after its handshake. */
class FrameClient implements Disposable {
  readonly raw: RawClient;

  constructor(raw: RawClient) {
    this.raw = raw;
  }

  /** Opens a WebSocket; its first frames leave together with the handshake. */
  static async open(
    server: { connect(): Promise<RawClient> },
    { fields = [], first = [] }: {
      readonly fields?: readonly string[];
      readonly first?: readonly Uint8Array[];
    } = {},
  ): Promise<FrameClient> {
    const raw = await server.connect();
    await raw.send(concat([utf8(webSocketRequest("/", ...fields)), ...first]));
    const { status, headers } = await raw.readHead();
    assertEquals(status, 101);
    assertEquals(headers.get("sec-websocket-accept"), ACCEPT_KEY);
    return new FrameClient(raw);
  }

  async send(...frames: Uint8Array[]): Promise<void> {
    await this.raw.send(concat(frames));
  }

  /** The next frame of the server. */
  async read(): Promise<ServerFrame> {
    let bytes = await this.#exactly(2);
    const short = bytes[1] & 0x7f;
    const size = short < 126 ? 0 : short === 126 ? 2 : 8;
    const extended = await this.#exactly(size);
    const length = size === 0
      ? short
      : extended.reduce((sum, byte) => 256 * sum + byte, 0);
    bytes = concat([bytes, extended, await this.#exactly(length)]);
    return serverFrames(bytes)[0];
  }

  /** The same, in short. */
  async next(): Promise<string> {
    return describe(await this.read());
  }

  /** What comes until the server closes; its last frame must be whole. */
  async rest(): Promise<string[]> {
    const bytes = latin1(await this.raw.readToEnd());
    return serverFrames(bytes).map(describe);
  }

  [Symbol.dispose](): void {
    this.raw.close();
  }

  async #exactly(length: number): Promise<Uint8Array<ArrayBuffer>> {
    return latin1(await this.raw.readExactly(length));
  }
}

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

// The client of the runtime.

/** A WebSocket of the runtime, which collects what comes. */
class RuntimeClient {
  readonly socket: WebSocket;
  readonly messages: unknown[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<CloseEvent>;

  constructor(url: string, protocols: string[] = []) {
    this.socket = new WebSocket(url.replace("http", "ws"), protocols);
    this.socket.binaryType = "arraybuffer";
    this.opened = new Promise((resolve) => {
      this.socket.onopen = () => resolve();
    });
    this.closed = new Promise((resolve) => {
      this.socket.onclose = resolve;
    });
    this.socket.onerror = (event) => event.preventDefault();
    this.socket.onmessage = ({ data }) => void this.messages.push(data);
  }
}

// Handshakes.

netTest(
  "A handshake is accepted with what RFC 6455 asks for, and the application's headers",
  async () => {
    await using server = start(websocket(async (_receive, send, scope) => {
      await send({
        type: "websocket.accept",
        subprotocol: scope.subprotocols[1],
        headers: [["x-a", "1"]],
      });
    }));
    using client = await server.connect();
    await client.send(webSocketRequest("/", "sec-websocket-protocol: a, b"));
    const { status, headers } = await client.readHead();
    assertEquals(status, 101);
    assertEquals(headers.get("upgrade"), "websocket");
    assertEquals(headers.get("connection"), "upgrade");
    assertEquals(headers.get("sec-websocket-accept"), ACCEPT_KEY);
    assertEquals(headers.get("sec-websocket-protocol"), "b");
    assertEquals(headers.get("x-a"), "1");
    assert(!headers.has("sec-websocket-extensions"));
    assert(!headers.has("content-length"));
    assert(!headers.has("transfer-encoding"));
  },
);

netTest("The application gets the scope of the WebSocket", async () => {
  const scopes: WebSocketScope[] = [];
  await using server = start(
    accepted((_receive, _send, scope) => void scopes.push(scope)),
  );
  using client = await server.connect();
  await client.send(
    webSocketRequest(
      "/a%20b?c=%20",
      "sec-websocket-protocol: x",
      "cookie: d=e",
    ),
  );
  await client.readHead();
  const [scope] = scopes;
  assertEquals(scope.scheme, "ws");
  assertEquals(scope.http_version, "1.1");
  assertEquals(scope.path, "/a b");
  assertEquals(scope.raw_path, "/a%20b");
  assertEquals(scope.query_string, "c=%20");
  assertEquals(scope.subprotocols, ["x"]);
  assertEquals(scope.client, ["127.0.0.1", client.port]);
  assertEquals(scope.server, ["127.0.0.1", server.port]);
  assertEquals(Object.keys(scope.extensions), [
    "websocket.http.response",
    "server.shutdown",
  ]);
  assertEquals(scope.headers.at(-1), ["cookie", "d=e"]);
});

for (
  const [what, bytes, status] of [
    [
      "another version",
      handshakeWith("sec-websocket-version", "sec-websocket-version: 8"),
      426,
    ],
    ["no version", handshakeWith("sec-websocket-version"), 426],
    ["no key", handshakeWith("sec-websocket-key"), 400],
    [
      "a bad key",
      handshakeWith("sec-websocket-key", "sec-websocket-key: short"),
      400,
    ],
    [
      "two keys",
      webSocketRequest("/", `sec-websocket-key: ${WEBSOCKET_KEY}`),
      400,
    ],
    ["another method", webSocketRequest().replace("GET", "POST"), 400],
    [
      "a bad subprotocol",
      webSocketRequest("/", "sec-websocket-protocol: a b"),
      400,
    ],
    [
      "a bad extension",
      webSocketRequest("/", "sec-websocket-extensions: ;"),
      400,
    ],
  ] as const
) {
  netTest(
    `A handshake with ${what} is refused with ${status}, and the application is not called`,
    async () => {
      let called = false;
      await using server = start(({ type }) => {
        if (type !== "lifespan") called = true;
      });
      using client = await server.connect();
      await client.send(bytes);
      const response = await client.readResponse();
      assertEquals(response.status, status);
      const version = response.headers.get("sec-websocket-version");
      assertEquals(version, status === 426 ? "13" : undefined);
      assert(!called);
    },
  );
}

for (
  const [what, bytes] of [
    ["of HTTP/1.0", webSocketRequest("/path").replace("HTTP/1.1", "HTTP/1.0")],
    [
      "to another protocol",
      request("GET", "/path", ...["connection: upgrade", "upgrade: h2c"]),
    ],
    [
      "without a Connection field",
      handshakeWith("connection").replace("GET /", "GET /path"),
    ],
  ] as const
) {
  netTest(`An upgrade ${what} is served as a plain request`, async () => {
    await using server = start(echo);
    using client = await server.connect();
    await client.send(bytes);
    const { status, body } = await client.readResponse();
    assertEquals([status, body], [200, "/path"]);
  });
}

netTest("A close before accept gives a 403", async () => {
  await using server = start(websocket(async (receive, send) => {
    await receive();
    await send({ type: "websocket.close", code: 4000 });
  }));
  using client = await server.connect();
  await client.send(webSocketRequest());
  assertEquals((await client.readResponse()).status, 403);
  assertEquals(server.errors, []);
});

netTest("A throw, or a return, before accept gives a 500", async () => {
  const fault = new Error("fault of the test");
  await using server = start(websocket((_receive, _send, { path }) => {
    if (path === "/throw") throw fault;
  }));
  for (const path of ["/throw", "/return"]) {
    using client = await server.connect();
    await client.send(webSocketRequest(path));
    assertEquals((await client.readResponse()).status, 500);
  }
  assertEquals(server.errors.length, 2);
  assertEquals(server.errors[0], fault);
});

netTest(
  "A denial is an HTTP response, and the connection serves other requests after it",
  async () => {
    await using server = start(websocket(async (_receive, send) => {
      await send({
        type: "websocket.http.response.start",
        status: 401,
        headers: [["www-authenticate", "Basic"]],
      });
      const type = "websocket.http.response.body";
      await send({ type, body: "not ", more_body: true });
      await send({ type, body: "you" });
    }));
    using client = await server.connect();
    await client.send(webSocketRequest());
    const { status, headers, body } = await client.readResponse();
    assertEquals([status, body], [401, "not you"]);
    assertEquals(headers.get("www-authenticate"), "Basic");
    await client.get("/after");
    assertEquals((await client.readResponse()).body, "/after");
    assertEquals(server.errors, []);
  },
);

netTest(
  "A handshake can follow requests on the same connection, and in their packet",
  async () => {
    await using server = start(echo);
    using raw = await server.connect();
    await raw.send(concat([
      utf8(
        request("GET", "/one") + request("GET", "/two") + webSocketRequest(),
      ),
      clientFrame(TEXT, "three"),
    ]));
    assertEquals((await raw.readResponse()).body, "/one");
    assertEquals((await raw.readResponse()).body, "/two");
    assertEquals((await raw.readHead()).status, 101);
    const client = new FrameClient(raw);
    assertEquals(await client.next(), "text three");
  },
);

netTest(
  "Frames that come with the handshake are not lost, however late it is accepted",
  async () => {
    await using server = start(websocket(async (receive, send) => {
      await receive();
      await pause(20);
      await send({ type: "websocket.accept" });
      for (let event; (event = await receive()).type === "websocket.receive";) {
        await send({ type: "websocket.send", text: event.text });
      }
    }));
    const first = ["one", "two", "x".repeat(100_000)]
      .map((text) => clientFrame(TEXT, text));
    using client = await FrameClient.open(server, { first });
    assertEquals(await client.next(), "text one");
    assertEquals(await client.next(), "text two");
    assertEquals((await client.read()).payload.length, 100_000);
  },
);

netTest(
  "An application receives the disconnect of a client that it has not accepted",
  async () => {
    const events: ReceiveEvent[] = [];
    await using server = start(websocket(async (receive) => {
      while (events.length < 2) events.push(await receive());
    }));
    using client = await server.connect();
    await client.send(webSocketRequest());
    await until(() => events.length === 1);
    client.close();
    await until(() => events.length === 2);
    assertEquals(events, [{ type: "websocket.connect" }, disconnect(1006)]);
    assertEquals(server.errors, []);
  },
);

for (
  const [origin, status] of [
    ["https://example.com", 101],
    ["https://evil.test", 403],
    [undefined, 101],
  ] as const
) {
  netTest(
    `allowedOrigins() answers ${origin ?? "no origin"} with ${status}`,
    async () => {
      await using server = start(allowedOrigins(echo, ["https://example.com"]));
      using client = await server.connect();
      await client.send(
        webSocketRequest(
          "/",
          ...origin === undefined ? [] : [`origin: ${origin}`],
        ),
      );
      assertEquals((await client.readHead()).status, status);
    },
  );
}

netTest(
  "Past maxWebSockets, handshakes get a 503, until one has ended",
  async () => {
    await using server = start(echo, { maxWebSockets: 1 });
    using first = await FrameClient.open(server);
    using client = await server.connect();
    await client.send(webSocketRequest());
    const { status, headers } = await client.readResponse();
    assertEquals([status, headers.get("retry-after")], [503, "1"]);
    using plain = await server.connect();
    await plain.get("/plain");
    assertEquals((await plain.readResponse()).status, 200);

    await first.send(closeFrame(1000));
    assertEquals(await first.rest(), ["close 1000"]);
    await until(async () => {
      using next = await server.connect();
      await next.send(webSocketRequest());
      return (await next.readHead()).status === 101;
    });
  },
);

// Messages.

netTest("Text, bytes and empty messages are echoed", async () => {
  await using server = start(echo);
  using client = await FrameClient.open(server);
  await client.send(
    clientFrame(TEXT, "héllo"),
    clientFrame(BINARY, new Uint8Array([0, 255])),
    clientFrame(TEXT),
  );
  assertEquals(await client.next(), "text héllo");
  const { opcode, payload } = await client.read();
  assertEquals([opcode, ...payload], [BINARY, 0, 255]);
  assertEquals(await client.next(), "text");
});

netTest(
  "A message of 1 MiB in fragments is echoed whole, and a ping between them is answered",
  async () => {
    await using server = start(echo);
    using client = await FrameClient.open(server);
    const message = new Uint8Array(1024 * 1024).map((_, at) => at * 7);
    const size = message.length / 16;
    for (let part = 0; part < 16; part++) {
      const opcode = part === 0 ? BINARY : CONTINUATION;
      const piece = message.subarray(part * size, (part + 1) * size);
      await client.send(clientFrame(opcode, piece, { fin: part === 15 }));
      if (part === 7) await client.send(clientFrame(PING, "still there?"));
    }
    assertEquals(await client.next(), "pong still there?");
    const { opcode, payload } = await client.read();
    assertEquals(opcode, BINARY);
    assertEquals(payload, message);
  },
);

netTest(
  "A handshake and frames that arrive byte by byte are understood",
  async () => {
    await using server = start(echo);
    using raw = await server.connect();
    const bytes = concat([
      utf8(webSocketRequest()),
      clientFrame(TEXT, "Hello"),
    ]);
    for (const byte of bytes) await raw.send(new Uint8Array([byte]));
    assertEquals((await raw.readHead()).status, 101);
    assertEquals(await new FrameClient(raw).next(), "text Hello");
  },
);

netTest("A message past maxMessageBytes closes with 1009", async () => {
  const ends: ReceiveEvent[] = [];
  await using server = start(recording(ends), { maxMessageBytes: 1000 });
  using client = await FrameClient.open(server);
  await client.send(clientFrame(TEXT, "x".repeat(1000)));
  assertEquals((await client.read()).payload.length, 1000);
  await client.send(clientFrame(TEXT, "x".repeat(1001)));
  assertStringIncludes(await client.next(), "close 1009");
  await until(() => ends.length === 1);
  const [end] = ends;
  assert(end.type === "websocket.disconnect" && end.code === 1009);
});

netTest(
  "A breach of the protocol closes with 1002, and is no fault of the application",
  async () => {
    await using server = start(echo);
    using client = await FrameClient.open(server);
    await client.send(clientFrame(TEXT, "unmasked", { key: null }));
    assertStringIncludes(await client.next(), "close 1002");
    assertEquals(server.errors, []);
  },
);

netTest(
  "A transform of events echoes, and what comes with the client's close too",
  async () => {
    await using server = start(
      fromTransform((scope) => {
        if (scope.type !== "websocket") throw new TypeError("No WebSocket");
        return echoTransform();
      }),
    );
    using client = await FrameClient.open(server);
    await client.send(
      clientFrame(TEXT, "one"),
      clientFrame(TEXT, "two"),
      closeFrame(3001, "bye"),
    );
    assertEquals(await client.rest(), [
      "text one",
      "text two",
      "close 3001 bye",
    ]);
    assertEquals(server.errors, []);
  },
);

// Compression.

const OFFER = "sec-websocket-extensions: permessage-deflate";

netTest(
  "Messages are compressed in both directions for a client that offers it",
  async () => {
    await using server = start(echo);
    using raw = await server.connect();
    await raw.send(webSocketRequest("/", OFFER));
    const { headers } = await raw.readHead();
    const agreed = headers.get("sec-websocket-extensions") ?? "";
    assertStringIncludes(agreed, "permessage-deflate");
    using deflating = new DeflatingClient({
      serverNoContextTakeover: agreed.includes("server_no_context_takeover"),
    });
    const client = new FrameClient(raw);
    const message = utf8("compress me ".repeat(1000));
    for (let round = 0; round < 3; round++) {
      const compressed = await deflating.compress(message);
      await client.send(clientFrame(TEXT, compressed, { rsv: 4 }));
      const { rsv, payload } = await client.read();
      assertEquals(rsv, 4);
      assert(payload.length < message.length / 10);
      assertEquals(await deflating.decompress(payload), message);
    }
  },
);

netTest(
  "Nothing is compressed where it is not offered, or not wanted",
  async () => {
    for (
      const [compression, fields] of [[true, []], [false, [OFFER]]] as const
    ) {
      await using server = start(echo, { compression });
      using raw = await server.connect();
      await raw.send(webSocketRequest("/", ...fields));
      const { headers } = await raw.readHead();
      assert(!headers.has("sec-websocket-extensions"));
      const client = new FrameClient(raw);
      await client.send(clientFrame(TEXT, "x".repeat(5000)));
      const { rsv, payload } = await client.read();
      assertEquals([rsv, payload.length], [0, 5000]);
    }
  },
);

netTest("maxMessageBytes holds for inflated messages", async () => {
  await using server = start(echo, { maxMessageBytes: 10_000 });
  using client = await FrameClient.open(server, { fields: [OFFER] });
  using deflating = new DeflatingClient();
  const bomb = await deflating.compress(new Uint8Array(1_000_000));
  assert(bomb.length < 10_000);
  await client.send(clientFrame(BINARY, bomb, { rsv: 4 }));
  assertStringIncludes(await client.next(), "close 1009");
});

// The end, by the client.

for (
  const [what, frame, answer, code, reason] of [
    [
      "a code and a reason",
      closeFrame(3001, "bye"),
      "close 3001 bye",
      3001,
      "bye",
    ],
    ["no code", closeFrame(), "close", 1005, ""],
  ] as const
) {
  netTest(
    `A client's close with ${what} is echoed, and the connection ends`,
    async () => {
      const ends: ReceiveEvent[] = [];
      await using server = start(recording(ends));
      using client = await FrameClient.open(server);
      await client.send(frame);
      const [first, ...others] = await client.rest();
      assert(
        first === answer || first === answer.split(" ", 2).join(" "),
        first,
      );
      assertEquals(others, []);
      assertEquals(ends, [disconnect(code, reason)]);
      assertEquals(server.errors, []);
    },
  );
}

netTest(
  "A client that is gone without a close gives 1006, and the application ends",
  async () => {
    const ends: ReceiveEvent[] = [];
    await using server = start(recording(ends));
    {
      using client = await FrameClient.open(server);
      await client.send(clientFrame(TEXT, "Hello"));
      assertEquals(await client.next(), "text Hello");
    }
    await until(() => ends.length === 1);
    assertEquals(ends, [disconnect(1006)]);
    assertEquals(server.errors, []);
  },
);

netTest(
  "An application that only sends ends when its client is gone",
  async () => {
    const caught: unknown[] = [];
    await using server = start(accepted(async (_receive, send) => {
      try {
        for (;;) {
          await send({ type: "websocket.send", text: "tick" });
          await pause(1);
        }
      } catch (error) {
        caught.push(error);
        throw error;
      }
    }));
    {
      using client = await FrameClient.open(server);
      assertEquals(await client.next(), "text tick");
    }
    await until(() => caught.length === 1);
    assert(caught[0] instanceof ClientDisconnected);
    assertEquals(server.errors, []);
  },
);

// The end, by the application.

netTest(
  "An application's close reaches the client, and its own code the application",
  async () => {
    const events: ReceiveEvent[] = [];
    await using server = start(accepted(async (receive, send) => {
      await send({ type: "websocket.send", text: "last" });
      await send({ type: "websocket.close", code: 4001, reason: "enough" });
      events.push(await receive());
    }));
    using client = await FrameClient.open(server);
    assertEquals(await client.next(), "text last");
    assertEquals(await client.next(), "close 4001 enough");
    await client.send(closeFrame(4001, "enough"));
    assertEquals(await client.rest(), []);
    assertEquals(events, [disconnect(4001, "enough")]);
  },
);

for (
  const [what, app, close] of [
    ["returns", () => {}, "close 1000"],
    ["throws", () => {
      throw new Error("fault of the test");
    }, "close 1011"],
  ] as const
) {
  netTest(
    `An application that ${what} closes its WebSocket (${close})`,
    async () => {
      await using server = start(accepted(app));
      using client = await FrameClient.open(server);
      assertEquals(await client.next(), close);
      await client.send(closeFrame(1000));
      assertEquals(await client.rest(), []);
      assertEquals(server.errors.length, what === "throws" ? 1 : 0);
    },
  );
}

netTest(
  "A client that does not answer a close is cut after closeTimeout",
  async () => {
    await using server = start(accepted(() => {}), { closeTimeout: 30 });
    using client = await FrameClient.open(server);
    assertEquals(await client.rest(), ["close 1000"]);
  },
  { timeoutMs: BELOW_DEFAULTS_MS },
);

// The end, by the server.

netTest(
  "A shutdown closes every WebSocket with 1012, and resolves",
  async () => {
    const ends: ReceiveEvent[] = [];
    await using server = start(recording(ends));
    const clients = [
      await FrameClient.open(server),
      await FrameClient.open(server),
    ];
    const stopped = server.server.shutdown();
    for (const client of clients) {
      assertEquals(await client.next(), "close 1012");
      await client.send(closeFrame(1012));
      assertEquals(await client.rest(), []);
      client[Symbol.dispose]();
    }
    await stopped;
    assertEquals(ends, [disconnect(1012), disconnect(1012)]);
    assertEquals(server.errors, []);
  },
);

netTest(
  "A shutdown answers a WebSocket that is not accepted with a 503",
  async () => {
    let connecting = false;
    await using server = start(websocket(async (receive) => {
      await receive();
      connecting = true;
      await receive();
    }));
    using client = await server.connect();
    await client.send(webSocketRequest());
    await until(() => connecting);
    const stopped = server.server.shutdown();
    assertEquals((await client.readResponse()).status, 503);
    client.close();
    await stopped;
    assertEquals(server.errors, []);
  },
);

netTest(
  "A shutdown resolves although clients do not answer its close",
  async () => {
    await using server = start(echo, { shutdownTimeout: 50 });
    using client = await FrameClient.open(server);
    await server.server.shutdown();
    const frames = await client.rest().catch(() => ["reset"]);
    assertEquals(frames, ["close 1012"]);
  },
);

// Deadlines.

netTest(
  "A silent client is sent pings, and is kept while it answers",
  async () => {
    await using server = start(echo, { pingInterval: 20, pingTimeout: 10_000 });
    using client = await FrameClient.open(server);
    for (let round = 0; round < 3; round++) {
      assertEquals(await client.next(), "ping");
      await client.send(clientFrame(PONG));
    }
    await client.send(clientFrame(TEXT, "Hello"));
    let frame: string;
    while ((frame = await client.next()) === "ping");
    assertEquals(frame, "text Hello");
  },
);

netTest("A client that answers no ping is cut, and gives 1006", async () => {
  const ends: ReceiveEvent[] = [];
  await using server = start(recording(ends), {
    pingInterval: 20,
    pingTimeout: 20,
  });
  using client = await FrameClient.open(server);
  assertEquals(await client.next(), "ping");
  await client.raw.waitForClose();
  await until(() => ends.length === 1);
  assertEquals(ends, [disconnect(1006)]);
  assertEquals(server.errors, []);
}, { timeoutMs: BELOW_DEFAULTS_MS });

netTest(
  "A WebSocket without messages is closed with 1001 after webSocketIdleTimeout",
  async () => {
    const ends: ReceiveEvent[] = [];
    await using server = start(recording(ends), { webSocketIdleTimeout: 30 });
    using client = await FrameClient.open(server);
    assertStringIncludes(await client.next(), "close 1001");
    await client.send(closeFrame(1001));
    assertEquals(await client.rest(), []);
    const [end] = ends;
    assert(end.type === "websocket.disconnect" && end.code === 1001);
  },
);

netTest(
  "A send after webSocketIdleTimeout rejects, and does not cut the close short",
  async () => {
    let rejected: unknown;
    const gate = Promise.withResolvers<void>();
    await using server = start(
      accepted(async (_receive, send) => {
        await gate.promise;
        rejected = await send({ type: "websocket.send", text: "late" })
          .catch((error) => error);
      }),
      { webSocketIdleTimeout: 30 },
    );
    using client = await FrameClient.open(server);
    assertStringIncludes(await client.next(), "close 1001");
    gate.resolve();
    await until(() => rejected !== undefined);
    assert(rejected instanceof ClientDisconnected);
    let over = false;
    const rest = client.rest().finally(() => over = true);
    await pause(50);
    assert(!over, "The connection was cut");
    await client.send(closeFrame(1001));
    assertEquals(await rest, []);
  },
);

// Back pressure.

/** Larger than what all buffers on the way hold together. */
const MANY = 64;
const LARGE = "x".repeat(1024 * 1024);

netTest(
  "A client that reads nothing holds sends up, and gets all once it reads",
  async () => {
    let sent = 0;
    await using server = start(
      accepted(async (_receive, send) => {
        for (; sent < MANY; sent++) {
          await send({ type: "websocket.send", text: LARGE });
        }
      }),
      { compression: false },
    );
    using client = await FrameClient.open(server);
    await until(() => sent > 0);
    await standsStill(() => sent);
    assert(sent < MANY, `${sent} messages were sent to nobody`);
    // A header of 10 bytes each.
    await client.raw.skip(MANY * (LARGE.length + 10));
    assertEquals(await client.next(), "close 1000");
    assertEquals(sent, MANY);
  },
);

netTest(
  "A client that reads nothing is cut after writeTimeout, and the send rejects",
  async () => {
    let rejected: unknown;
    await using server = start(
      accepted(async (receive, send) => {
        try {
          for (;;) await send({ type: "websocket.send", text: LARGE });
        } catch (error) {
          rejected = error;
          assertEquals(await receive(), disconnect(1006));
        }
      }),
      { writeTimeout: 100, compression: false },
    );
    using _client = await FrameClient.open(server);
    await until(() => rejected !== undefined);
    assert(rejected instanceof ClientDisconnected);
    await server.server.shutdown();
    assertEquals(server.errors, []);
  },
);

netTest(
  "An application that receives nothing holds the client up, and gets all once it receives",
  async () => {
    let received = 0;
    const gate = Promise.withResolvers<void>();
    await using server = start(accepted(async (receive) => {
      await gate.promise;
      for (; received < MANY; received++) {
        const event = await receive();
        if (event.type !== "websocket.receive") return;
      }
    }));
    using client = await FrameClient.open(server);
    const frame = clientFrame(BINARY, new Uint8Array(LARGE.length));
    let written = 0;
    const sending = (async () => {
      for (; written < MANY; written++) await client.send(frame);
    })();
    await until(() => written > 0);
    await standsStill(() => written);
    assert(written < MANY, `${written} messages were taken by nobody`);
    gate.resolve();
    await sending;
    assertEquals(await client.next(), "close 1000");
    assertEquals(received, MANY);
  },
);

/** Waits until a number does not grow any more. */
async function standsStill(value: () => number): Promise<void> {
  for (let before = -1; before !== value();) {
    before = value();
    await pause(100);
  }
}

// Beside HTTP.

netTest("Requests are served while WebSockets are open", async () => {
  await using server = start(echo);
  using client = await FrameClient.open(server);
  using http = Deno.createHttpClient({});
  const response = await fetch(`${server.url}beside`, { client: http });
  assertEquals(await response.text(), "/beside");
  await client.send(clientFrame(TEXT, "Hello"));
  assertEquals(await client.next(), "text Hello");
});

// The client of the runtime.

netTest(
  "The runtime's client gets text and bytes back, and a subprotocol",
  async () => {
    await using server = start(websocket(async (receive, send) => {
      await receive();
      await send({ type: "websocket.accept", subprotocol: "b" });
      for (let event; (event = await receive()).type === "websocket.receive";) {
        const { text, bytes } = event;
        await send({ type: "websocket.send", text, bytes });
      }
    }));
    const client = new RuntimeClient(server.url, ["a", "b"]);
    await client.opened;
    assertEquals(client.socket.protocol, "b");
    const large = "é".repeat(500_000);
    client.socket.send("Hello");
    client.socket.send(new Uint8Array([1, 2]));
    client.socket.send(large);
    await until(() => client.messages.length === 3);
    const [text, bytes, last] = client.messages;
    assertEquals(text, "Hello");
    assertEquals(new Uint8Array(bytes as ArrayBuffer), new Uint8Array([1, 2]));
    assert(last === large);
    client.socket.close();
    await client.closed;
  },
);

netTest(
  "The runtime's client and the application see each other's close",
  async () => {
    const ends: ReceiveEvent[] = [];
    await using server = start(recording(ends));
    const client = new RuntimeClient(server.url);
    await client.opened;
    client.socket.close(3001, "bye");
    const { code, wasClean } = await client.closed;
    assertEquals([code, wasClean], [3001, true]);
    await until(() => ends.length === 1);
    assertEquals(ends, [disconnect(3001, "bye")]);
  },
);

netTest(
  "The runtime's client sees the application's close, the 1011 of a throw, and the 1012 of a shutdown",
  async () => {
    const byPath: Record<string, WebSocketApp> = {
      "/close": (_receive, send) =>
        send({ type: "websocket.close", code: 4001, reason: "enough" }),
      "/throw": () => {
        throw new Error("fault of the test");
      },
      "/wait": async (receive) => void await receive(),
    };
    await using server = start(accepted((receive, send, scope) => {
      return byPath[scope.path](receive, send, scope);
    }));
    async function closeOf(path: string): Promise<[number, string]> {
      const client = new RuntimeClient(server.url + path.slice(1));
      await client.opened;
      if (path === "/wait") unawaited(server.server.shutdown());
      const { code, reason } = await client.closed;
      return [code, reason];
    }
    assertEquals(await closeOf("/close"), [4001, "enough"]);
    assertEquals(await closeOf("/throw"), [1011, ""]);
    assertEquals(await closeOf("/wait"), [1012, ""]);
    await bounded(server.server.finished, "the server's end");
  },
);

netTest("The runtime's client sees a refusal as a failure", async () => {
  await using server = start(websocket((_receive, send) => {
    return send({ type: "websocket.close" });
  }));
  const client = new RuntimeClient(server.url);
  const { wasClean } = await client.closed;
  assertEquals(wasClean, false);
});
