// Deno's own `WebSocket` as a client that is awaited: what it receives waits in
// a queue until it is asked for, and at the end of its scope it is closed.

import { bounded } from "./e2e/_testing.ts";

const STEP_TIMEOUT_MS = 20_000;

/** How a WebSocket was closed, as its client saw it. */
export interface ClientClose {
  /** The close code; 1006 if there was no close handshake. */
  readonly code: number;
  /** The reason that was given with it. */
  readonly reason: string;
}

/** A client's WebSocket. */
export class WebSocketClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #messages: (string | Uint8Array)[] = [];
  readonly #closed = Promise.withResolvers<ClientClose>();
  #changed = Promise.withResolvers<void>();
  #ended = false;

  private constructor(url: string | URL, protocols: string[]) {
    const socket = new WebSocket(url, protocols);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      const isText = typeof data === "string";
      this.#messages.push(isText ? data : new Uint8Array(data));
      this.#change();
    };
    socket.onclose = ({ code, reason }) => {
      this.#ended = true;
      this.#closed.resolve({ code, reason });
      this.#change();
    };
    this.#socket = socket;
  }

  /** Opens a WebSocket; rejects if it was refused. */
  static async open(
    url: string | URL,
    protocols: string[] = [],
  ): Promise<WebSocketClient> {
    const client = new WebSocketClient(url, protocols);
    const opened = Promise.withResolvers<void>();
    client.#socket.onopen = () => opened.resolve();
    client.#socket.onerror = (event) => {
      const { message } = event as ErrorEvent;
      opened.reject(new Error(`Cannot open WebSocket: ${message}`));
    };
    try {
      await bounded(opened.promise, "the WebSocket to open", STEP_TIMEOUT_MS);
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
    return client;
  }

  /** The subprotocol that was agreed on; "" for none. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Sends a message. */
  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  /** Waits for the next message; rejects if there is none. */
  async next(): Promise<string | Uint8Array> {
    while (this.#messages.length === 0) {
      if (this.#ended) throw new Error("Cannot receive: the WebSocket closed");
      const { promise } = this.#changed;
      await bounded(promise, "a message", STEP_TIMEOUT_MS);
    }
    return this.#messages.shift()!;
  }

  /** Waits for the next message, and parses it as JSON. */
  async nextJson(): Promise<unknown> {
    return JSON.parse(String(await this.next()));
  }

  /** Waits until it is closed. */
  closed(): Promise<ClientClose> {
    return bounded(this.#closed.promise, "the close", STEP_TIMEOUT_MS);
  }

  /** Closes it, and waits until it is closed. */
  close(code?: number, reason?: string): Promise<ClientClose> {
    this.#socket.close(code, reason);
    return this.closed();
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
