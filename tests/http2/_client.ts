// A client of HTTP/2 for tests, over any way for bytes. It can send every frame,
// good or bad, keeps every frame that the server sends, as data, and holds each
// of them against the rules for servers: a breach fails whatever the test waits
// for. It is made of the package's own pieces, which have tests of their own.

import { FrameWriter } from "../../src/http2/frame_writer.ts";
import { HpackEncoder } from "../../src/http2/hpack/mod.ts";
import {
  ERROR_CODES,
  type ErrorName,
  FLAGS,
  FRAME_TYPES,
} from "../../src/http2/frames.ts";
import {
  type SettingName,
  SETTINGS,
  type SettingValues,
} from "../../src/http2/settings.ts";
import type { Field } from "../../src/http/fields.ts";
import { bytes } from "../_feeding.ts";
import { ClientStream } from "./_client_stream.ts";
import { concat, PREFACE, wire } from "./_frames.ts";
import { type Seen, type SeenFrame, SeenFrameReader } from "./_seen_frames.ts";
import { type SentFrame, SentFrames } from "./_sent_frames.ts";
import { ServerRules, settingIn } from "./_server_rules.ts";

/** How a client behaves. */
export interface Http2ClientOptions {
  /** What its first SETTINGS say. Default: nothing. */
  readonly settings?: Partial<SettingValues>;
  /** Whether it gives what it reads back to the windows. Default: `true`. */
  readonly autoCredit?: boolean;
  /** Whether it acknowledges SETTINGS and PING. Default: `true`. */
  readonly acknowledges?: boolean;
}

/** A request; all of it has a default. */
export interface ClientRequest {
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  readonly scheme?: string;
  /** `:protocol` of an extended CONNECT. */
  readonly protocol?: string;
  readonly headers?: readonly Field[];
  /** Instead of all of the above: exactly these fields. */
  readonly fields?: readonly Field[];
  /** Default: none, HEADERS end the stream. */
  readonly content?: string | Uint8Array;
  readonly trailers?: readonly Field[];
}

/** The client's side of one connection. */
export class Http2Client implements Disposable {
  /** What the server has sent. */
  readonly frames: SeenFrame[] = [];
  /** The streams that the client has begun. */
  readonly streams = new Map<number, ClientStream>();
  /** The rules for servers, and the windows. */
  readonly rules = new ServerRules();
  /** Whether the server sends nothing more. */
  ended = false;
  /** Whether it gives what it reads back to the windows. */
  autoCredit: boolean;
  /** Whether it acknowledges SETTINGS and PING. */
  acknowledges: boolean;

  readonly #send: (bytes: Uint8Array) => void;
  readonly #settings: Partial<SettingValues>;
  readonly #reader = new SeenFrameReader();
  readonly #sent = new SentFrames();
  readonly #encoder = new HpackEncoder();
  readonly #writer = new FrameWriter({ bytes: (part) => this.#append(part) });
  #parts: Uint8Array[] = [];
  #together = 0;
  #fault: unknown;
  #changed = Promise.withResolvers<void>();
  #nextId = 1;
  #pings = 0;
  /** The limits of the server's table that SETTINGS have asked for. */
  readonly #tableSizes: (number | undefined)[] = [];
  /** The acknowledgments that have come. */
  readonly #pongs = new Set<string>();

  /** `send` takes what the client writes, a chunk a call. */
  constructor(
    send: (bytes: Uint8Array) => void,
    { settings = {}, autoCredit = true, acknowledges = true }:
      Http2ClientOptions = {},
  ) {
    this.#send = send;
    this.#settings = settings;
    this.autoCredit = autoCredit;
    this.acknowledges = acknowledges;
  }

  // What comes.

