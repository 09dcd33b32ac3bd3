// A client that sends exactly the bytes of the test, and takes responses
// apart with a reader of its own, so that nothing of the server is trusted to
// judge itself. Bytes are shown as strings with one code unit a byte.

/** A response, or an interim response, as it came over the wire. */
export interface RawResponse {
  /** The status code. */
  readonly status: number;
  /** The fields; repeated ones are joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  /** The content, de-chunked. */
  readonly body: string;
  /** The trailers. */
  readonly trailers: ReadonlyMap<string, string>;
}

/** What decides how a response is read. */
export interface ReadOptions {
  /** The method of the request: the response to a HEAD has no content. */
  readonly method?: string;
}

const encoder = new TextEncoder();

/** A connection of a client, written and read by hand. */
export class RawClient implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #chunk = new Uint8Array(64 * 1024);
  #buffer = "";
  #heard = false;

  /** Takes over a connection. */
  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Connects to a port of the loopback interface. */
  static async connect(port: number): Promise<RawClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new RawClient(conn);
  }

  /** Connects over TLS to a port of "localhost", whose certificate is `cert`. */
  static async connectTls(port: number, cert: string): Promise<RawClient> {
    const address = { hostname: "localhost", port };
    const conn = await Deno.connectTls({ ...address, caCerts: [cert] });
    return new RawClient(conn);
  }

  /** The client's own port. */
  get port(): number {
    return (this.#conn.localAddr as Deno.NetAddr).port;
  }

  /** Whether anything has come from the server. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Sends pieces, each in a write of its own. */
  async send(...pieces: (string | Uint8Array)[]): Promise<void> {
    for (const piece of pieces) {
      let rest = typeof piece === "string" ? encoder.encode(piece) : piece;
      while (rest.length > 0) {
        rest = rest.subarray(await this.#conn.write(rest));
      }
    }
  }

  /** Sends a request without content. */
  async get(path: string, ...fields: string[]): Promise<void> {
    await this.send(request("GET", path, ...fields));
  }

  /** Reads the next response whole. */
  async readResponse({ method }: ReadOptions = {}): Promise<RawResponse> {
    const head = await this.readHead();
    return { ...head, ...await this.readRest(head, { method }) };
  }

  /** Reads what follows a head, of which `read` bytes were read before. */
  async readRest(
    { status, headers }: Pick<RawResponse, "status" | "headers">,
    { method, read = 0 }: ReadOptions & { readonly read?: number } = {},
  ): Promise<Pick<RawResponse, "body" | "trailers">> {
    const bodyless = method === "HEAD" || status < 200 || status === 204 ||
      status === 304;
    let body = "";
    let trailers: ReadonlyMap<string, string> = new Map();
    if (bodyless) {
      return { body, trailers };
    } else if (headers.get("transfer-encoding") === "chunked") {
      for (let chunk; (chunk = await this.readChunk()) !== "";) body += chunk;
      trailers = await this.#readFields();
    } else if (headers.has("content-length")) {
      const length = Number(headers.get("content-length"));
      body = await this.readExactly(length - read);
    } else {
      body = await this.readToEnd();
    }
    return { body, trailers };
  }

  /** Reads a status line and fields, and leaves what follows. */
  async readHead(): Promise<Omit<RawResponse, "body" | "trailers">> {
    const line = await this.#readLine();
    const match = /^HTTP\/1\.1 ([0-9]{3}) [^\r\n]*$/.exec(line);
    if (match === null) throw new Error(`No status line: ${line}`);
    return { status: Number(match[1]), headers: await this.#readFields() };
  }

  /** Reads one chunk's content; "" for the last, whose trailers are left. */
  async readChunk(): Promise<string> {
    const line = await this.#readLine();
    if (!/^[0-9a-f]+$/.test(line)) throw new Error(`No chunk size: ${line}`);
    const size = Number.parseInt(line, 16);
    const content = await this.readExactly(size);
    if (size > 0 && await this.#readLine() !== "") {
      throw new Error("No CRLF after a chunk");
    }
    return content;
  }

  /** Reads so many bytes. */
  async readExactly(length: number): Promise<string> {
    while (this.#buffer.length < length) await this.#fillOrThrow();
    return this.#take(length, length);
  }

  /** Reads so many bytes, and drops them. */
  async skip(length: number): Promise<void> {
    const buffered = Math.min(length, this.#buffer.length);
    this.#take(buffered, buffered);
    for (let left = length - buffered; left > 0;) {
      const room = this.#chunk.subarray(0, left);
      const read = await this.#conn.read(room);
      if (read === null) throw new Error("The response is truncated");
      left -= read;
    }
  }

  /** Reads all that comes until the server closes; a reset rejects. */
  async readToEnd(): Promise<string> {
    while (await this.#fill());
    return this.#take(this.#buffer.length, this.#buffer.length);
  }

  /** Reads and drops bytes until the server closes, in whatever way. */
  async waitForClose(): Promise<void> {
    try {
      while (await this.#conn.read(this.#chunk) !== null);
    } catch {
      // It was reset.
    }
  }

  /** Takes one byte of what comes, and leaves the rest with the system. */
  async readOneByte(): Promise<void> {
    if (await this.#conn.read(new Uint8Array(1)) === null) {
      throw new Error("The server closed");
    }
  }

  /** Says that no more will be sent. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Closes both directions; idempotent. */
  close(): void {
    this.#conn[Symbol.dispose]();
  }

  /** As {@linkcode RawClient.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #readFields(): Promise<Map<string, string>> {
    const fields = new Map<string, string>();
    for (let line; (line = await this.#readLine()) !== "";) {
      const [, name, value] = /^([^:\s]+): ?(.*)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`No field: ${line}`);
      const earlier = fields.get(name);
      fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
    }
    return fields;
  }

  async #readLine(): Promise<string> {
    let end: number;
    while ((end = this.#buffer.indexOf("\r\n")) === -1) {
      await this.#fillOrThrow();
    }
    return this.#take(end, end + 2);
  }

  #take(length: number, consumed: number): string {
    const text = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(consumed);
    return text;
  }

  async #fillOrThrow(): Promise<void> {
    if (await this.#fill()) return;
    throw new Error(`The response is truncated: ${this.#buffer.slice(-60)}`);
  }

  async #fill(): Promise<boolean> {
    const length = await this.#conn.read(this.#chunk);
    if (length === null) return false;
    this.#heard = true;
    const bytes = this.#chunk.subarray(0, length);
    for (let at = 0; at < length; at += 4096) {
      this.#buffer += String.fromCharCode(...bytes.subarray(at, at + 4096));
    }
    return true;
  }
}

/** A request without content; each field is a line without its CRLF. */
export function request(
  method: string,
  path: string,
  ...fields: string[]
): string {
  return [`${method} ${path} HTTP/1.1`, "host: test", ...fields, "", ""]
    .join("\r\n");
}

/** A request with its content and content-length. */
export function post(path: string, body: string, ...fields: string[]): string {
  const { length } = encoder.encode(body);
  return request("POST", path, `content-length: ${length}`, ...fields) + body;
}

/** The key that RFC 6455, section 1.3 has as its example. */
export const WEBSOCKET_KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** The fields of a WebSocket's handshake. */
export const WEBSOCKET_FIELDS: readonly string[] = [
  "connection: Upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  `sec-websocket-key: ${WEBSOCKET_KEY}`,
];

/** A WebSocket's handshake; more fields are added at its end. */
export function webSocketRequest(path = "/", ...fields: string[]): string {
  return request("GET", path, ...WEBSOCKET_FIELDS, ...fields);
}

/** The content of the next responses. */
export async function readBodies(
  client: RawClient,
  count: number,
): Promise<string[]> {
  const bodies = [];
  for (let i = 0; i < count; i++) {
    bodies.push((await client.readResponse()).body);
  }
  return bodies;
}
