// The wires of HTTP/2, by prior knowledge and over TLS: each request has a stream of its own,
// whose window is given back as the test takes its content.

import type { Field } from "../../src/http/fields.ts";
import { handled } from "../../src/streams/handled.ts";
import { FrameWriter } from "../../src/http2/frame_writer.ts";
import { HpackEncoder } from "../../src/http2/hpack/mod.ts";
import { type Http2ClientOptions, requestFields } from "../http2/_client.ts";
import type { ClientStream } from "../http2/_client_stream.ts";
import { concat, PREFACE } from "../http2/_frames.ts";
import { SocketClient } from "../http2/_sockets.ts";
import { reset } from "../e2e/_reset.ts";
import type { TestServer } from "../e2e/_testing.ts";
import { ONE } from "../e2e/_tls.ts";
import { FrameWebSocket, type WebSocketBytes } from "./_web_socket.ts";
import {
  fieldMap,
  TRUNCATED,
  type Wire,
  type WireClient,
  type WireExchange,
  type WireHead,
  type WireRequest,
  type WireResponse,
  type WireWebSocket,
} from "./_wire.ts";

/** The status by which a WebSocket is accepted. */
const ACCEPT_STATUS = 200;

/** Connects in one of the two ways. */
type Connect = (
  port: number,
  options?: Http2ClientOptions,
) => Promise<SocketClient>;

const overTcp: Connect = (port, options) => SocketClient.connect(port, options);
const overTls: Connect = (port, options) =>
  SocketClient.connectTls(port, ONE.cert, options);

/** HTTP/2 in clear text. */
export const HTTP2: Wire = {
  ...wireOf(overTcp),
  name: "HTTP/2",
  scheme: "http",
  options: {},
  disconnects: {
    ...disconnectsOf(overTcp),
    "resets the connection": async ({ port }) => {
      await reset(port, plainGet());
      return undefined;
    },
  },
};

/** HTTP/2 over TLS, chosen by ALPN. */
export const HTTP2_TLS: Wire = {
  ...wireOf(overTls),
  name: "HTTP/2 over TLS",
  scheme: "https",
  options: { tls: ONE },
  disconnects: disconnectsOf(overTls),
};

/** What both have in common. */
function wireOf(connect: Connect) {
  return {
    httpVersion: "2",
    halfCloses: true,
    // More than the window of a stream is never on its way.
    large: 2 * 1024 * 1024,
    acceptStatus: ACCEPT_STATUS,
    handshakeMethod: "CONNECT",
    connect: async ({ port }: TestServer) => {
      const client = await connect(port, { autoCredit: false });
      client.windowUpdate(0, 2 ** 30);
      return new Client(client);
    },
  } as const;
}

function disconnectsOf(connect: Connect): Wire["disconnects"] {
  return {
    "resets its stream": async ({ port }) => {
      const client = await connect(port);
      const stream = client.open();
      await stream.contentOf(1);
      stream.cancel();
      return client;
    },
    "closes": async ({ port }) => {
      await using client = await connect(port);
      await client.open().contentOf(1);
      return undefined;
    },
  };
}

/** The preface, SETTINGS, and a request. */
function plainGet(): Uint8Array {
  const parts: Uint8Array[] = [PREFACE];
  const writer = new FrameWriter({ bytes: (part) => parts.push(part.slice()) });
  writer.settings([]);
  writer.headers(1, new HpackEncoder().encode(requestFields()), true);
  return concat(parts);
}

class Client implements WireClient {
  readonly #client: SocketClient;

  constructor(client: SocketClient) {
    this.#client = client;
  }

  get port(): number {
    return this.#client.port;
  }

  async request(request: WireRequest = {}): Promise<WireExchange> {
    const { method, path, headers = [], content } = request;
    const { follows = content?.length } = request;
    const length: Field[] = typeof follows === "number"
      ? [["content-length", String(follows)]]
      : [];
    const all = [...length, ...headers];
    const isLast = follows === undefined;
    const stream = this.#client.open({ method, path, headers: all }, isLast);
    const exchange = new StreamExchange(stream);
    if (content !== undefined) {
      const isLarge = content.length > stream.sendable;
      const sending = stream.send(content, true);
      // Where nobody reads its answer, the server may not read on.
      if (isLarge) handled(sending);
      else await sending;
    }
    return exchange;
  }

  async fetch(request?: WireRequest): Promise<WireResponse> {
    return await (await this.request(request)).response();
  }

  async webSocket(
    { path, headers = [] }: WireRequest = {},
    first: Uint8Array = new Uint8Array(),
  ): Promise<WireWebSocket> {
    const stream = this.#client.together(() => {
      const stream = this.#client.open({
        method: "CONNECT",
        protocol: "websocket",
        path,
        headers: [["sec-websocket-version", "13"], ...headers],
      }, false);
      if (first.length <= 16_384 && first.length > 0) {
        this.#client.data(stream.id, first);
      }
      return stream;
    });
    const bytes = new StreamExchange(stream);
    if (first.length > 16_384) await bytes.send(first);
    return new FrameWebSocket(bytes);
  }

  async closeWrite(): Promise<void> {
    await this.#client.closeWrite();
  }

  close(): void {
    this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

/** A stream, whether of a request or of a WebSocket. */
class StreamExchange implements WireExchange, WebSocketBytes {
  readonly acceptStatus = ACCEPT_STATUS;
  readonly #stream: ClientStream;
  #heads = 0;
  #granted = 0;

  constructor(stream: ClientStream) {
    this.#stream = stream;
  }

  async send(content: string | Uint8Array): Promise<void> {
    await this.#stream.send(content);
  }

  async end(): Promise<void> {
    await this.#stream.send("", true);
  }

  async head(): Promise<WireHead> {
    const stream = this.#stream;
    const { informational } = stream;
    const next = this.#heads++;
    await stream.until(() =>
      informational.length > next || stream.status > 0 || stream.over
    );
    if (stream.status === 0 && stream.over) throw this.#truncated();
    const { status, headers } = informational[next] ?? stream;
    return { status, headers: fieldMap(headers) };
  }

  async take(length: number): Promise<string> {
    const stream = this.#stream;
    while (stream.content.length < length) {
      if (stream.over) throw this.#truncated();
      await this.#more();
    }
    return stream.consume(length);
  }

  async takeToEnd(): Promise<string> {
    const stream = this.#stream;
    while (!stream.over) await this.#more();
    if (!stream.complete) throw this.#truncated();
    if (!stream.isReset) await this.end();
    return stream.content;
  }

  async response(): Promise<WireResponse> {
    const stream = this.#stream;
    while (!stream.over) await this.#more();
    if (!stream.complete) throw this.#truncated();
    return {
      status: stream.status,
      headers: fieldMap(stream.headers),
      content: stream.content,
      trailers: fieldMap(stream.trailers ?? []),
    };
  }

  async closed(): Promise<void> {
    while (!this.#stream.over) await this.#more();
  }

  leave(): void {
    this.#stream.cancel();
  }

  /** Waits for more content, after giving back what has come. */
  async #more(): Promise<void> {
    const stream = this.#stream;
    const { received } = stream;
    if (received > this.#granted) stream.grant(received - this.#granted);
    this.#granted = received;
    await stream.until(() => stream.received > received || stream.over);
  }

  #truncated(): Error {
    const { resetCode } = this.#stream;
    if (resetCode === undefined) return new Error(TRUNCATED);
    return new Error(`${TRUNCATED} by ${resetCode}`);
  }
}
