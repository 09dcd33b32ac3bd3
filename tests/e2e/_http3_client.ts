// A client of HTTP/3 over Deno's QUIC. It reads only when the test asks for more,
// and judges what it reads: what a client must not accept is an error.

import type { Field } from "../../src/http/fields.ts";
import {
  encodeFrame,
  FRAME_TYPES,
  FrameReader,
} from "../../src/http3/frames.ts";
import { QpackDecoder } from "../../src/http3/qpack/decoder.ts";
import { encodeSection } from "../../src/http3/qpack/encoder.ts";
import { encodeVarints, VarintReader } from "../../src/http3/varint.ts";
import { handled } from "../../src/streams/handled.ts";
import type { TestCertificate } from "./_certificates.ts";
import { connectQuic } from "../net/_quic.ts";

const CONTROL_STREAM = 0x00;
const EMPTY = new Uint8Array();

/** What has come on a stream: a field section, or a piece of the content. */
export type Part =
  | { readonly type: "fields"; readonly fields: readonly Field[] }
  | { readonly type: "content"; readonly bytes: Uint8Array };

/** One connection. */
export class Http3Client implements Disposable {
  /** The identifiers in the GOAWAY frames of the server. */
  readonly goAways: number[] = [];
  readonly #conn: Deno.QuicConn;
  /** What is not referenced, Deno ends. */
  readonly #kept: unknown[] = [];

  private constructor(conn: Deno.QuicConn) {
    this.#conn = conn;
    handled(this.#readControl()); // It ends with the connection.
  }

  /** Connects, and sends empty SETTINGS. */
  static async connect(
    port: number,
    certificate: TestCertificate,
  ): Promise<Http3Client> {
    const client = new Http3Client(await connectQuic(port, certificate));
    await client.#sendSettings();
    return client;
  }

  /** Its own port. */
  get port(): number {
    return this.#conn.endpoint.addr.port;
  }

  /** How the connection has ended: the code of the server. */
  get closed(): Promise<number> {
    return this.#conn.closed.then(({ closeCode }) => closeCode);
  }

  /** Sends the fields of a request; its content may follow. */
  async open(fields: readonly Field[]): Promise<Http3ClientStream> {
    const stream = await this.#conn.createBidirectionalStream({
      waitUntilAvailable: true,
    });
    const opened = new Http3ClientStream(stream);
    this.#kept.push(opened);
    await opened.sendFields(fields);
    return opened;
  }

  /** Closes it, as a client that leaves. */
  close(): void {
    this.#conn.close({ closeCode: 0x100, reason: "" });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #sendSettings(): Promise<void> {
    const control = await this.#conn.createUnidirectionalStream();
    const writer = control.getWriter();
    this.#kept.push(control, writer);
    await writer.write(encodeVarints(CONTROL_STREAM));
    await writer.write(encodeFrame("SETTINGS", EMPTY));
  }

  /** The server has no other stream of its own. */
  async #readControl(): Promise<void> {
    const [control] = await take(this.#conn.incomingUnidirectionalStreams, 1);
    const frames = new FrameReader(() => "whole");
    let isFirst = true;
    for await (const chunk of control) {
      frames.push(isFirst ? chunk.subarray(1) : chunk);
      isFirst = false;
      for (let frame; (frame = frames.next()) !== undefined;) {
        if (frame.type !== FRAME_TYPES.GOAWAY) continue;
        this.goAways.push(readVarint(frame.bytes));
      }
    }
  }
}

async function take<T>(stream: ReadableStream<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  const reader = stream.getReader();
  while (taken.length < count) taken.push((await reader.read()).value!);
  return taken;
}

function readVarint(bytes: Uint8Array): number {
  const reader = new VarintReader();
  return bytes.values().map((byte) => reader.next(byte))
    .find((value) => value !== undefined) ?? NaN;
}

/** One request of it. */
export class Http3ClientStream {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #frames = new FrameReader((type) =>
    type === FRAME_TYPES.DATA
      ? "pieces"
      : type === FRAME_TYPES.HEADERS
      ? "whole"
      : "skip"
  );
  readonly #decoder = new QpackDecoder();

  constructor({ readable, writable }: Deno.QuicBidirectionalStream) {
    this.#writer = writable.getWriter();
    handled(this.#writer.closed); // Its writes say so.
    this.#reader = readable.getReader();
  }

  /** Sends a field section: that of a request, or its trailers. */
  sendFields(fields: readonly Field[]): Promise<void> {
    return this.#writer.write(encodeFrame("HEADERS", encodeSection(fields)));
  }

  /** Sends content. */
  send(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(encodeFrame("DATA", bytes));
  }

  /** Says that nothing more comes. */
  end(): Promise<void> {
    return this.#writer.close();
  }

  /**
   * Waits for the next part; `undefined` at the end.
   *
   * @throws If the connection is lost, or the end comes amid a frame.
   */
  async next(): Promise<Part | undefined> {
    for (;;) {
      const frame = this.#frames.next();
      if (frame === undefined) {
        const { value } = await this.#reader.read();
        if (value !== undefined) this.#frames.push(value);
        else if (this.#frames.midway) throw new Error("The end of a frame");
        else return undefined;
      } else if (frame.type === FRAME_TYPES.HEADERS) {
        return { type: "fields", fields: this.#decode(frame.bytes) };
      } else return { type: "content", bytes: frame.bytes };
    }
  }

  /** Wants no more of it. */
  stop(): void {
    handled(this.#reader.cancel()); // The connection may be lost.
  }

  #decode(section: Uint8Array): readonly Field[] {
    const decoded = this.#decoder.decode(section);
    if (decoded === undefined) throw new Error("A section is blocked");
    return decoded.fields;
  }
}
