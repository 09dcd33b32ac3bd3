/**
 * The ASGI contract (core 3.0, HTTP and WebSocket 2.5, lifespan 2.0) in
 * TypeScript.
 *
 * Keys are the specification's own. Protocol text is a {@linkcode ByteString};
 * content is a `Uint8Array`. Scopes and events are discriminated by `type`.
 *
 * @module
 */

/**
 * A string with one code unit 0–255 a byte, as Web IDL's `ByteString`: field
 * names and values, raw paths, query strings.
 */
export type ByteString = string;

/** A field as scopes hold it: name in lowercase, and value. */
export type Header = [name: ByteString, value: ByteString];

/** A field as applications send it: text or bytes. */
export type HeaderLike = readonly [
  name: ByteString | Uint8Array,
  value: ByteString | Uint8Array,
];

/** The host (or address) and port of one end of a connection. */
export type HostPort = [host: string, port: number];

/** The versions that the server implements. */
export interface AsgiVersions {
  /** The version of the core specification. */
  version: "3.0";
  /** The version of the protocol's specification. */
  spec_version: "2.0" | "2.5";
}

/** The extensions that a scope offers, each with its settings. */
export interface Extensions {
  /** Announces to long-lived responses that the server wants to stop. */
  "server.shutdown"?: ShutdownExtension;
  /** What the handshake of TLS has agreed on (ASGI TLS 0.2). */
  tls?: TlsExtension;
  /** Another extension's settings, by its name. */
  [name: string]: object | undefined;
}

/** The extension `server.shutdown`, this server's own. */
export interface ShutdownExtension {
  /**
   * Aborted when the server begins to stop. The client is still there: a
   * response that would go on for ever should now come to its end, before
   * `shutdownTimeout` cuts it.
   */
  readonly signal: AbortSignal;
}

/** The extension `tls` (ASGI TLS 0.2). */
export interface TlsExtension {
  /** The certificate that the server has sent, as PEM text. */
  readonly server_cert: string;
  /** The certificates of the client: none, since it is not asked for any. */
  readonly client_cert_chain: readonly string[];
  /** The name in the certificate of the client: none. */
  readonly client_cert_name: null;
  /** What is wrong with the certificate of the client: nothing. */
  readonly client_cert_error: null;
  /** The number of the version: 0x0303 for TLS 1.2, 0x0304 for TLS 1.3. */
  readonly tls_version: number;
  /** The number of the cipher suite in IANA's registry. */
  readonly cipher_suite: number;
}

/** The scope of one HTTP request (ASGI HTTP, "HTTP Connection Scope"). */
export interface HttpScope {
  /** Says that this is an HTTP request. */
  type: "http";
  /** The versions that the server implements. */
  asgi: AsgiVersions;
  /** The version of HTTP that the request came by. */
  http_version: "1.0" | "1.1" | "2" | "3";
  /** The method, in uppercase. */
  method: string;
  /** The scheme of the request's URL. */
  scheme: "http" | "https";
  /** The path, percent-decoded as UTF-8; it includes `root_path`. */
  path: string;
  /** The path as it came, without the query. */
  raw_path: ByteString;
  /** What follows the "?", still encoded; "" if there is nothing. */
  query_string: ByteString;
  /** Where the application is mounted; "" for the root. */
  root_path: string;
  /** All fields in the order in which they came, repeated ones too. */
  headers: Header[];
  /** The client's address; `null` if it has none. */
  client: HostPort | null;
  /** The server's address; a unix socket's path has no port. */
  server: HostPort | [path: string, port: null] | null;
  /** A copy of the lifespan's state, where the application supports lifespan. */
  state?: Record<string, unknown>;
  /** The extensions that can be used with this request. */
  extensions: Extensions;
}

/** The scope of one WebSocket (ASGI HTTP, "WebSocket Connection Scope"). */
export interface WebSocketScope
  extends Omit<HttpScope, "type" | "method" | "scheme"> {
  /** Says that this is a WebSocket. */
  type: "websocket";
  /** The scheme of the WebSocket's URL. */
  scheme: "ws" | "wss";
  /** The subprotocols that the client offers, in its order of preference. */
  subprotocols: string[];
}

/** The scope of a server's life (ASGI lifespan 2.0). */
export interface LifespanScope {
  /** Says that this is the server's life. */
  type: "lifespan";
  /** The versions that the server implements. */
  asgi: AsgiVersions;
  /** What the application puts here is copied into the scope of each request. */
  state: Record<string, unknown>;
}

