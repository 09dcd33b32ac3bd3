// A mistake in an application gives the same message in the test client as on
// the server, over a socket, and its client sees the same.

import { assertEquals } from "@std/assert";
import type { AsgiApp, Receive, Send, SendEvent } from "../../mod.ts";
import {
  TestClient,
  WebSocketClosedError,
  WebSocketDeniedError,
} from "../../src/testing/mod.ts";
import { WebSocketClient } from "../_web_socket_client.ts";
import { netTest, start, until } from "../e2e/_testing.ts";
import { http, webSocket } from "./_apps.ts";
import { settled } from "../_turns.ts";

/** Events that no type checker would let through. */
type Loose = { readonly type?: unknown; readonly [key: string]: unknown };

/** What became of an application, and what its client has seen. */
interface Outcome {
  readonly errors: readonly string[];
  readonly seen: string;
}

const START: Loose = { type: "http.response.start", status: 200 };
const BODY: Loose = { type: "http.response.body", body: "abc" };
const PART: Loose = { ...BODY, more_body: true };

function started(...headers: [string, string][]): Loose {
  return { ...START, headers };
}

/** Sends events, each of which is awaited. */
function sending(...events: (Loose | undefined)[]): AsgiApp {
  return http((_scope, _receive, send) => sendAll(send, events));
}

async function sendAll(
  send: Send,
  events: (Loose | undefined)[],
): Promise<void> {
  for (const event of events) await send(event as unknown as SendEvent);
}

Deno.test("An event that is refused can be found, although the response is whole", async () => {
  const app = http(async (_scope, _receive, send) => {
    await sendAll(send, [BODY]).catch(() => {});
    await sendAll(send, [START, BODY]);
  });
  await using client = await TestClient.start(app);
  assertEquals(await (await client.fetch("/")).text(), "abc");
  assertEquals(client.refusedEvents.map(String), [
    "InvalidEventError: Cannot send http.response.body: http.response.start must come first",
  ]);
  assertEquals(client.errors, []);
});

/** The mistakes of applications that serve HTTP. */
const MISTAKES: Record<string, AsgiApp> = {
  "throws": http(() => {
    throw new RangeError("Cannot find item: it is gone");
  }),
  "throws what is no error": http(() => Promise.reject("a string")),
  "returns without a response": http(() => {}),
  "returns after the start": sending(START),
  "returns amid the content": sending(START, PART),
  "throws amid the content": http(async (_scope, _receive, send) => {
    await sendAll(send, [START, PART]);
    throw new RangeError("amid");
  }),
  "sends content first": sending(BODY),
  "starts twice": sending(START, START),
  "starts amid the content": sending(START, PART, START),
  "sends an unknown type": sending({ type: "http.response.foot" }),
  "sends no type": sending({}),
  "sends nothing": sending(undefined),
  "sends a WebSocket's event": sending({ type: "websocket.accept" }),
  "sends a status of 100": sending({ ...START, status: 100 }),
  "sends a status as text": sending({ ...START, status: "200" }),
  "sends headers as an object": sending({ ...START, headers: { a: "b" } }),
  "sends a header that is no pair": sending({ ...START, headers: [["a"]] }),
  "sends a header's name with a space": sending(started(["a b", "c"])),
  "sends a header's value with CRLF": sending(started(["a", "b\r\nc: d"])),
  "sends a body of numbers": sending(START, { ...BODY, body: [1, 2] }),
  "sends more_body as text": sending(START, { ...BODY, more_body: "no" }),
  "sends two content-lengths": sending(
    started(["content-length", "1"], ["content-length", "1"]),
  ),
  "sends more than it has declared": sending(
    started(["content-length", "2"]),
    BODY,
  ),
  "sends more than it has declared, in parts": sending(
    started(["content-length", "4"]),
    PART,
    PART,
  ),
  "sends less than it has declared": sending(
    started(["content-length", "9"]),
    BODY,
  ),
  "sends trailers that were not declared": sending(START, PART, {
    type: "http.response.trailers",
  }),
  "leaves trailers out": sending({ ...START, trailers: true }, BODY),
  "hints where the scope does not offer it": sending({
    type: "http.response.early_hint",
    links: [],
  }, START),
  "hints after the start": sending(START, {
    type: "http.response.early_hint",
    links: [],
  }),
  "hints with a string": sending({
    type: "http.response.early_hint",
    links: "</a>",
  }),
  "sends a relative path": sending(START, {
    type: "http.response.pathsend",
    path: "a",
  }),
  "sends a file after content": sending(START, PART, {
    type: "http.response.pathsend",
    path: "/a",
  }),
  "sends no file": sending(START, {
    type: "http.response.zerocopysend",
    file: 3,
  }),
  "throws after the response": http(async (_scope, _receive, send) => {
    await sendAll(send, [START, BODY]);
    throw new RangeError("late");
  }),
  "sends after the response": sending(START, BODY, BODY),
  "aborts its stream": http(async (_scope, _receive, send) => {
    await send.writable.abort(new RangeError("aborted"));
  }),
};

/** Mistakes that are no errors: events that come too late go nowhere. */
const IGNORED = new Set(["sends after the response", "sends after its close"]);

for (const [what, app] of Object.entries(MISTAKES)) {
  netTest(
    `an application that ${what} meets what it meets on the server`,
    async () => {
      const served = await httpOnServer(app);
      assertEquals(await httpInProcess(app), served);
      assertEquals(served.errors.length, IGNORED.has(what) ? 0 : 1);
    },
  );
}

