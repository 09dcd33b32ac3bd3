// A WebSocket from the exchange that asks for it to its end.

import { assert, assertEquals } from "@std/assert";
import type {
  WebSocketEnds,
  WebSocketInput,
} from "../../src/asgi/websocket_wire.ts";
import { readWebSocketRequest } from "../../src/server/websocket_handshake.ts";
import { UpgradingWebSocket } from "../../src/server/websocket_upgrade.ts";
import { MessagePipe } from "../../src/streams/message_pipe.ts";
import { BufferBudget } from "../../src/websocket/buffer_budget.ts";
import { DEFAULT_WEBSOCKET_OPTIONS } from "../../src/websocket/options.ts";
import { clientFrame, closeFrame, TEXT } from "../websocket/_frames.ts";
import { exampleRequest, FakeExchange, HANDSHAKE } from "./_fake_exchange.ts";

const ACCEPT = [
  ["upgrade", "websocket"],
  ["sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
];

function upgrading(
  exchange = new FakeExchange(),
  compression = true,
): UpgradingWebSocket {
  const request = readWebSocketRequest(exchange.request);
  assert(request?.type === "request");
  return new UpgradingWebSocket(exchange, request, {
    ...DEFAULT_WEBSOCKET_OPTIONS,
    lingerTimeout: 123,
    compression,
    budget: new BufferBudget(Infinity),
  });
}

function createMessages() {
  return new MessagePipe<WebSocketInput, WebSocketInput>({
    highWaterMark: 1000,
    size: () => 1,
    transform: (input) => input,
  });
}

function createEnds(messages = createMessages()): WebSocketEnds {
  return { messages, sendsMade: () => undefined };
}

Deno.test("accept() leaves HTTP, and gives the WebSocket", async () => {
  const exchange = new FakeExchange();
  const wire = upgrading(exchange);
  const messages = createMessages();
  assertEquals(wire.opened, undefined);
  const session = await wire.accept(
    { subprotocol: null, headers: [["x-a", "1"]] },
    createEnds(messages),
  );
  assertEquals(exchange.calls, [["upgrade", [...ACCEPT, ["x-a", "1"]]]]);
  const { client } = exchange;
  client.feed(clientFrame(TEXT, "Hello"), closeFrame(1000));
  assertEquals((await messages.read()).value, {
    type: "message",
    data: "Hello",
  });
  await session.send("Hi", { more: false });
  await session.close(1000, "");
  assertEquals(await wire.opened!.outcome, {
    status: 101,
    bytesSent: 4 + 4,
    aborted: false,
  });
  assertEquals([client.closedFor, client.aborted], [123, false]);
});

Deno.test("Compression is agreed on where it is offered and wanted", async () => {
  for (const compression of [true, false]) {
    const headers = [
      ...HANDSHAKE,
      [
        "sec-websocket-extensions",
        "permessage-deflate",
      ] as const,
    ];
    const exchange = new FakeExchange(exampleRequest({ headers }));
    const wire = upgrading(exchange, compression);
    await wire.accept({ subprotocol: null, headers: [] }, createEnds());
    const extensions = ["sec-websocket-extensions", AGREED];
    assertEquals(exchange.calls, [
      ["upgrade", compression ? [...ACCEPT, extensions] : ACCEPT],
    ]);
    exchange.client.abort();
    await wire.opened!.outcome;
  }
});

const AGREED = "permessage-deflate; server_no_context_takeover";

Deno.test("A WebSocket that is cut, or whose client is lost, is aborted", async () => {
  for (const how of ["cut", "lost"]) {
    const exchange = new FakeExchange();
    const wire = upgrading(exchange);
    await wire.accept({ subprotocol: null, headers: [] }, createEnds());
    if (how === "cut") exchange.client.abort();
    else exchange.client.lose();
    assertEquals((await wire.opened!.outcome).aborted, true, how);
    assert(exchange.client.aborted, how);
  }
});

Deno.test("A WebSocket that is not accepted is answered by its exchange", async () => {
  const exchange = new FakeExchange();
  const wire = upgrading(exchange);
  wire.head(401, []);
  await wire.data(new Uint8Array([0x41]), true);
  await wire.refuse(403);
  wire.abort();
  assertEquals(exchange.calls, [
    ["head", 401, []],
    ["data", "A", true],
    ["refuse", 403, []],
    ["abort"],
  ]);
});
