// One stream of the test client: what the server has sent on it so far, and what
// can be sent.

import { type ErrorName, MAX_FRAME_BYTES } from "../../src/http2/frames.ts";
import type { Field } from "../../src/http/fields.ts";
import { bytes } from "../_feeding.ts";
import type { Http2Client } from "./_client.ts";
import type { SeenFrame } from "./_seen_frames.ts";

/** The head of a response, without its pseudo-field. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: readonly Field[];
}

/** What came on a stream, when nothing more comes. */
export interface Response extends ResponseHead {
  /** Those before it. */
  readonly informational: readonly ResponseHead[];
  /** A byte string. */
  readonly content: string;
  readonly trailers: readonly Field[] | undefined;
  /** Whether the server has ended the stream. */
  readonly complete: boolean;
  /** The code of its RST_STREAM, if it has sent one. */
  readonly resetCode: string | undefined;
}

/** A stream as the client sees it. */
export class ClientStream implements Response {
  readonly id: number;
  status = 0;
  headers: readonly Field[] = [];
  readonly informational: ResponseHead[] = [];
  /** What has come of the content, without what was consumed. */
  content = "";
  /** How many bytes of content have come. */
  received = 0;
  /** How many DATA frames have come. */
  dataFrames = 0;
  trailers: readonly Field[] | undefined;
  complete = false;
  resetCode: string | undefined;
  /** Whether the client has reset it. */
  cancelled = false;
  readonly #client: Http2Client;

  constructor(id: number, client: Http2Client) {
    this.id = id;
    this.#client = client;
  }

  /** A field of the response; repeated ones are joined by ", ". */
  header(name: string): string | undefined {
    const values = this.headers.filter(([key]) => key === name)
      .map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(", ");
  }

  /** Waits for the head of the final response. */
  async head(): Promise<this> {
    return await this.until(() => this.status > 0);
  }

  /** Whether the server has reset it. */
  get isReset(): boolean {
    return this.resetCode !== undefined;
  }

  /** Whether the server sends nothing more on it, for whatever reason. */
  get over(): boolean {
    return this.complete || this.isReset || this.#client.ended;
  }

  /** Waits for the end, a reset, or the loss of the connection. */
  async response(): Promise<this> {
    return await this.until(() => this.over);
  }

  /** Waits for so many bytes of content. */
  async contentOf(length: number): Promise<this> {
    return await this.until(() => this.content.length >= length);
  }

  /** Waits for RST_STREAM. */
  async reset(): Promise<string> {
    await this.until(() => this.isReset);
    return this.resetCode!;
  }

  /** Waits until a condition holds. */
  async until(condition: () => boolean): Promise<this> {
    await this.#client.until(condition);
    return this;
  }

  /** How much the windows let the client send on it now. */
  get sendable(): number {
    const { rules } = this.#client;
    return Math.min(rules.sendWindow, rules.stream(this.id).sendWindow);
  }

  /**
   * Sends content as the windows allow, and ends the stream if it is the last;
   * stops where the server has reset the stream.
   */
  async send(content: string | Uint8Array, last = false): Promise<void> {
    let rest = typeof content === "string" ? bytes(content) : content;
    do {
      if (rest.length > 0) {
        await this.until(() => this.sendable > 0 || this.isReset);
      }
      if (this.isReset) return;
      const size = Math.min(rest.length, this.sendable, MAX_FRAME_BYTES);
      const isRest = size === rest.length;
      this.#client.data(this.id, rest.subarray(0, size), last && isRest);
      rest = rest.subarray(size);
    } while (rest.length > 0);
  }

  /** Sends trailers, which end the stream. */
  sendTrailers(fields: readonly Field[]): void {
    this.#client.headers(this.id, fields, true);
  }

  /** Sends RST_STREAM. */
  cancel(code: ErrorName = "CANCEL"): void {
    this.cancelled = true;
    this.#client.reset(this.id, code);
  }

  /** Widens the server's window on it. */
  grant(bytes: number): void {
    this.#client.windowUpdate(this.id, bytes);
  }

  /** Takes so many bytes off the start of what has come. */
  consume(length: number): string {
    const taken = this.content.slice(0, length);
    this.content = this.content.slice(length);
    return taken;
  }

  /** Notes a frame of the server; called by the client. */
  note(frame: SeenFrame): void {
    if (frame.type === "HEADERS") this.#noteHeaders(frame.fields);
    else if (frame.type === "DATA") {
      this.content += frame.content;
      this.received += frame.content.length;
      this.dataFrames++;
    } else if (frame.type === "RST_STREAM") this.resetCode = frame.code;
    if ("endStream" in frame && frame.endStream) this.complete = true;
  }

  #noteHeaders(fields: readonly Field[]): void {
    if (this.status > 0) {
      this.trailers = fields;
      return;
    }
    const [[, status], ...headers] = fields;
    const head = { status: Number(status), headers };
    if (head.status < 200) this.informational.push(head);
    else Object.assign(this, head);
  }
}
