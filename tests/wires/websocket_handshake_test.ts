// How WebSockets are opened, or refused, whatever version of HTTP carries them.

import { assert, assertEquals } from "@std/assert";
import {
  allowedOrigins,
  type ReceiveEvent,
  type WebSocketScope,
} from "../../mod.ts";
import { pause, until } from "../e2e/_testing.ts";
import {
  accepted,
  disconnect,
  echo,
  websocket,
} from "../e2e/_websocket_apps.ts";
import { clientFrame, closeFrame, concat, TEXT } from "../websocket/_frames.ts";
import { start, wireTest } from "./_wires.ts";

wireTest(
  "An accept carries the subprotocol and the application's headers",
  async (wire) => {
    await using server = start(
      wire,
      websocket(async (_receive, send, scope) => {
        await send({
          type: "websocket.accept",
          subprotocol: scope.subprotocols[1],
          headers: [["x-a", "1"]],
        });
      }),
    );
    await using client = await wire.connect(server);
    const socket = await client.webSocket({
      headers: [["sec-websocket-protocol", "a, b"]],
    });
    const { status, headers } = await socket.head();
    assertEquals(status, wire.acceptStatus);
    assertEquals(headers.get("sec-websocket-protocol"), "b");
    assertEquals(headers.get("x-a"), "1");
    assert(!headers.has("sec-websocket-extensions"));
    assert(!headers.has("content-length"));
    assert(!headers.has("transfer-encoding"));
  },
);

wireTest("The application gets the scope of the WebSocket", async (wire) => {
  const scopes: WebSocketScope[] = [];
  await using server = start(
    wire,
    accepted((_receive, _send, scope) => void scopes.push(scope)),
  );
  await using client = await wire.connect(server);
  const socket = await client.webSocket({
    path: "/a%20b?c=%20",
    headers: [["sec-websocket-protocol", "x"], ["cookie", "d=e"]],
  });
  await socket.opened();
  const [scope] = scopes;
  assertEquals(scope.type, "websocket");
  assert(!("method" in scope));
  assertEquals(scope.scheme, wire.scheme.replace("http", "ws"));
  assertEquals(scope.http_version, wire.httpVersion);
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
  assertEquals(scope.headers[0], ["host", "test"]);
  assertEquals(scope.headers.at(-1), ["cookie", "d=e"]);
});

wireTest("A close before accept gives a 403", async (wire) => {
  await using server = start(
    wire,
    websocket(async (receive, send) => {
      await receive();
      await send({ type: "websocket.close", code: 4000 });
    }),
  );
  await using client = await wire.connect(server);
  const socket = await client.webSocket();
  assertEquals((await socket.response()).status, 403);
  assertEquals(server.errors, []);
});

wireTest("A throw, or a return, before accept gives a 500", async (wire) => {
  const fault = new Error("fault of the test");
  await using server = start(
    wire,
    websocket((_receive, _send, { path }) => {
      if (path === "/throw") throw fault;
    }),
  );
  for (const path of ["/throw", "/return"]) {
    await using client = await wire.connect(server);
    const socket = await client.webSocket({ path });
    assertEquals((await socket.response()).status, 500);
  }
  assertEquals(server.errors.length, 2);
  assertEquals(server.errors[0], fault);
});

wireTest(
  "A denial is an HTTP response, and the connection serves other requests after it",
  async (wire) => {
    await using server = start(
      wire,
      websocket(async (_receive, send) => {
        await send({
          type: "websocket.http.response.start",
          status: 401,
          headers: [["www-authenticate", "Basic"]],
        });
        const type = "websocket.http.response.body";
        await send({ type, body: "not ", more_body: true });
        await send({ type, body: "you" });
      }),
    );
    await using client = await wire.connect(server);
    const socket = await client.webSocket();
    const { status, headers, content } = await socket.response();
    assertEquals([status, content], [401, "not you"]);
    assertEquals(headers.get("www-authenticate"), "Basic");
    assertEquals((await client.fetch({ path: "/after" })).content, "/after");
    assertEquals(server.errors, []);
  },
);

wireTest(
  "Frames that come with the handshake are not lost, however late it is accepted",
  async (wire) => {
    await using server = start(
      wire,
      websocket(async (receive, send) => {
        await receive();
        await pause(20);
        await send({ type: "websocket.accept" });
        for (
          let event;
          (event = await receive()).type === "websocket.receive";
        ) {
          await send({ type: "websocket.send", text: event.text });
        }
      }),
    );
    const first = ["one", "two", "x".repeat(100_000)]
      .map((text) => clientFrame(TEXT, text));
    await using client = await wire.connect(server);
    const socket = await client.webSocket({}, concat(first));
    await socket.opened();
    assertEquals(await socket.next(), "text one");
    assertEquals(await socket.next(), "text two");
    assertEquals((await socket.read()).payload.length, 100_000);
  },
);

wireTest(
  "An application receives the disconnect of a client that it has not accepted",
  async (wire) => {
    const events: ReceiveEvent[] = [];
    await using server = start(
      wire,
      websocket(async (receive) => {
        while (events.length < 2) events.push(await receive());
      }),
    );
    await using client = await wire.connect(server);
    const socket = await client.webSocket();
    await until(() => events.length === 1);
    socket.leave();
    await until(() => events.length === 2);
    assertEquals(events, [{ type: "websocket.connect" }, disconnect(1006)]);
    assertEquals(server.errors, []);
  },
);

for (
  const [origin, refused] of [
    ["https://example.com", false],
    ["https://evil.test", true],
    [undefined, false],
  ] as const
) {
  wireTest(
    `allowedOrigins() ${refused ? "refuses" : "accepts"} ${origin ?? "none"}`,
    async (wire) => {
      await using server = start(
        wire,
        allowedOrigins(echo, ["https://example.com"]),
      );
      await using client = await wire.connect(server);
      const socket = await client.webSocket({
        headers: origin === undefined ? [] : [["origin", origin]],
      });
      const { status } = await socket.head();
      assertEquals(status, refused ? 403 : wire.acceptStatus);
    },
  );
}

wireTest(
  "Past maxWebSockets, handshakes get a 503, until one has ended",
  async (wire) => {
    await using server = start(wire, echo, { maxWebSockets: 1 });
    await using first = await wire.connect(server);
    const one = await (await first.webSocket()).opened();
    await using second = await wire.connect(server);
    const refused = await second.webSocket();
    const { status, headers } = await refused.response();
    assertEquals([status, headers.get("retry-after")], [503, "1"]);
    await using plain = await wire.connect(server);
    assertEquals((await plain.fetch({ path: "/plain" })).status, 200);

    await one.send(closeFrame(1000));
    assertEquals(await one.rest(), ["close 1000"]);
    await until(async () => {
      await using next = await wire.connect(server);
      const { status } = await (await next.webSocket()).head();
      return status === wire.acceptStatus;
    });
  },
);

wireTest("Requests are served while WebSockets are open", async (wire) => {
  await using server = start(wire, echo);
  await using client = await wire.connect(server);
  const socket = await (await client.webSocket()).opened();
  await using other = await wire.connect(server);
  assertEquals((await other.fetch({ path: "/beside" })).content, "/beside");
  await socket.send(clientFrame(TEXT, "Hello"));
  assertEquals(await socket.next(), "text Hello");
});
