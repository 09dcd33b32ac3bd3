// Messages of WebSockets in both directions, whatever version of HTTP carries
// them; and that each side is held to the other's pace.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  ClientDisconnected,
  fromTransform,
  type ReceiveEvent,
  type SendEvent,
} from "../../mod.ts";
import { pause, until } from "../e2e/_testing.ts";
import {
  accepted,
  disconnect,
  echo,
  recording,
} from "../e2e/_websocket_apps.ts";
import { DeflatingClient } from "../websocket/_deflating_client.ts";
import {
  BINARY,
  clientFrame,
  closeFrame,
  CONTINUATION,
  PING,
  TEXT,
  utf8,
} from "../websocket/_frames.ts";
import { start, wireTest } from "./_wires.ts";
import type { Wire, WireClient, WireRequest, WireWebSocket } from "./_wire.ts";

/** Offers compression. */
const OFFER: WireRequest = {
  headers: [["sec-websocket-extensions", "permessage-deflate"]],
};

/** Messages; so many of them are more than all buffers on the way hold. */
const manyFor = ({ large }: Wire) => large / LARGE.length;
const LARGE = "x".repeat(16 * 1024);

wireTest("Text, bytes and empty messages are echoed", async (wire) => {
  await using server = start(wire, echo);
  await using client = await wire.connect(server);
  const socket = await open(client);
  await socket.send(
    clientFrame(TEXT, "héllo"),
    clientFrame(BINARY, new Uint8Array([0, 255])),
    clientFrame(TEXT),
  );
  assertEquals(await socket.next(), "text héllo");
  const { opcode, payload } = await socket.read();
  assertEquals([opcode, ...payload], [BINARY, 0, 255]);
  assertEquals(await socket.next(), "text");
});

wireTest(
  "A message of 1 MiB in fragments is echoed whole, and a ping between them is answered",
  async (wire) => {
    await using server = start(wire, echo);
    await using client = await wire.connect(server);
    const socket = await open(client);
    const message = new Uint8Array(1024 * 1024).map((_, at) => at * 7);
    const size = message.length / 16;
    for (let part = 0; part < 16; part++) {
      const opcode = part === 0 ? BINARY : CONTINUATION;
      const piece = message.subarray(part * size, (part + 1) * size);
      await socket.send(clientFrame(opcode, piece, { fin: part === 15 }));
      if (part === 7) await socket.send(clientFrame(PING, "still there?"));
    }
    assertEquals(await socket.next(), "pong still there?");
    const { opcode, payload } = await socket.read();
    assertEquals(opcode, BINARY);
    assertEquals(payload, message);
  },
);

wireTest("A message past maxMessageBytes closes with 1009", async (wire) => {
  const ends: ReceiveEvent[] = [];
  await using server = start(wire, recording(ends), { maxMessageBytes: 1000 });
  await using client = await wire.connect(server);
  const socket = await open(client);
  await socket.send(clientFrame(TEXT, "x".repeat(1000)));
  assertEquals((await socket.read()).payload.length, 1000);
  await socket.send(clientFrame(TEXT, "x".repeat(1001)));
  assertStringIncludes(await socket.next(), "close 1009");
  await until(() => ends.length === 1);
  const [end] = ends;
  assert(end.type === "websocket.disconnect" && end.code === 1009);
});

wireTest(
  "A breach of the protocol closes with 1002, and is no fault of the application",
  async (wire) => {
    await using server = start(wire, echo);
    await using client = await wire.connect(server);
    const socket = await open(client);
    await socket.send(clientFrame(TEXT, "unmasked", { key: null }));
    assertStringIncludes(await socket.next(), "close 1002");
    assertEquals(server.errors, []);
  },
);

wireTest(
  "A transform of events echoes, and what comes with the client's close too",
  async (wire) => {
    await using server = start(
      wire,
      fromTransform((scope) => {
        if (scope.type !== "websocket") throw new TypeError("No WebSocket");
        return echoTransform();
      }),
    );
    await using client = await wire.connect(server);
    const socket = await open(client);
    await socket.send(
      clientFrame(TEXT, "one"),
      clientFrame(TEXT, "two"),
      closeFrame(3001, "bye"),
    );
    assertEquals(await socket.rest(), [
      "text one",
      "text two",
      "close 3001 bye",
    ]);
    assertEquals(server.errors, []);
  },
);

