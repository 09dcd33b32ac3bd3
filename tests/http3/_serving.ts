// A connection in memory, with a client that is made of the pieces that are tested
// on their own: it sends what a test says, and reads responses as RFC 9114 does.

import type { Field } from "../../src/http/fields.ts";
import { Http3Connection } from "../../src/http3/connection.ts";
import type { Http3Exchange } from "../../src/http3/exchange.ts";
import { FrameReader } from "../../src/http3/frames.ts";
import {
  DEFAULT_HTTP3_OPTIONS,
  type Http3Options,
} from "../../src/http3/options.ts";
import { QpackDecoder } from "../../src/http3/qpack/decoder.ts";
import { bytes, text } from "../_feeding.ts";
import { settledSoon } from "../_turns.ts";
import { concat, data, headers, numbers } from "./_frames.ts";
import { type Inbound, MemoryQuic, type MemoryStream } from "./_memory_quic.ts";

/** A response, as far as it has come. */
export interface SeenResponse {
  /** The frames: fields, content, and types of those that are not known. */
  readonly frames: (readonly Field[] | string | number)[];
  /** Whether the stream has ended. */
  readonly ended: boolean;
}

/** Reads what was sent on a stream. */
export function readResponse({ outbound }: MemoryStream): SeenResponse {
  const frames: (readonly Field[] | string | number)[] = [];
  const reader = new FrameReader((type) => {
    if (type > 1) frames.push(type);
    return type > 1 ? "skip" : "whole";
  });
  reader.push(outbound.bytes);
  for (let part; (part = reader.next()) !== undefined;) {
    if (part.type === 0) frames.push(text(part.bytes));
    else frames.push(new QpackDecoder().decode(part.bytes)!.fields);
  }
  return { frames, ended: outbound.ended };
}

/** The fields of a request. */
export function requestFields(
  method = "GET",
  path = "/",
  ...more: readonly Field[]
): Field[] {
  return [
    [":method", method],
    [":scheme", "https"],
    [":authority", "localhost"],
    [":path", path],
    ...more,
  ];
}

/** A connection that is served, and its client. */
export class Serving {
  readonly quic = new MemoryQuic();
  readonly connection: Http3Connection;
  /** Settles when the connection is closed. */
  readonly done: Promise<unknown>;
  /** The control stream of the client, if it has begun. */
  control!: Inbound;

  constructor(
    handle: (exchange: Http3Exchange) => Promise<void>,
    options: Partial<Http3Options> = {},
  ) {
    this.connection = new Http3Connection(this.quic, handle, {
      ...DEFAULT_HTTP3_OPTIONS,
      dateHeader: false,
      serverHeader: null,
      ...options,
    });
    this.done = this.connection.run();
    this.done.catch(() => {});
  }

  /** Opens the client's control stream. */
  begin(...settings: number[]): this {
    this.control = this.quic.openOneWay();
    this.control.send(concat(Uint8Array.of(0), numbers(0x04, ...settings)));
    return this;
  }

  /** Sends a request; with content, if there is some. */
  request(
    fields: readonly Field[] = requestFields(),
    content = "",
    ends = true,
  ): MemoryStream {
    const stream = this.quic.open();
    stream.inbound.send(headers(fields));
    if (content !== "") stream.inbound.send(data(content));
    if (ends) stream.inbound.end();
    return stream;
  }

  /** Sends bytes on a stream of a request, and its end. */
  send(bytes: Uint8Array, ends = false): MemoryStream {
    const stream = this.quic.open();
    stream.inbound.send(bytes);
    if (ends) stream.inbound.end();
    return stream;
  }

  /** Everything happens that needs nothing from outside. */
  async settled(): Promise<void> {
    await settledSoon();
  }

  /** The code that the server has closed the connection with. */
  get closeCode(): number | undefined {
    return this.quic.close_?.code;
  }

  /** What the server has sent on its control stream. */
  get controlBytes(): Uint8Array {
    return this.quic.opened[0].bytes;
  }

  /** The client leaves; fails as the connection does. */
  async leave(): Promise<void> {
    this.quic.end();
    await this.done;
  }
}

/** Serves a connection whose client has begun. */
export function serve(
  handle: (exchange: Http3Exchange) => Promise<void> = echo,
  options: Partial<Http3Options> = {},
): Serving {
  return new Serving(handle, options).begin();
}

/** Answers with text. */
export async function respond(
  exchange: Http3Exchange,
  content: string,
  status = 200,
): Promise<void> {
  exchange.head(status, []);
  await exchange.data(bytes(content), true);
}

/** All content of a request. */
export async function readAll(exchange: Http3Exchange): Promise<string> {
  let content = "";
  for (;;) {
    const chunk = await exchange.readBody();
    if (chunk === null) return content;
    content += text(chunk);
  }
}

/** Answers with the method, the path and the content of the request. */
export async function echo(exchange: Http3Exchange): Promise<void> {
  const content = await readAll(exchange);
  const { method, target } = exchange.request;
  await respond(exchange, `${method} ${target.path} ${content}`);
}
