// WebSockets over HTTP/1 and real sockets: handshakes written by hand, and the
// client that the runtime brings. What holds for all versions of HTTP is in
// tests/wires.

import { assert, assertEquals } from "@std/assert";
import type { ReceiveEvent } from "../../mod.ts";
import { clientFrame, concat, TEXT, utf8 } from "../websocket/_frames.ts";
import {
  request,
  WEBSOCKET_FIELDS,
  WEBSOCKET_KEY,
  webSocketRequest,
} from "./_raw_client.ts";
import { bounded, netTest, start, until } from "./_testing.ts";
import { unawaited } from "../_unawaited.ts";
import {
  accepted,
  disconnect,
  echo,
  recording,
  websocket,
  type WebSocketApp,
} from "./_websocket_apps.ts";

const ACCEPT_KEY = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** A handshake from which the field of a name is left out, or replaced. */
function handshakeWith(name: string, ...lines: string[]): string {
  const others = WEBSOCKET_FIELDS.filter((field) =>
    !field.startsWith(`${name}:`)
  );
  return request("GET", "/", ...others, ...lines);
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
    assertEquals(await raw.readExactly(7), "\x81\x05three");
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
    assertEquals(await raw.readExactly(7), "\x81\x05Hello");
  },
);

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