wireTest(
  "Messages are compressed in both directions for a client that offers it",
  async (wire) => {
    await using server = start(wire, echo);
    await using client = await wire.connect(server);
    const socket = await client.webSocket(OFFER);
    const { headers } = await socket.head();
    const agreed = headers.get("sec-websocket-extensions") ?? "";
    assertStringIncludes(agreed, "permessage-deflate");
    using deflating = new DeflatingClient({
      serverNoContextTakeover: agreed.includes("server_no_context_takeover"),
    });
    const message = utf8("compress me ".repeat(1000));
    for (let round = 0; round < 3; round++) {
      const compressed = await deflating.compress(message);
      await socket.send(clientFrame(TEXT, compressed, { rsv: 4 }));
      const { rsv, payload } = await socket.read();
      assertEquals(rsv, 4);
      assert(payload.length < message.length / 10);
      assertEquals(await deflating.decompress(payload), message);
    }
  },
);

wireTest(
  "Nothing is compressed where it is not offered, or not wanted",
  async (wire) => {
    for (
      const [compression, request] of [[true, {}], [false, OFFER]] as const
    ) {
      await using server = start(wire, echo, { compression });
      await using client = await wire.connect(server);
      const socket = await client.webSocket(request);
      const { headers } = await socket.head();
      assert(!headers.has("sec-websocket-extensions"));
      await socket.send(clientFrame(TEXT, "x".repeat(5000)));
      const { rsv, payload } = await socket.read();
      assertEquals([rsv, payload.length], [0, 5000]);
    }
  },
);

wireTest("maxMessageBytes holds for inflated messages", async (wire) => {
  await using server = start(wire, echo, { maxMessageBytes: 10_000 });
  await using client = await wire.connect(server);
  const socket = await open(client, OFFER);
  using deflating = new DeflatingClient();
  const bomb = await deflating.compress(new Uint8Array(1_000_000));
  assert(bomb.length < 10_000);
  await socket.send(clientFrame(BINARY, bomb, { rsv: 4 }));
  assertStringIncludes(await socket.next(), "close 1009");
});

wireTest(
  "A client that reads nothing holds sends up, and gets all once it reads",
  async (wire) => {
    const many = manyFor(wire);
    let sent = 0;
    await using server = start(
      wire,
      accepted(async (_receive, send) => {
        for (; sent < many; sent++) {
          await send({ type: "websocket.send", text: LARGE });
        }
      }),
      { compression: false },
    );
    await using client = await wire.connect(server);
    const socket = await open(client);
    await until(() => sent > 0);
    await standsStill(() => sent);
    assert(sent < many, `${sent} messages were sent to nobody`);
    for (let i = 0; i < many; i++) {
      assertEquals((await socket.read()).payload.length, LARGE.length);
    }
    assertEquals(await socket.next(), "close 1000");
    assertEquals(sent, many);
  },
);

wireTest(
  "A client that reads nothing is cut after writeTimeout, and the send rejects",
  async (wire) => {
    let rejected: unknown;
    await using server = start(
      wire,
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
    await using client = await wire.connect(server);
    await open(client);
    await until(() => rejected !== undefined);
    assert(rejected instanceof ClientDisconnected);
    client.close();
    await server.server.shutdown();
    assertEquals(server.errors, []);
  },
);

wireTest(
  "An application that receives nothing holds the client up, and gets all once it receives",
  async (wire) => {
    const many = manyFor(wire);
    let received = 0;
    const gate = Promise.withResolvers<void>();
    await using server = start(
      wire,
      accepted(async (receive) => {
        await gate.promise;
        for (; received < many; received++) {
          const event = await receive();
          if (event.type !== "websocket.receive") return;
        }
      }),
    );
    await using client = await wire.connect(server);
    const socket = await open(client);
    const frame = clientFrame(BINARY, new Uint8Array(LARGE.length));
    let written = 0;
    const sending = (async () => {
      for (; written < many; written++) await socket.send(frame);
    })();
    await until(() => written > 0);
    await standsStill(() => written);
    assert(written < many, `${written} messages were taken by nobody`);
    gate.resolve();
    await sending;
    assertEquals(await socket.next(), "close 1000");
    assertEquals(received, many);
  },
);

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

/** Waits until a number does not grow any more. */
async function standsStill(value: () => number): Promise<void> {
  for (let before = -1; before !== value();) {
    before = value();
    await pause(100);
  }
}

/** A WebSocket that was accepted. */
async function open(
  client: WireClient,
  request?: WireRequest,
): Promise<WireWebSocket> {
  return await (await client.webSocket(request)).opened();
}
