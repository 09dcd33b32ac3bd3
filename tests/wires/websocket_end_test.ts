// How WebSockets end, by either side and by every deadline, whatever version of
// HTTP carries them.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ClientDisconnected, type ReceiveEvent } from "../../mod.ts";
import { pause, until } from "../e2e/_testing.ts";
import {
  accepted,
  disconnect,
  echo,
  recording,
  websocket,
} from "../e2e/_websocket_apps.ts";
import { clientFrame, closeFrame, PONG, TEXT } from "../websocket/_frames.ts";
import { start, wireTest } from "./_wires.ts";
import type { WireClient, WireWebSocket } from "./_wire.ts";

/** Bounds tests of deadlines, so that those by default would come too late. */
const BELOW_DEFAULTS_MS = 4_500;

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
  wireTest(
    `A client's close with ${what} is echoed, and the connection ends`,
    async (wire) => {
      const ends: ReceiveEvent[] = [];
      await using server = start(wire, recording(ends));
      await using client = await wire.connect(server);
      const socket = await open(client);
      await socket.send(frame);
      const [first, ...others] = await socket.rest();
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

wireTest(
  "A client that is gone without a close gives 1006, and the application ends",
  async (wire) => {
    const ends: ReceiveEvent[] = [];
    await using server = start(wire, recording(ends));
    await using client = await wire.connect(server);
    const socket = await open(client);
    await socket.send(clientFrame(TEXT, "Hello"));
    assertEquals(await socket.next(), "text Hello");
    socket.leave();
    await until(() => ends.length === 1);
    assertEquals(ends, [disconnect(1006)]);
    assertEquals(server.errors, []);
  },
);

wireTest(
  "An application that only sends ends when its client is gone",
  async (wire) => {
    const caught: unknown[] = [];
    await using server = start(
      wire,
      accepted(async (_receive, send) => {
        try {
          for (;;) {
            await send({ type: "websocket.send", text: "tick" });
            await pause(1);
          }
        } catch (error) {
          caught.push(error);
          throw error;
        }
      }),
    );
    await using client = await wire.connect(server);
    const socket = await open(client);
    assertEquals(await socket.next(), "text tick");
    socket.leave();
    await until(() => caught.length === 1);
    assert(caught[0] instanceof ClientDisconnected);
    assertEquals(server.errors, []);
  },
);

wireTest(
  "An application's close reaches the client, and its own code the application",
  async (wire) => {
    const events: ReceiveEvent[] = [];
    await using server = start(
      wire,
      accepted(async (receive, send) => {
        await send({ type: "websocket.send", text: "last" });
        await send({ type: "websocket.close", code: 4001, reason: "enough" });
        events.push(await receive());
      }),
    );
    await using client = await wire.connect(server);
    const socket = await open(client);
    assertEquals(await socket.next(), "text last");
    assertEquals(await socket.next(), "close 4001 enough");
    await socket.send(closeFrame(4001, "enough"));
    assertEquals(await socket.rest(), []);
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
  wireTest(
    `An application that ${what} closes its WebSocket (${close})`,
    async (wire) => {
      await using server = start(wire, accepted(app));
      await using client = await wire.connect(server);
      const socket = await open(client);
      assertEquals(await socket.next(), close);
      await socket.send(closeFrame(1000));
      assertEquals(await socket.rest(), []);
      assertEquals(server.errors.length, what === "throws" ? 1 : 0);
    },
  );
}

wireTest(
  "A client that does not answer a close is cut after closeTimeout",
  async (wire) => {
    await using server = start(wire, accepted(() => {}), { closeTimeout: 30 });
    await using client = await wire.connect(server);
    const socket = await open(client);
    assertEquals(await socket.next(), "close 1000");
    await socket.closed();
  },
  { timeoutMs: BELOW_DEFAULTS_MS },
);

wireTest(
  "A shutdown closes every WebSocket with 1012, and resolves",
  async (wire) => {
    const ends: ReceiveEvent[] = [];
    await using server = start(wire, recording(ends));
    await using first = await wire.connect(server);
    await using second = await wire.connect(server);
    const sockets = [await open(first), await open(second)];
    const stopped = server.server.shutdown();
    for (const socket of sockets) {
      assertEquals(await socket.next(), "close 1012");
      await socket.send(closeFrame(1012));
      assertEquals(await socket.rest(), []);
    }
    first.close();
    second.close();
    await stopped;
    assertEquals(ends, [disconnect(1012), disconnect(1012)]);
    assertEquals(server.errors, []);
  },
);

wireTest(
  "A shutdown answers a WebSocket that is not accepted with a 503",
  async (wire) => {
    let connecting = false;
    await using server = start(
      wire,
      websocket(async (receive) => {
        await receive();
        connecting = true;
        await receive();
      }),
    );
    await using client = await wire.connect(server);
    const socket = await client.webSocket();
    await until(() => connecting);
    const stopped = server.server.shutdown();
    assertEquals((await socket.response()).status, 503);
    client.close();
    await stopped;
    assertEquals(server.errors, []);
  },
);

wireTest(
  "A shutdown resolves although clients do not answer its close",
  async (wire) => {
    await using server = start(wire, echo, { shutdownTimeout: 50 });
    await using client = await wire.connect(server);
    const socket = await open(client);
    const stopped = server.server.shutdown();
    assertEquals(await socket.next(), "close 1012");
    await stopped;
  },
);

wireTest(
  "A silent client is sent pings, and is kept while it answers",
  async (wire) => {
    await using server = start(wire, echo, {
      pingInterval: 20,
      pingTimeout: 10_000,
    });
    await using client = await wire.connect(server);
    const socket = await open(client);
    for (let round = 0; round < 3; round++) {
      assertEquals(await socket.next(), "ping");
      await socket.send(clientFrame(PONG));
    }
    await socket.send(clientFrame(TEXT, "Hello"));
    let frame: string;
    while ((frame = await socket.next()) === "ping");
    assertEquals(frame, "text Hello");
  },
);

wireTest(
  "A client that answers no ping is cut, and gives 1006",
  async (wire) => {
    const ends: ReceiveEvent[] = [];
    await using server = start(wire, recording(ends), {
      pingInterval: 20,
      pingTimeout: 20,
    });
    await using client = await wire.connect(server);
    const socket = await open(client);
    assertEquals(await socket.next(), "ping");
    await socket.closed();
    await until(() => ends.length === 1);
    assertEquals(ends, [disconnect(1006)]);
    assertEquals(server.errors, []);
  },
  { timeoutMs: BELOW_DEFAULTS_MS },
);

wireTest(
  "A WebSocket without messages is closed with 1001 after webSocketIdleTimeout",
  async (wire) => {
    const ends: ReceiveEvent[] = [];
    await using server = start(wire, recording(ends), {
      webSocketIdleTimeout: 30,
    });
    await using client = await wire.connect(server);
    const socket = await open(client);
    assertStringIncludes(await socket.next(), "close 1001");
    await socket.send(closeFrame(1001));
    assertEquals(await socket.rest(), []);
    const [end] = ends;
    assert(end.type === "websocket.disconnect" && end.code === 1001);
  },
);

wireTest(
  "A send after webSocketIdleTimeout rejects, and does not cut the close short",
  async (wire) => {
    let rejected: unknown;
    const gate = Promise.withResolvers<void>();
    await using server = start(
      wire,
      accepted(async (_receive, send) => {
        await gate.promise;
        rejected = await send({ type: "websocket.send", text: "late" })
          .catch((error) => error);
      }),
      { webSocketIdleTimeout: 30 },
    );
    await using client = await wire.connect(server);
    const socket = await open(client);
    assertStringIncludes(await socket.next(), "close 1001");
    gate.resolve();
    await until(() => rejected !== undefined);
    assert(rejected instanceof ClientDisconnected);
    let over = false;
    const rest = socket.rest().finally(() => over = true);
    await pause(50);
    assert(!over, "The connection was cut");
    await socket.send(closeFrame(1001));
    assertEquals(await rest, []);
  },
);

/** A WebSocket that was accepted. */
async function open(
  client: WireClient,
): Promise<WireWebSocket> {
  return await (await client.webSocket()).opened();
}
