// The program that tests start in a process of its own, to watch its memory
// and its end. It prints its URL; a line on its stdin shuts it down, and then
// only a resource that was not closed could keep it alive.

import {
  type AsgiApp,
  type HttpScope,
  type Receive,
  respond,
  type Send,
  serve,
} from "../../mod.ts";
import { countApp, http, type HttpApp } from "./_apps.ts";
import { unawaited } from "../_unawaited.ts";

const PIECE = new Uint8Array(64 * 1024);
/** What was logged of errors. */
const errors: string[] = [];
const MIB = 1024 * 1024;
/** A text of 16 MiB, once it was asked for. */
let large: string | undefined;
/** What the last download has sent so far. */
let sent = 0;

const ROUTES: Record<string, HttpApp> = {
  "/count": countApp,
  "/download": download,
  "/sent": (_scope, _receive, send) => {
    return respond(send, 200, { body: String(sent) });
  },
  "/errors": (_scope, _receive, send) => {
    return respond(send, 200, { body: errors.join("\n") });
  },
  "/begin": begin,
  "/hold": forever,
  "/unawaited/order": sendOutOfOrder,
  "/unawaited/disconnect": sendIntoNothing,
  "/unawaited/flood": flood,
  "/unawaited/stream": floodStream,
};

const httpApp: AsgiApp = http((scope, receive, send) => {
  return ROUTES[scope.path](scope, receive, send);
});

const app: AsgiApp = (scope, receive, send) => {
  return scope.type === "websocket"
    ? WEBSOCKETS[scope.path](receive, send)
    : httpApp(scope, receive, send);
};

const WEBSOCKETS: Record<
  string,
  (receive: Receive, send: Send) => Promise<void>
> = {
  "/": echo,
  "/hold": async (receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await forever();
  },
  "/large": async (receive, send) => {
    await receive();
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.send", text: largeText() });
  },
};

/** The same for all, so that the application holds it once. */
function largeText(): string {
  return large ??= "0123456789abcdef".repeat(MIB);
}

function forever(): Promise<never> {
  return new Promise(() => {});
}

/** Accepts a WebSocket, and sends back what it gets. */
async function echo(receive: Receive, send: Send) {
  await receive();
  await send({ type: "websocket.accept" });
  for (;;) {
    const event = await receive();
    if (event.type !== "websocket.receive") return;
    const { text, bytes } = event;
    await send({ type: "websocket.send", text, bytes });
  }
}

/** Sends as many bytes as the query says. */
async function download(scope: HttpScope, _receive: Receive, send: Send) {
  const bytes = Number(scope.query_string);
  const headers: [string, string][] = [["content-length", String(bytes)]];
  await send({ type: "http.response.start", status: 200, headers });
  for (let done = 0; done < bytes;) {
    const body = PIECE.subarray(0, bytes - done);
    done += body.length;
    await send({ type: "http.response.body", body, more_body: done < bytes });
    sent = done;
  }
}

/** Begins a response, and goes on only when the client is gone. */
async function begin(_scope: HttpScope, receive: Receive, send: Send) {
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body: "begun", more_body: true });
  while ((await receive()).type !== "http.disconnect");
}

async function sendOutOfOrder(
  _scope: HttpScope,
  _receive: Receive,
  send: Send,
) {
  send({ type: "http.response.body" });
  send({ type: "http.response.trailers" });
  await respond(send, 200, { body: "fine" });
}

async function sendIntoNothing(scope: HttpScope, receive: Receive, send: Send) {
  await begin(scope, receive, send);
  for (let i = 0; i < 10; i++) {
    send({ type: "http.response.body", body: PIECE, more_body: true });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Sends a million events at once. */
function flood(_scope: HttpScope, _receive: Receive, send: Send): void {
  send({ type: "http.response.start", status: 200 });
  for (let i = 0; i < 1_000_000; i++) {
    send({ type: "http.response.body", body: "piece", more_body: true });
  }
}

/** As `flood`, by a stream. */
async function floodStream(
  _scope: HttpScope,
  receive: Receive,
  send: Send,
): Promise<void> {
  const writer = send.writable.getWriter();
  unawaited(writer.write({ type: "http.response.start", status: 200 }));
  for (let i = 0; i < 1_000_000; i++) {
    unawaited(writer.write({
      type: "http.response.body",
      body: "piece",
      more_body: true,
    }));
  }
  while ((await receive()).type !== "http.disconnect");
  unawaited(writer.write({ type: "http.response.body" }));
}

const server = serve(app, {
  port: 0,
  onListen: () => {},
  log: ({ error }) => errors.push(String(error)),
});
console.log(server.url);
await Deno.stdin.read(new Uint8Array(1));
await server.shutdown();
