// The test client over sockets: plain TCP, where the server recognises HTTP/2 by
// its preface, or TLS, where ALPN chooses it.

import { Http2Client, type Http2ClientOptions } from "./_client.ts";

/** A client that owns a socket. */
export class SocketClient extends Http2Client implements AsyncDisposable {
  readonly #conn: Deno.Conn;
  readonly #reading: Promise<void>;
  #writing: Promise<void> = Promise.resolve();
  #held = Promise.withResolvers<void>();

  private constructor(conn: Deno.Conn, options?: Http2ClientOptions) {
    super((chunk) => this.#write(chunk), options);
    this.#conn = conn;
    this.#held.resolve();
    this.#reading = this.#read();
  }

  /** Connects to a port of the loopback interface, and begins. */
  static async connect(
    port: number,
    options?: Http2ClientOptions,
  ): Promise<SocketClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return SocketClient.begin(conn, options);
  }

  /** As {@linkcode SocketClient.connect}, over TLS; `cert` is what is trusted. */
  static async connectTls(
    port: number,
    cert: string,
    options?: Http2ClientOptions,
  ): Promise<SocketClient> {
    const conn = await Deno.connectTls({
      hostname: "127.0.0.1",
      port,
      caCerts: [cert],
      alpnProtocols: ["h2"],
    });
    const { alpnProtocol } = await conn.handshake();
    if (alpnProtocol === "h2") return SocketClient.begin(conn, options);
    conn.close();
    throw new Error(`The server has chosen ${alpnProtocol}, not HTTP/2`);
  }

  /** Takes over a connection, and begins. */
  static begin(conn: Deno.Conn, options?: Http2ClientOptions): SocketClient {
    const client = new SocketClient(conn, options);
    client.begin();
    return client;
  }

  /** The client's own port. */
  get port(): number {
    return (this.#conn.localAddr as Deno.NetAddr).port;
  }

  /** Reads nothing more, until {@linkcode SocketClient.resumeReading}. */
  stopReading(): void {
    this.#held = Promise.withResolvers();
  }

  /** Reads again. */
  resumeReading(): void {
    this.#held.resolve();
  }

  /** Says that nothing more is sent, after what was. */
  async closeWrite(): Promise<void> {
    await this.#writing;
    await this.#conn.closeWrite();
  }

  /** Closes both directions. */
  close(): void {
    this.#held.resolve();
    this.#conn[Symbol.dispose]();
  }

  /** Closes it, and fails if the server has broken a rule. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#reading;
    await this.#writing;
    this[Symbol.dispose]();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let length; (length = await this.#conn.read(buffer)) !== null;) {
        this.receive(buffer.subarray(0, length));
        await this.#held.promise;
      }
    } catch {
      // It was reset, or closed here.
    }
    this.end();
  }

  #write(chunk: Uint8Array): void {
    this.#writing = this.#writing.then(() => this.#writeAll(chunk));
  }

  async #writeAll(chunk: Uint8Array): Promise<void> {
    try {
      for (let rest = chunk; rest.length > 0;) {
        rest = rest.subarray(await this.#conn.write(rest));
      }
    } catch {
      // The server has closed; what it has sent before says why.
    }
  }
}