/** Any scope that an application can be called with. */
export type Scope = HttpScope | WebSocketScope | LifespanScope;

/** A piece of the request's content. */
export interface HttpRequestEvent {
  /** Says that this is content. */
  readonly type: "http.request";
  /** The content, without the framing of the wire; it may be empty. */
  readonly body: Uint8Array;
  /** Whether there is more of it. */
  readonly more_body: boolean;
}

/** The client left, or the response is complete. */
export interface HttpDisconnectEvent {
  /** Says that nothing more will come. */
  readonly type: "http.disconnect";
}

/** The head of the response. */
export interface HttpResponseStartEvent {
  /** Says that this is the head. */
  readonly type: "http.response.start";
  /** The status code, 200–999. */
  readonly status: number;
  /** The fields; none by default. */
  readonly headers?: Iterable<HeaderLike>;
  /** Whether trailers follow the content; `false` by default. */
  readonly trailers?: boolean;
}

/** A piece of the response's content. */
export interface HttpResponseBodyEvent {
  /** Says that this is content. */
  readonly type: "http.response.body";
  /** The content, a string as UTF-8; empty by default. */
  readonly body?: Uint8Array | string;
  /** Whether there is more of it; `false` by default. */
  readonly more_body?: boolean;
}

/** Trailers (extension `http.response.trailers`). */
export interface HttpResponseTrailersEvent {
  /** Says that these are trailers. */
  readonly type: "http.response.trailers";
  /** The fields; none by default. */
  readonly headers?: Iterable<HeaderLike>;
  /** Whether there are more of them; `false` by default. */
  readonly more_trailers?: boolean;
}

/** Early hints (extension `http.response.early_hint`); refused where the scope does not offer it. */
export interface HttpResponseEarlyHintEvent {
  /** Says that these are hints. */
  readonly type: "http.response.early_hint";
  /** The values of the Link fields. */
  readonly links: Iterable<ByteString | Uint8Array>;
}

/** A file as the whole content (extension `http.response.pathsend`). */
export interface HttpResponsePathsendEvent {
  /** Says that this names a file. */
  readonly type: "http.response.pathsend";
  /** The absolute path of the file. */
  readonly path: string;
}

/** What `http.response.zerocopysend` reads from; a `Deno.FsFile` is one. */
export interface ReadableFile {
  /** Reads up to `target.length` bytes; the number of bytes, `null` at the end. A wrong number rejects the send. */
  read(target: Uint8Array): Promise<number | null>;
  /** Moves to a position; `whence` 0 counts from the file's start. */
  seek(offset: number, whence: 0): Promise<number>;
}

/** A piece of an open file (extension `http.response.zerocopysend`). */
export interface HttpResponseZerocopysendEvent {
  /** Says that this is a piece of a file. */
  readonly type: "http.response.zerocopysend";
  /** The file, which the application closes once `send` has resolved. */
  readonly file: ReadableFile;
  /** Where to start, in bytes; where the file stands by default. */
  readonly offset?: number;
  /** How many bytes to send; up to the file's end by default. */
  readonly count?: number;
  /** Whether there is more content; `false` by default. */
  readonly more_body?: boolean;
}

/** A client wants to open a WebSocket. */
export interface WebSocketConnectEvent {
  /** Says that the client waits for accept or close. */
  readonly type: "websocket.connect";
}

/** A message of the client: one of `text` and `bytes` is `null`. */
export interface WebSocketReceiveEvent {
  /** Says that this is a message. */
  readonly type: "websocket.receive";
  /** The text of a text message. */
  readonly text: string | null;
  /** The bytes of a binary message. */
  readonly bytes: Uint8Array | null;
}

/** The WebSocket is closed; every later `receive` gives this again. */
export interface WebSocketDisconnectEvent {
  /** Says that nothing more will come. */
  readonly type: "websocket.disconnect";
  /** The close code (RFC 6455, section 7.4); 1005 for none, 1006 if lost. */
  readonly code: number;
  /** The reason that came with the code. */
  readonly reason: string;
}

/** Opens the WebSocket. */
export interface WebSocketAcceptEvent {
  /** Says that the WebSocket is to be opened. */
  readonly type: "websocket.accept";
  /** One of the subprotocols that the client offered; none by default. */
  readonly subprotocol?: string | null;
  /** More fields for the response; none by default. */
  readonly headers?: Iterable<HeaderLike>;
}

