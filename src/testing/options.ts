/**
 * What a test says of its client, of a request, and of the end.
 *
 * @module
 */

import type { LifespanMode } from "../asgi/lifespan_cycle.ts";
import type { HeadersLike, ScopeOptions } from "./_request.ts";
import type { RequestBody } from "./_request_content.ts";

/** How a client is started; what it says of the scope holds for each request. */
export interface TestClientOptions extends ScopeOptions {
  /**
   * Whether the application is called with the lifespan: if it can be, always,
   * never. Default: "auto".
   */
  readonly lifespan?: LifespanMode;
  /** How long it may take to start, or to stop, in milliseconds. Default: 10 s. */
  readonly lifespanTimeout?: number;
  /**
   * What each scope's `state` begins with, below what the application puts
   * there when it starts. Default: nothing.
   */
  readonly state?: Readonly<Record<string, unknown>>;
  /**
   * Whether what the application throws is thrown to the test: by whatever the
   * test waits for, or else at the client's end. If not, the test sees what a
   * client would see: a 500, or a response cut short. Default: true.
   */
  readonly raiseAppErrors?: boolean;
}

/** A request; what it says of the scope goes before what the client says. */
export interface TestRequestInit extends ScopeOptions {
  /** The method. Default: "GET". */
  readonly method?: string;
  /**
   * The fields. `host` is added, and `content-length` or `transfer-encoding` if
   * there is content. Default: none.
   */
  readonly headers?: HeadersLike;
  /**
   * The content, a string as UTF-8; a stream is read as the application
   * receives. Default: none.
   */
  readonly body?: RequestBody;
  /** Disconnects when it is aborted, with its reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** The handshake of a WebSocket. */
export interface TestWebSocketInit
  extends Omit<TestRequestInit, "method" | "body"> {
  /** What the client offers to speak. Default: nothing. */
  readonly subprotocols?: readonly string[];
}

/** How a client is shut down. */
export interface TestShutdownOptions {
  /**
   * How long responses in flight may take, in milliseconds; then their clients
   * disconnect. Default: 10 s.
   */
  readonly timeout?: number;
}