  /** To be called with what the server sends. */
  receive(chunk: Uint8Array): void {
    try {
      for (const frame of this.#reader.read(chunk)) this.#note(frame);
    } catch (error) {
      this.#fault ??= error;
    }
    this.#change();
  }

  /** To be called when the server sends nothing more. */
  end(): void {
    this.ended = true;
    this.#change();
  }

  /** Waits until a condition holds; rejects if it can't any more. */
  async until(condition: () => boolean): Promise<void> {
    for (;;) {
      if (this.#fault !== undefined) throw this.#fault;
      if (condition()) return;
      if (this.ended) throw new Error(`The server has ended: ${this.trace()}`);
      await this.#changed.promise;
    }
  }

  /** Waits until the server sends nothing more. */
  async closed(): Promise<void> {
    await this.until(() => this.ended);
  }

  /** The frames of one type. */
  seen<T extends SeenFrame["type"]>(type: T): Seen<T>[] {
    return this.frames.filter((frame): frame is Seen<T> => frame.type === type);
  }

  /** The codes of the GOAWAYs. */
  get goAways(): string[] {
    return this.seen("GOAWAY").map(({ code }) => code);
  }

  /** The last frames, for messages. */
  trace(): string {
    return JSON.stringify(this.frames.slice(-5)).slice(0, 1000);
  }

  /** Fails if the server has broken a rule. */
  [Symbol.dispose](): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  // What is sent.

  /** Sends all frames of `write` in one chunk. */
  together<T>(write: () => T): T {
    this.#together++;
    try {
      return write();
    } finally {
      this.#together--;
      this.#flush();
    }
  }

  /** Sends any bytes. */
  raw(...parts: Uint8Array[]): void {
    this.together(() => this.#parts.push(...parts.map((part) => part.slice())));
  }

  /** Sends a frame with any head. */
  frame(
    type: keyof typeof FRAME_TYPES | number,
    flags: number,
    streamId: number,
    payload: readonly number[] | Uint8Array = [],
  ): void {
    const number = typeof type === "number" ? type : FRAME_TYPES[type];
    this.raw(wire(number, flags, streamId, payload));
  }

  /** Sends the preface and SETTINGS. */
  begin(): void {
    this.together(() => {
      this.raw(PREFACE);
      this.settings(this.#settings);
    });
  }

  /** Sends SETTINGS. */
  settings(settings: Partial<SettingValues>): void {
    const pairs = Object.entries(settings).map(([name, value]) =>
      [SETTINGS[name as SettingName], value] as const
    );
    this.together(() => this.#writer.settings(pairs));
  }

  /** The block of some fields; all that are made must be sent, in their order. */
  encode(fields: readonly Field[]): Uint8Array {
    return this.#encoder.encode(fields);
  }

  /** Sends HEADERS, and CONTINUATIONs if need be. */
  headers(
    streamId: number,
    fields: readonly Field[],
    endStream: boolean,
  ): void {
    const block = this.encode(fields);
    this.together(() => this.#writer.headers(streamId, block, endStream));
  }

  /** Sends DATA, whatever the windows say. */
  data(
    streamId: number,
    content: string | Uint8Array,
    endStream = false,
  ): void {
    const chunk = typeof content === "string" ? bytes(content) : content;
    this.together(() => this.#writer.data(streamId, chunk, endStream));
  }

  /** Sends RST_STREAM. */
  reset(streamId: number, code: ErrorName = "CANCEL"): void {
    this.together(() => this.#writer.rstStream(streamId, ERROR_CODES[code]));
  }

  /** Sends WINDOW_UPDATE; stream 0 is the connection. */
  windowUpdate(streamId: number, increment: number): void {
    this.together(() => this.#writer.windowUpdate(streamId, increment));
  }

  /** Sends PING with 8 bytes. */
  ping(payload: string): void {
    this.together(() => this.#writer.ping(bytes(payload), false));
  }

  /** Sends GOAWAY. */
  goAway(code: ErrorName = "NO_ERROR", last = 0): void {
    this.together(() => this.#writer.goAway(last, ERROR_CODES[code]));
  }

  /** Sends PRIORITY_UPDATE. */
  priorityUpdate(streamId: number, value: string): void {
    const id = [24, 16, 8, 0].map((shift) => streamId >>> shift & 255);
    this.frame("PRIORITY_UPDATE", 0, 0, [...id, ...bytes(value)]);
  }

  /** Waits for the answer to a PING: all before it was read. */
  async sync(): Promise<void> {
    const payload = String(++this.#pings).padStart(8, "0");
    this.ping(payload);
    await this.until(() => this.#pongs.has(payload));
  }

  // Requests.

  /** Begins a stream; `last` says whether HEADERS end it. */
  open(request: ClientRequest = {}, last = true): ClientStream {
    const stream = new ClientStream(this.#nextId, this);
    this.#nextId += 2;
    this.streams.set(stream.id, stream);
    this.headers(stream.id, requestFields(request), last);
    return stream;
  }

  /** Sends a request, and waits for what comes of it. */
  async request(request: ClientRequest = {}): Promise<ClientStream> {
    const { content, trailers } = request;
    const hasContent = content !== undefined || trailers !== undefined;
    const stream = this.open(request, !hasContent);
    if (content !== undefined) {
      await stream.send(content, trailers === undefined);
    }
    if (trailers !== undefined) stream.sendTrailers(trailers);
    return await stream.response();
  }

  #note(frame: SeenFrame): void {
    this.frames.push(frame);
    this.rules.check(frame);
    this.streams.get(frame.streamId)?.note(frame);
    if (frame.type === "DATA" && this.autoCredit) this.#giveBack(frame);
    if (frame.type === "SETTINGS" && frame.ack) this.#settingsKnown();
    if (frame.type === "PING" && frame.ack) this.#pongs.add(frame.payload);
    if (!this.acknowledges || !("ack" in frame) || frame.ack) return;
    if (frame.type === "SETTINGS") this.frame("SETTINGS", FLAGS.ACK, 0);
    else this.frame("PING", FLAGS.ACK, 0, bytes(frame.payload));
  }

  #giveBack({ streamId, length, endStream }: Seen<"DATA">): void {
    if (length === 0) return;
    this.together(() => {
      this.windowUpdate(0, length);
      if (!endStream) this.windowUpdate(streamId, length);
    });
  }

  #append(part: Uint8Array): void {
    this.#parts.push(part.slice());
  }

  #flush(): void {
    if (this.#together > 0 || this.#parts.length === 0) return;
    const parts = this.#parts;
    this.#parts = [];
    const bytes = concat(parts);
    for (const frame of this.#sent.take(bytes.slice())) this.#noteSent(frame);
    this.#send(bytes);
  }

  #noteSent(frame: SentFrame): void {
    const { type, flags, payload } = frame;
    this.rules.sent(frame);
    if (type !== FRAME_TYPES.SETTINGS || (flags & FLAGS.ACK) !== 0) return;
    this.#tableSizes.push(settingIn(payload, "HEADER_TABLE_SIZE"));
  }

  /** The server knows SETTINGS, and its next header block goes by them. */
  #settingsKnown(): void {
    const size = this.#tableSizes.shift();
    if (size !== undefined) this.#reader.setMaxTableSize(size);
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** The fields of a request. */
export function requestFields(request: ClientRequest = {}): readonly Field[] {
  if (request.fields !== undefined) return request.fields;
  const { method = "GET", path = "/", authority = "test" } = request;
  const { scheme = "http", protocol, headers = [] } = request;
  return [
    [":method", method],
    ...(protocol === undefined ? [] : [[":protocol", protocol] as const]),
    [":scheme", scheme],
    [":authority", authority],
    [":path", path],
    ...headers,
  ];
}
