// The wire of HTTP/3, over Deno's QUIC: each request has a stream of its own. As
// that client can't reset a stream, one that leaves closes the connection.

import type { Field } from "../../src/http/fields.ts";
import { handled } from "../../src/streams/handled.ts";
import { bytes, text } from "../_feeding.ts";
import { ONE } from "../e2e/_tls.ts";
import { Http3Client, type Http3ClientStream } from "../e2e/_http3_client.ts";
import { requestFields } from "../http2/_client.ts";
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

const ACCEPT_STATUS = 200;
/** More than that, a client can't send before the server reads. */
const WINDOW = 1024 * 1024;

/** HTTP/3. */
export const HTTP3: Wire = {
  name: "HTTP/3",
  httpVersion: "3",
  scheme: "https",
  options: { tls: ONE, http3: true },
  // It is requests that end, and not connections.
  halfCloses: false,
  acceptStatus: ACCEPT_STATUS,
  handshakeMethod: "CONNECT",
  large: 32 * 1024 * 1024,
  disconnects: {
    "closes": async ({ port }) => {
      using client = await Http3Client.connect(port, ONE);
      const stream = await client.open(fieldsOf({}));
      await stream.end();
      while ((await stream.next())?.type !== "content");
      return undefined;
    },
  },
  connect: async ({ port }) => new Client(await Http3Client.connect(port, ONE)),
};

function fieldsOf(
  request: Parameters<typeof requestFields>[0],
): readonly Field[] {
  return requestFields({ ...request, scheme: "https" });
}

class Client implements WireClient {
  readonly #client: Http3Client;

  constructor(client: Http3Client) {
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
    const stream = await this.#client.open(
      fieldsOf({ method, path, headers: all }),
    );
    if (content !== undefined) {
      const sending = sendAll(stream, bytes(content));
      // Where nobody reads its answer, the server may not read on.
      if (content.length > WINDOW) handled(sending);
      else await sending;
    } else if (follows === undefined) await stream.end();
    return new StreamExchange(stream, this.#client);
  }

  async fetch(request?: WireRequest): Promise<WireResponse> {
    return await (await this.request(request)).response();
  }

  async webSocket(
    { path, headers = [] }: WireRequest = {},
    first: Uint8Array = new Uint8Array(),
  ): Promise<WireWebSocket> {
    const stream = await this.#client.open(fieldsOf({
      method: "CONNECT",
      protocol: "websocket",
      path,
      headers: [["sec-websocket-version", "13"], ...headers],
    }));
    const exchange = new StreamExchange(stream);
    if (first.length > 0) await exchange.send(first);
    return new FrameWebSocket(exchange);
  }

  /** There is no such thing: requests say where they end. */
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

async function sendAll(
  stream: Http3ClientStream,
  content: Uint8Array,
): Promise<void> {
  await stream.send(content);
  await stream.end();
}

/** A stream, whether of a request or of a WebSocket. */
class StreamExchange implements WireExchange, WebSocketBytes {
  readonly acceptStatus = ACCEPT_STATUS;
  readonly #stream: Http3ClientStream;
  /** The connection that is closed to leave; `undefined` to end the stream. */
  readonly #client: Http3Client | undefined;
  readonly #informational: WireHead[] = [];
  #head: WireHead | undefined;
  #headsTaken = 0;
  #content = "";
  #trailers: readonly Field[] = [];
  #over = false;
  /** Whether the server wants no more content. */
  #stopped = false;

  constructor(stream: Http3ClientStream, client?: Http3Client) {
    this.#stream = stream;
    this.#client = client;
  }

  async send(content: string | Uint8Array): Promise<void> {
    const piece = typeof content === "string" ? bytes(content) : content;
    if (!this.#stopped) await this.#unlessStopped(this.#stream.send(piece));
  }

  async end(): Promise<void> {
    if (!this.#stopped) await this.#unlessStopped(this.#stream.end());
  }

  /** A server that needs no more stops the client, which goes on without. */
  async #unlessStopped(sending: Promise<void>): Promise<void> {
    try {
      await sending;
    } catch (error) {
      if (!String(error).includes("sending stopped by peer")) throw error;
      this.#stopped = true;
    }
  }

  async head(): Promise<WireHead> {
    const next = this.#headsTaken++;
    while (this.#informational.length <= next && this.#head === undefined) {
      if (this.#over) throw new Error(TRUNCATED);
      await this.#more();
    }
    return this.#informational[next] ?? this.#head!;
  }

  async take(length: number): Promise<string> {
    while (this.#content.length < length) {
      if (this.#over) throw new Error(TRUNCATED);
      await this.#more();
    }
    const taken = this.#content.slice(0, length);
    this.#content = this.#content.slice(length);
    return taken;
  }

  async takeToEnd(): Promise<string> {
    while (!this.#over) await this.#more();
    handled(this.end()); // It may have ended already.
    return this.#content;
  }

  async response(): Promise<WireResponse> {
    while (!this.#over) await this.#more();
    if (this.#head === undefined) throw new Error(TRUNCATED);
    const trailers = fieldMap(this.#trailers);
    return { ...this.#head, content: this.#content, trailers };
  }

  async closed(): Promise<void> {
    try {
      while (!this.#over) await this.#more();
    } catch {
      // Cut is closed, too.
    }
  }

  leave(): void {
    if (this.#client !== undefined) return this.#client.close();
    this.#stream.stop();
    handled(this.end()); // Whether or not it was ended before.
  }

  async #more(): Promise<void> {
    const part = await this.#nextPart();
    if (part === undefined) this.#over = true;
    else if (part.type === "content") this.#content += text(part.bytes);
    else this.#takeFields(part.fields);
  }

  async #nextPart(): ReturnType<Http3ClientStream["next"]> {
    try {
      return await this.#stream.next();
    } catch (cause) {
      throw new Error(TRUNCATED, { cause });
    }
  }

  #takeFields(fields: readonly Field[]): void {
    if (this.#head !== undefined) {
      // As every client does (RFC 9114, section 4.3).
      if (fields.some(([name]) => name.startsWith(":"))) {
        throw new Error(TRUNCATED);
      }
      this.#trailers = fields;
      return;
    }
    const [[, status], ...rest] = fields;
    const head = { status: Number(status), headers: fieldMap(rest) };
    if (head.status < 200) this.#informational.push(head);
    else this.#head = head;
  }
}
