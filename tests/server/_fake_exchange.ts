// An exchange without a wire: it keeps what it is called with, and gives a stream
// in memory when it is upgraded.

import type {
  Disconnect,
  DisconnectListener,
  Exchange,
  RequestInfo,
} from "../../src/http/exchange.ts";
import type { Field } from "../../src/http/fields.ts";
import { MemoryStream } from "../websocket/_connected.ts";

/** The fields of a handshake over HTTP/1.1. */
export const HANDSHAKE: readonly Field[] = [
  ["host", "localhost"],
  ["connection", "Upgrade"],
  ["upgrade", "websocket"],
  ["sec-websocket-version", "13"],
  ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
];

/** A request, of HTTP/1.1 and for a WebSocket unless the test says otherwise. */
export function exampleRequest(given: Partial<RequestInfo> = {}): RequestInfo {
  return {
    version: "1.1",
    method: "GET",
    target: { path: "/chat", query: "" },
    headers: HANDSHAKE,
    protocol: "websocket",
    ...given,
  };
}

/** A request for a WebSocket over HTTP/2, unless the test says otherwise. */
export function extendedConnect(
  given: Partial<RequestInfo> = {},
): RequestInfo {
  return exampleRequest({
    version: "2",
    method: "CONNECT",
    headers: [["host", "localhost"], ["sec-websocket-version", "13"]],
    ...given,
  });
}

/** An exchange without a wire. */
export class FakeExchange implements Exchange {
  readonly request: RequestInfo;
  /** The methods that were called, with their arguments. */
  readonly calls: (readonly unknown[])[] = [];
  /** The client, once the exchange was upgraded. */
  readonly client = new MemoryStream();
  disconnect: Disconnect | undefined;
  disconnectListener: DisconnectListener | undefined;
  readonly earlyHints = false;
  readonly bodyComplete = true;
  status: number | null = null;
  refusal: number | undefined;
  readonly bytesSent = 0;
  aborted = false;
  /** Whether the client is lost: nothing can be sent. */
  lost = false;

  constructor(request = exampleRequest()) {
    this.request = request;
  }

  takeBody(): undefined {}

  readBody(): Promise<null> {
    return Promise.resolve(null);
  }

  sendInformational(): Promise<void> {
    return Promise.resolve();
  }

  head(status: number, headers: readonly Field[]): void {
    this.calls.push(["head", status, headers]);
    this.status = status;
  }

  data(chunk: Uint8Array, last: boolean): undefined {
    this.calls.push(["data", new TextDecoder().decode(chunk), last]);
  }

  trailers(): undefined {}

  async refuse(status: number, headers: readonly Field[] = []): Promise<void> {
    this.calls.push(["refuse", status, headers]);
    await this.#send(status);
    this.refusal = status;
  }

  abort(): void {
    this.calls.push(["abort"]);
    this.aborted = true;
  }

  async upgrade(headers: readonly Field[]): Promise<MemoryStream> {
    this.calls.push(["upgrade", headers]);
    await this.#send(this.request.version === "1.1" ? 101 : 200);
    return this.client;
  }

  async #send(status: number): Promise<void> {
    await Promise.resolve();
    if (this.lost) throw new Error("Cannot write: lost for the test");
    this.status = status;
  }
}