netTest("mistakes of different kinds give different errors", async () => {
  const { errors, seen } = await httpInProcess(MISTAKES["sends content first"]);
  assertEquals(errors, [
    "InvalidEventError: Cannot send http.response.body: http.response.start must come first",
  ]);
  assertEquals(seen, "500 Internal Server Error\n");
  const amid = await httpInProcess(MISTAKES["throws amid the content"]);
  assertEquals(amid, { errors: ["RangeError: amid"], seen: "200 cut short" });
});

/** The mistakes of applications that serve WebSockets. */
const WEBSOCKET_MISTAKES: Record<string, AsgiApp> = {
  "returns without an answer": webSocket((_scope, receive) => receive()),
  "throws before the accept": webSocket(() => {
    throw new RangeError("before");
  }),
  "throws after the accept": accepting(() => {
    throw new RangeError("late");
  }),
  "sends before the accept": webSocket((_scope, _receive, send) =>
    sendAll(send, [{ type: "websocket.send", text: "a" }])
  ),
  "accepts twice": accepting((_receive, send) =>
    sendAll(send, [{ type: "websocket.accept" }])
  ),
  "chooses what was not offered": webSocket((_scope, _receive, send) =>
    sendAll(send, [{ type: "websocket.accept", subprotocol: "b" }])
  ),
  "sends a header that the server sets": webSocket((_scope, _receive, send) =>
    sendAll(send, [{ type: "websocket.accept", headers: [["upgrade", "a"]] }])
  ),
  "sends text and bytes": accepting((_receive, send) =>
    sendAll(send, [
      { type: "websocket.send", text: "a", bytes: new Uint8Array() },
    ])
  ),
  "sends neither text nor bytes": accepting((_receive, send) =>
    sendAll(send, [{ type: "websocket.send" }])
  ),
  "sends a number": accepting((_receive, send) =>
    sendAll(send, [{ type: "websocket.send", text: 1 }])
  ),
  "closes with 1006": accepting((_receive, send) =>
    sendAll(send, [{ type: "websocket.close", code: 1006 }])
  ),
  "closes with too long a reason": accepting((_receive, send) =>
    sendAll(send, [{ type: "websocket.close", reason: "x".repeat(124) }])
  ),
  "sends after its close": accepting((_receive, send) =>
    sendAll(send, [
      { type: "websocket.close", code: 4000 },
      { type: "websocket.send", text: "a" },
    ])
  ),
  "sends a denial's content first": webSocket((_scope, _receive, send) =>
    sendAll(send, [{ type: "websocket.http.response.body" }])
  ),
  "leaves a denial unfinished": webSocket((_scope, _receive, send) =>
    sendAll(send, [
      { type: "websocket.http.response.start", status: 401 },
    ])
  ),
  "sends HTTP's events": webSocket((_scope, _receive, send) =>
    sendAll(send, [START])
  ),
};

function accepting(
  rest: (receive: Receive, send: Send) => unknown,
): AsgiApp {
  return webSocket(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await rest(receive, send);
  });
}

for (const [what, app] of Object.entries(WEBSOCKET_MISTAKES)) {
  netTest(
    `a WebSocket that ${what} meets what it meets on the server`,
    async () => {
      const served = await webSocketOnServer(app);
      assertEquals(await webSocketInProcess(app), served);
      assertEquals(served.errors.length, IGNORED.has(what) ? 0 : 1);
    },
  );
}

/** What an application does on the server, over a socket. */
async function httpOnServer(app: AsgiApp): Promise<Outcome> {
  const running = counted(app);
  await using server = start(running.app);
  const seen = await look(() => fetch(server.url));
  await until(() => running.count === 0);
  await settled();
  return { errors: server.errors.map(String), seen };
}

/** What it does in the test client. */
async function httpInProcess(app: AsgiApp): Promise<Outcome> {
  const raiseAppErrors = false;
  await using client = await TestClient.start(app, { raiseAppErrors });
  const exchange = client.request("/");
  const seen = await look(() => exchange.response);
  await exchange.finished;
  return { errors: client.errors.map(String), seen };
}

async function look(answer: () => Promise<Response>): Promise<string> {
  const response = await answer();
  const text = await response.text().catch(() => "cut short");
  return `${response.status} ${text}`;
}

async function webSocketOnServer(app: AsgiApp): Promise<Outcome> {
  const running = counted(app);
  await using server = start(running.app);
  const seen = await lookAtServer(server.url);
  await until(() => running.count === 0);
  await settled();
  return { errors: server.errors.map(String), seen };
}

/** The clients of WebSockets that there are do not tell a denial's status. */
async function lookAtServer(url: string): Promise<string> {
  let client: WebSocketClient;
  try {
    client = await WebSocketClient.open(url, ["a"]);
  } catch {
    return "denied";
  }
  await using open = client;
  return `closed with ${(await open.closed()).code}`;
}

async function webSocketInProcess(app: AsgiApp): Promise<Outcome> {
  const running = counted(app);
  const raiseAppErrors = false;
  await using client = await TestClient.start(running.app, { raiseAppErrors });
  const seen = await lookAtClient(client);
  await until(() => running.count === 0);
  await settled();
  return { errors: client.errors.map(String), seen };
}

async function lookAtClient(client: TestClient): Promise<string> {
  try {
    const subprotocols = ["a"];
    const socket = await client.websocket("/", { subprotocols });
    for (;;) await socket.receive();
  } catch (error) {
    if (error instanceof WebSocketDeniedError) return "denied";
    if (error instanceof WebSocketClosedError) {
      return `closed with ${error.code}`;
    }
    throw error;
  }
}

/** Counts the calls of an application that have not returned. */
function counted(app: AsgiApp): { readonly app: AsgiApp; count: number } {
  const running = {
    count: 0,
    async app(...call: Parameters<AsgiApp>): Promise<void> {
      running.count++;
      try {
        await app(...call);
      } finally {
        running.count--;
      }
    },
  };
  return running;
}
