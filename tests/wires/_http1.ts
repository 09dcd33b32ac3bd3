// The wire of HTTP/1.1: one request at a time on each connection, so a client that
// leaves one closes its connection.

import type { Field } from "../../src/http/fields.ts";
import {
  RawClient,
  request as head,
  WEBSOCKET_FIELDS,
} from "../e2e/_raw_client.ts";
import { reset } from "../e2e/_reset.ts";
import { concat, utf8 } from "../websocket/_frames.ts";
import { FrameWebSocket, type WebSocketBytes } from "./_web_socket.ts";
import type {
  Wire,
  WireClient,
  WireExchange,
  WireHead,
  WireRequest,
  WireResponse,
  WireWebSocket,
} from "./_wire.ts";

/** HTTP/1.1. */
export const HTTP1: Wire = {
  name: "HTTP/1.1",
  httpVersion: "1.1",
  halfCloses: true,
  scheme: "http",
  options: {},
  // Sockets hold several megabytes.
  large: 32 * 1024 * 1024,
  acceptStatus: 101,
  handshakeMethod: "GET",
  disconnects: {
    "closes": async ({ port }) => {
      using client = await RawClient.connect(port);
      await client.get("/");
      await client.readOneByte();
      return undefined;
    },
    "closes amid the next request": async ({ port }) => {
      using client = await RawClient.connect(port);
      await client.send(head("GET", "/") + "GET /next HTTP/1.1\r\n");
      await client.readOneByte();
      return undefined;
    },
    "resets the connection": async ({ port }) => {
      await reset(port, head("GET", "/"));
      return undefined;
    },
    "resets the connection amid the next request": async ({ port }) => {
      await reset(port, head("GET", "/") + "GET /next HTTP/1.1\r\n");
      return undefined;
    },
  },
  connect: async ({ port }) => new Client(await RawClient.connect(port)),
};

class Client implements WireClient {
  readonly #raw: RawClient;

  constructor(raw: RawClient) {
    this.#raw = raw;
  }

  get port(): number {
    return this.#raw.port;
  }

  async request(request: WireRequest = {}): Promise<Exchange> {
    const { method = "GET", path = "/", headers = [], content } = request;
    const { follows = content?.length } = request;
    await this.#raw.send(
      head(method, path, ...lines(framing(follows)), ...lines(headers)) +
        (content ?? ""),
    );
    return new Exchange(this.#raw, method, follows === "unknown");
  }

  async fetch(request?: WireRequest): Promise<WireResponse> {
    return await (await this.request(request)).response();
  }

  async webSocket(
    { path = "/", headers = [] }: WireRequest = {},
    first: Uint8Array = new Uint8Array(),
  ): Promise<WireWebSocket> {
    const handshake = head("GET", path, ...WEBSOCKET_FIELDS, ...lines(headers));
    await this.#raw.send(concat([utf8(handshake), first]));
    return new FrameWebSocket(new UpgradedBytes(this.#raw));
  }

  async closeWrite(): Promise<void> {
    await this.#raw.closeWrite();
  }

  close(): void {
    this.#raw.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

function framing(follows: number | "unknown" | undefined): Field[] {
  if (follows === undefined) return [];
  return follows === "unknown"
    ? [["transfer-encoding", "chunked"]]
    : [["content-length", String(follows)]];
}

function lines(fields: readonly Field[]): string[] {
  return fields.map(([name, value]) => `${name}: ${value}`);
}

class Exchange implements WireExchange {
  readonly #raw: RawClient;
  readonly #method: string;
  readonly #chunked: boolean;
  /** The head of the response, once it is there, and its content so far. */
  #head: WireHead | undefined;
  #taken = 0;
  #buffered = "";

  constructor(raw: RawClient, method: string, chunked: boolean) {
    this.#raw = raw;
    this.#method = method;
    this.#chunked = chunked;
  }

  async send(content: string | Uint8Array): Promise<void> {
    if (!this.#chunked) return await this.#raw.send(content);
    const size = `${content.length.toString(16)}\r\n`;
    await this.#raw.send(size, content, "\r\n");
  }

  async end(): Promise<void> {
    if (this.#chunked) await this.#raw.send("0\r\n\r\n");
  }

  async head(): Promise<WireHead> {
    const head = await this.#raw.readHead();
    if (head.status >= 200) this.#head = head;
    return head;
  }

  async take(length: number): Promise<string> {
    if (this.#head === undefined) await this.head();
    this.#taken += length;
    const isChunked = this.#head!.headers.has("transfer-encoding");
    if (!isChunked) return await this.#raw.readExactly(length);
    while (this.#buffered.length < length) {
      this.#buffered += await this.#raw.readChunk();
    }
    const taken = this.#buffered.slice(0, length);
    this.#buffered = this.#buffered.slice(length);
    return taken;
  }

  async response(): Promise<WireResponse> {
    while (this.#head === undefined) await this.head();
    const { body, trailers } = await this.#raw.readRest(this.#head, {
      method: this.#method,
      read: this.#taken,
    });
    return { ...this.#head, content: this.#buffered + body, trailers };
  }

  leave(): void {
    this.#raw.close();
  }
}

/** The connection after its handshake. */
class UpgradedBytes extends Exchange implements WebSocketBytes {
  readonly acceptStatus = HTTP1.acceptStatus;
  readonly #raw: RawClient;

  constructor(raw: RawClient) {
    super(raw, "GET", false);
    this.#raw = raw;
  }

  override take(length: number): Promise<string> {
    return this.#raw.readExactly(length);
  }

  async takeToEnd(): Promise<string> {
    const rest = await this.#raw.readToEnd();
    this.#raw.close();
    return rest;
  }

  closed(): Promise<void> {
    return this.#raw.waitForClose();
  }
}
