// What the client of every version of HTTP can do, so that one test holds for
// all of them. Where they differ, a property says how.

import type { ServeOptions } from "../../mod.ts";
import type { Field } from "../../src/http/fields.ts";
import type { ServerFrame } from "../websocket/_frames.ts";
import type { TestServer } from "../e2e/_testing.ts";

/**
 * Sends GET /, waits for the beginning of an answer, and leaves; what is left of
 * the client is to be disposed of.
 */
export type Leave = (
  server: TestServer,
) => Promise<AsyncDisposable | undefined>;

/** A version of HTTP, as its clients see it. */
export interface Wire {
  /** For the names of tests. */
  readonly name: string;
  /** What scopes and access records call it. */
  readonly httpVersion: "1.1" | "2" | "3";
  /** The scheme of its requests. */
  readonly scheme: "http" | "https";
  /** What a server needs in order to speak it. */
  readonly options: ServeOptions;
  /** Whether a client can end its direction of the connection, and read on. */
  readonly halfCloses: boolean;
  /** More than everything on the way between two applications holds. */
  readonly large: number;
  /** The status by which a WebSocket is accepted. */
  readonly acceptStatus: 101 | 200;
  /** The method of a WebSocket's handshake. */
  readonly handshakeMethod: "GET" | "CONNECT";
  /** Ways for a client to leave amid a response. */
  readonly disconnects: Readonly<Record<string, Leave>>;
  /** Connects a client. */
  connect(server: TestServer): Promise<WireClient>;
}

/** A request; all of it has a default. */
export interface WireRequest {
  readonly method?: string;
  readonly path?: string;
  /** Besides Host, and what says that content follows. */
  readonly headers?: readonly Field[];
  /** The whole content. */
  readonly content?: string;
  /** Content follows: so many bytes, or nobody knows how many. */
  readonly follows?: number | "unknown";
}

/** The head of a response. */
export interface WireHead {
  readonly status: number;
  /** Repeated fields are joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
}

/** A response, or what is left of it. */
export interface WireResponse extends WireHead {
  readonly content: string;
  readonly trailers: ReadonlyMap<string, string>;
}

/** One connection of a client. */
export interface WireClient extends AsyncDisposable {
  /** Its own port. */
  readonly port: number;
  /** Sends a request, or the beginning of it; one at a time. */
  request(request?: WireRequest): Promise<WireExchange>;
  /** Sends a request, and reads the response. */
  fetch(request?: WireRequest): Promise<WireResponse>;
  /** Sends the handshake of a WebSocket, and `first` in the same packet. */
  webSocket(
    request?: WireRequest,
    first?: Uint8Array,
  ): Promise<WireWebSocket>;
  /** Sends no more, and still reads. */
  closeWrite(): Promise<void>;
  /** Closes both directions. */
  close(): void;
}

/** A request that was sent, and what comes of it. */
export interface WireExchange {
  /** Sends content; resolves when the server, or the system, has room for it. */
  send(content: string | Uint8Array): Promise<void>;
  /** Says that all content was sent. */
  end(): Promise<void>;
  /** Waits for the next head: an interim one, or that of the response. */
  head(): Promise<WireHead>;
  /** Takes so many bytes of the content; no more than that is taken. */
  take(length: number): Promise<string>;
  /** Reads the rest; rejects if the server has cut it. */
  response(): Promise<WireResponse>;
  /** Wants no more of it: closes the connection, or resets the stream. */
  leave(): void;
}

/** A WebSocket, or the answer that refused it. */
export interface WireWebSocket {
  /** Waits for the answer to the handshake. */
  head(): Promise<WireHead>;
  /** Reads the response that refuses it. */
  response(): Promise<WireResponse>;
  /** Waits until it is accepted. */
  opened(): Promise<this>;
  /** Sends bytes. */
  send(...frames: Uint8Array[]): Promise<void>;
  /** The next frame of the server. */
  read(): Promise<ServerFrame>;
  /** The same, in short. */
  next(): Promise<string>;
  /** The frames until the server ends; the last one must be whole. */
  rest(): Promise<string[]>;
  /** Waits until the server has ended it, in whatever way. */
  closed(): Promise<void>;
  /** Is gone without a word, and nothing but it. */
  leave(): void;
}

/** The message of the error for a response that the server has cut. */
export const TRUNCATED = "The response is truncated";

/** A map of fields; repeated ones are joined. */
export function fieldMap(fields: readonly Field[]): Map<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of fields) {
    const earlier = map.get(name);
    map.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return map;
}