/** A message to the client: exactly one of `text` and `bytes` is given. */
export interface WebSocketSendEvent {
  /** Says that this is a message. */
  readonly type: "websocket.send";
  /** The text of a text message. */
  readonly text?: string | null;
  /** The bytes of a binary message. */
  readonly bytes?: Uint8Array | null;
}

/** Closes the WebSocket; before accept, refuses it with a 403. */
export interface WebSocketCloseEvent {
  /** Says that the WebSocket is to be closed. */
  readonly type: "websocket.close";
  /** The close code; 1000 by default. */
  readonly code?: number;
  /** The reason, at most 123 bytes of UTF-8; "" by default. */
  readonly reason?: string | null;
}

/** The head of a response that refuses a WebSocket (`websocket.http.response`). */
export interface WebSocketDenialStartEvent
  extends Omit<HttpResponseStartEvent, "type" | "trailers"> {
  /** Says that this is the head. */
  readonly type: "websocket.http.response.start";
}

/** Content of a response that refuses a WebSocket (`websocket.http.response`). */
export interface WebSocketDenialBodyEvent
  extends Omit<HttpResponseBodyEvent, "type"> {
  /** Says that this is content. */
  readonly type: "websocket.http.response.body";
}

/** The server starts, or stops. */
export interface LifespanReceiveEvent {
  /** Says which. */
  readonly type: "lifespan.startup" | "lifespan.shutdown";
}

/** The application has started or stopped, or failed to. */
export interface LifespanSendEvent {
  /** Says which. */
  readonly type:
    | "lifespan.startup.complete"
    | "lifespan.startup.failed"
    | "lifespan.shutdown.complete"
    | "lifespan.shutdown.failed";
  /** Why it failed, or what else is to be logged; "" by default. */
  readonly message?: string;
}

/** What an application receives in the scope of an HTTP request. */
export type HttpReceiveEvent = HttpRequestEvent | HttpDisconnectEvent;

/** What an application receives in the scope of a WebSocket. */
export type WebSocketEvent =
  | WebSocketConnectEvent
  | WebSocketReceiveEvent
  | WebSocketDisconnectEvent;

/** What an application receives. */
export type ReceiveEvent =
  | HttpReceiveEvent
  | WebSocketEvent
  | LifespanReceiveEvent;

/** What an application sends in the scope of a WebSocket. */
export type WebSocketCommand =
  | WebSocketAcceptEvent
  | WebSocketSendEvent
  | WebSocketCloseEvent
  | WebSocketDenialStartEvent
  | WebSocketDenialBodyEvent;

/** What an application sends. */
export type SendEvent =
  | HttpSendEvent
  | WebSocketCommand
  | LifespanSendEvent;

/** What an application sends in the scope of an HTTP request. */
export type HttpSendEvent =
  | HttpResponseStartEvent
  | HttpResponseBodyEvent
  | HttpResponseTrailersEvent
  | HttpResponseEarlyHintEvent
  | HttpResponsePathsendEvent
  | HttpResponseZerocopysendEvent;

/** Where an application gets its events from: a function, and a stream. */
export interface Receive {
  /** Waits for the next event. */
  (): Promise<ReceiveEvent>;
  /**
   * The same events as a stream, which ends after the disconnect. Use it, or
   * the function: the first of them to be used has the stream for good.
   */
  readonly readable: ReadableStream<ReceiveEvent>;
  /** Calls the function again and again, up to the disconnect. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ReceiveEvent>;
}

/** Where an application puts its events: a function, and a stream. */
export interface Send {
  /**
   * Sends an event; resolves when it was taken over, so that awaiting it keeps
   * to the client's pace.
   *
   * @throws {InvalidEventError} If the event is malformed, or comes too soon.
   * @throws {ClientDisconnected} If the client has disconnected.
   */
  (event: SendEvent): Promise<void>;
  /** The same as a stream. Aborting it ends the response as a throw does. */
  readonly writable: WritableStream<SendEvent>;
}

/**
 * An ASGI application. It is called once a request, once a WebSocket, and once
 * in the server's life; it must throw on a scope whose type it does not know.
 */
export type AsgiApp = (
  scope: Scope,
  receive: Receive,
  send: Send,
) => Promise<void> | void;
