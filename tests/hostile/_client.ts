// A client that can misbehave on the wire: it stops to read, reads piece by
// piece, sends each byte in a write of its own, resets. `Deno.Conn` cannot reset
// a connection, and TLS over a socket of `node:net` reads without end, so here
// TLS, where it is spoken, lies over a stream that reads only on demand.

import net from "node:net";
import tls from "node:tls";
import { Duplex } from "node:stream";
import { bytes, text } from "../_feeding.ts";

/** A flood is written in pieces of this size; one that takes so long is blocked. */
const FLOOD_BYTES = 64 * 1024;
const BLOCKED_MS = 100;

/** How a client connects. */
export interface ConnectOptions {
  /** The port of the loopback interface. */
  readonly port: number;
  /** The certificate that is trusted; without one, no TLS is spoken. */
  readonly trusted?: string | undefined;
  /** Whether each byte, those of the handshake too, is sent in its own write. */
  readonly bytewise?: boolean | undefined;
}

/** A connection of a hostile client. */
export class HostileClient implements AsyncDisposable {
  readonly #wire: Wire;
  /** What is sent and read, inside of TLS. */
  readonly #stream: Duplex;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #text = "";

  private constructor(wire: Wire, stream: Duplex) {
    this.#wire = wire;
    this.#stream = stream;
    stream.on("error", () => {}); // Reads and writes report it.
    this.#chunks = stream.iterator({ destroyOnReturn: false });
  }

  /** Connects, and performs the handshake of TLS if there is one. */
  static async connect(options: ConnectOptions): Promise<HostileClient> {
    const wire = new Wire(await connectSocket(options.port));
    wire.bytewise = options.bytewise ?? false;
    const { trusted } = options;
    const stream = trusted === undefined
      ? wire
      : await shakeHands(wire, trusted);
    wire.bytewise = false;
    return new HostileClient(wire, stream);
  }

  /** Sends; resolves when the system has taken it all, or the client is cut. */
  send(content: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#stream.write(bytesOf(content), () => resolve());
    });
  }

  /** Sends each byte in a write of its own. */
  async sendBytewise(content: string | Uint8Array): Promise<void> {
    this.#wire.bytewise = true;
    await this.send(content);
    this.#wire.bytewise = false;
  }

  /** Sends the same again and again until the server takes no more, or `ms` is over. */
  async flood(content: string | Uint8Array, ms: number): Promise<void> {
    const end = performance.now() + ms;
    const unit = repeated(bytesOf(content), FLOOD_BYTES);
    while (performance.now() < end && !this.#stream.destroyed) {
      if (!await endsWithin(this.send(unit), BLOCKED_MS)) return;
    }
  }

  /** Reads what comes next; "" at the end, however it came. */
  async read(): Promise<string> {
    try {
      const { done, value } = await this.#chunks.next();
      return done ? "" : text(value);
    } catch {
      return "";
    }
  }

  /** Reads until `text` has come; what comes after it is dropped. */
  async readUntil(text: string): Promise<void> {
    while (!this.#text.includes(text)) {
      const more = await this.read();
      if (more === "") {
        throw new Error(`Cannot read "${text}": the server closed`);
      }
      this.#text += more;
    }
    this.#text = "";
  }

  /** Reads until the server closes. */
  async readToEnd(): Promise<void> {
    while (await this.read() !== "");
  }

  /** Takes nothing more from the system. */
  stopReading(): void {
    this.#wire.gate = "closed";
  }

  /** Takes one more piece from the system. */
  readOnePiece(): void {
    this.#wire.gate = "one piece";
  }

  /** Takes what comes again. */
  goOnReading(): void {
    this.#wire.gate = "open";
  }

  /** Says that no more will be sent. */
  halfClose(): void {
    this.#stream.end();
  }

  /** Resets the connection. */
  reset(): Promise<void> {
    return this.#wire.reset();
  }

  /** Closes the connection without a word; resolves when it is closed. */
  close(): Promise<void> {
    return this.#wire.cut();
  }

  /** As {@linkcode HostileClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

type Gate = "open" | "one piece" | "closed";

/** A socket as a stream that reads only while its gate is open. */
class Wire extends Duplex {
  /** Whether each byte is sent in a write of its own. */
  bytewise = false;

  readonly #socket: net.Socket;
  readonly #closed: Promise<void>;
  #gate: Gate = "open";
  #wanted = false;

  constructor(socket: net.Socket) {
    super();
    this.#socket = socket;
    this.#closed = new Promise((resolve) => socket.once("close", resolve));
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#arrived(bytes));
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
    socket.pause();
  }

  set gate(gate: Gate) {
    this.#gate = gate;
    this.#pull();
  }

  reset(): Promise<void> {
    this.#socket.resetAndDestroy();
    return this.#closed;
  }

  cut(): Promise<void> {
    this.#socket.destroy();
    return this.#closed;
  }

  override _read(): void {
    this.#wanted = true;
    this.#pull();
  }

  override _write(
    bytes: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    if (!this.bytewise) return void this.#socket.write(bytes, done);
    this.#writeBytewise(bytes).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void) {
    this.#socket.destroy();
    done(error);
  }

  #pull(): void {
    if (this.#wanted && this.#gate !== "closed") this.#socket.resume();
    else this.#socket.pause();
  }

  #arrived(bytes: Uint8Array): void {
    if (this.#gate === "one piece") this.#gate = "closed";
    this.#wanted = this.push(bytes);
    this.#pull();
  }

  async #writeBytewise(bytes: Uint8Array): Promise<void> {
    for (let i = 0; i < bytes.length; i++) {
      await new Promise<void>((resolve, reject) => {
        this.#socket.write(bytes.subarray(i, i + 1), (error) => {
          error ? reject(error) : resolve();
        });
      });
    }
  }
}

function connectSocket(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => resolve(socket));
    socket.once("error", reject);
  });
}

function shakeHands(wire: Wire, trusted: string): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { socket: wire, ca: [trusted], servername: "localhost" };
    const secure = tls.connect(options, () => resolve(secure));
    secure.once("error", reject);
  });
}

/** Whether a promise settles in time. */
export async function endsWithin(
  promise: Promise<unknown>,
  ms: number,
): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Bytes as often as they fit into `size`, but once at least. */
function repeated(bytes: Uint8Array, size: number): Uint8Array {
  const times = Math.max(1, Math.floor(size / bytes.length));
  const all = new Uint8Array(times * bytes.length);
  for (let i = 0; i < times; i++) all.set(bytes, i * bytes.length);
  return all;
}

/** Strings are byte strings. */
function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? bytes(content) : content;
}
