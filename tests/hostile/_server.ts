// The server that hostile clients attack, in a process of its own. It listens
// in clear, over TLS in both ways, and for proxies that send a PROXY header;
// prints the ports as JSON; says of itself what must not grow; and ends when its
// stdin does.
// Arguments: a certificate, its key, and options of the server as JSON.

import { pendingTimers } from "./_timers.ts";
import {
  type AsgiApp,
  type HttpScope,
  type Receive,
  requestBody,
  respond,
  type Send,
  serve,
  type WebSocketScope,
} from "../../mod.ts";
import { Metrics } from "../../src/metrics/mod.ts";

const [cert, key, options] = Deno.args;
const PIECE = new Uint8Array(64 * 1024);
const metrics = new Metrics();

type App<Scope> = (scope: Scope, receive: Receive, send: Send) => Promise<void>;

const HTTP: Record<string, App<HttpScope>> = {
  /** Answers at once. */
  "/": (_scope, _receive, send) => respond(send, 200, { body: "served" }),
  /** Answers with more than a few requests' worth of bytes. */
  "/large": (_scope, _receive, send) => respond(send, 200, { body: PIECE }),
  /** Answers with the number of bytes that it was sent. */
  "/count": async (_scope, receive, send) => {
    let bytes = 0;
    for await (const chunk of requestBody(receive)) bytes += chunk.length;
    await respond(send, 200, { body: `${bytes} bytes` });
  },
  /** The same, but takes its time for each piece. */
  "/slow": async (_scope, receive, send) => {
    let bytes = 0;
    for await (const chunk of requestBody(receive)) {
      bytes += chunk.length;
      await pause();
    }
    await respond(send, 200, { body: `${bytes} bytes` });
  },
  /** Begins a response, and leaves it at that until the client is gone. */
  "/begin": async (_scope, receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "begun", more_body: true });
    while ((await receive()).type !== "http.disconnect");
  },
  /** Sends as long as there is somebody to take it. */
  "/endless": async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for (;;) {
      await send({ type: "http.response.body", body: PIECE, more_body: true });
    }
  },
  "/vitals": (_scope, _receive, send) => {
    const { connectionsOpen, webSocketsOpen, requestsInProgress } =
      metrics.counts;
    const vitals = {
      connections: connectionsOpen,
      webSockets: webSocketsOpen,
      requests: requestsInProgress,
      timers: pendingTimers(),
    };
    return respond(send, 200, { body: JSON.stringify(vitals) });
  },
};

const WEBSOCKET: Record<string, App<WebSocketScope>> = {
  /** Sends back what it is sent. */
  "/": async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    for await (const event of receive) {
      if (event.type !== "websocket.receive") continue;
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes } as never);
    }
  },
  /** Accepts only when the client is gone. */
  "/late": async (_scope, receive, send) => {
    while ((await receive()).type !== "websocket.disconnect");
    await send({ type: "websocket.accept" });
  },
  /** Takes its time for each message. */
  "/slow": async (_scope, receive, send) => {
    await send({ type: "websocket.accept" });
    while ((await receive()).type !== "websocket.disconnect") await pause();
  },
  /** Sends as long as there is somebody to take it. */
  "/endless": async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    for (;;) await send({ type: "websocket.send", bytes: PIECE });
  },
  /** Accepts and closes at once. */
  "/close": async (_scope, _receive, send) => {
    await send({ type: "websocket.accept" });
    await send({ type: "websocket.close" });
  },
};

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "http") await HTTP[scope.path](scope, receive, send);
  if (scope.type === "websocket") {
    await WEBSOCKET[scope.path](scope, receive, send);
  }
};

const local = { hostname: "127.0.0.1", port: 0 };
const server = serve(app, {
  ...JSON.parse(options),
  lifespan: "off",
  listen: [
    local,
    { ...local, tls: { cert, key } },
    { ...local, tls: { cert, key, noDelay: true } },
    { ...local, proxyProtocol: ["127.0.0.1"] },
  ],
  metrics,
  onListen: (_first, all) => {
    const ports = all.map((address) => (address as Deno.NetAddr).port);
    console.log(JSON.stringify(ports));
  },
});
await Deno.stdin.read(new Uint8Array(1));
await server.shutdown();
