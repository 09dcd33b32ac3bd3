// The server that clients of others ask over HTTP/2, in clear and over TLS, and
// the application that it serves.

import { assert } from "@std/assert";
import {
  type AsgiApp,
  type HttpScope,
  requestBody,
  respond,
  type Send,
  type ServeOptions,
} from "../../mod.ts";
import { http, type HttpApp } from "../e2e/_apps.ts";
import { createCertificate } from "../e2e/_certificates.ts";
import { TestFolder } from "../e2e/_other_clients.ts";
import {
  netTest,
  type NetTestOptions,
  start,
  type TestServer,
} from "../e2e/_testing.ts";

/** Larger than all windows and buffers on the way. */
export const LARGE = 8 * 1024 * 1024;
const PIECE = new Uint8Array(64 * 1024).fill(0x78);

/** What the application answers, by path. */
const PATHS: Readonly<Record<string, HttpApp>> = {
  "/hello": (_scope, _receive, send) => respond(send, 200, { body: "Hello" }),
  "/seen": (scope, _receive, send) => {
    return respond(send, 200, { body: JSON.stringify(seen(scope)) });
  },
  "/large": (_scope, _receive, send) => sendLarge(send),
  "/count": async (_scope, receive, send) => {
    let bytes = 0;
    for await (const chunk of requestBody(receive)) bytes += chunk.length;
    await respond(send, 200, { body: String(bytes) });
  },
  "/echo": async (_scope, receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for await (const body of requestBody(receive)) {
      await send({ type: "http.response.body", body, more_body: true });
    }
    await send({ type: "http.response.body" });
  },
  "/hints": async (_scope, _receive, send) => {
    const links = ["</style.css>; rel=preload; as=style"];
    await send({ type: "http.response.early_hint", links });
    await respond(send, 200, { body: "Hinted" });
  },
  "/trailers": async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: true });
    await send({ type: "http.response.body", body: "data" });
    await send({ type: "http.response.trailers", headers: [["x-sum", "1"]] });
  },
  "/cut": async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "half", more_body: true });
    throw new Error("Out of order");
  },
  "/slow": async (_scope, _receive, send) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await respond(send, 200, { body: "Slow" });
  },
};

/** The application of the tests. */
export const peerApp: AsgiApp = (scope, receive, send) => {
  if (scope.type === "websocket") return echoMessages(receive, send);
  return http(async (scope, receive, send) => {
    const app = PATHS[scope.path];
    if (app === undefined) return await respond(send, 404);
    await app(scope, receive, send);
  })(scope, receive, send);
};

/** What a request looks like to the application. */
export interface SeenRequest {
  readonly version: string;
  readonly method: string;
  readonly scheme: string;
  readonly path: string;
  readonly query: string;
  readonly host: string | undefined;
  /** The port of the client: each connection has another. */
  readonly port: number | undefined;
}

function seen(scope: HttpScope): SeenRequest {
  return {
    version: scope.http_version,
    method: scope.method,
    scheme: scope.scheme,
    path: scope.path,
    query: scope.query_string,
    host: scope.headers.find(([name]) => name === "host")?.[1],
    port: scope.client?.[1],
  };
}

async function sendLarge(send: Send): Promise<void> {
  const headers = [["content-length", String(LARGE)]] as const;
  await send({ type: "http.response.start", status: 200, headers });
  for (let left = LARGE / PIECE.length - 1; left >= 0; left--) {
    const more_body = left > 0;
    await send({ type: "http.response.body", body: PIECE, more_body });
  }
}

async function echoMessages(...[receive, send]: CallSides): Promise<void> {
  for await (const event of receive) {
    if (event.type === "websocket.connect") {
      await send({ type: "websocket.accept" });
    } else if (event.type === "websocket.receive") {
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes });
    }
  }
}

type CallSides = [Parameters<AsgiApp>[1], Parameters<AsgiApp>[2]];

/** A server that is asked over HTTP/2. */
export interface Http2Server extends TestServer {
  /** Its URL, without a "/" at the end. */
  readonly origin: string;
  /** Whether over TLS. */
  readonly secure: boolean;
  /** The file of its certificate. */
  readonly certificate: string;
}

/** What a test needs. */
export interface Http2TestOptions extends NetTestOptions {
  /** Default: {@linkcode peerApp}. */
  readonly app?: AsgiApp;
  readonly server?: ServeOptions;
}

/** Declares a test over HTTP/2 in clear, and the same over TLS. */
export function http2Test(
  name: string,
  fn: (server: Http2Server) => Promise<void>,
  options: Http2TestOptions = {},
): void {
  for (const secure of [false, true]) {
    netTest(
      `${name}, ${secure ? "over TLS" : "in clear"}`,
      () => withServer(secure, options, fn),
      options,
    );
  }
}

/** Starts a server for as long as a function runs. */
export async function withServer(
  secure: boolean,
  { app = peerApp, server: more }: Http2TestOptions,
  fn: (server: Http2Server) => Promise<void>,
): Promise<void> {
  using folder = new TestFolder();
  const pair = await createCertificate();
  const certificate = folder.file("cert.pem", pair.cert);
  const tls = secure ? pair : undefined;
  await using server = start(app, { earlyHints: true, tls, ...more });
  const origin = `${secure ? "https" : "http"}://127.0.0.1:${server.port}`;
  await fn(Object.assign(server, { origin, secure, certificate }));
}

/** Asserts that all of some texts occur, in their order. */
export function assertInOrder(text: string, ...parts: string[]): void {
  let at = 0;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    assert(found >= 0, `There is no "${part}" where it should be in:\n${text}`);
    at = found + part.length;
  }
}
