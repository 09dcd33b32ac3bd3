// What no server may send, whatever its client does (RFC 9113): each test client
// holds every frame of the server against these rules.

import {
  DEFAULT_SETTINGS,
  type SettingName,
  SETTINGS,
} from "../../src/http2/settings.ts";
import type { Field } from "../../src/http/fields.ts";
import {
  FLAGS,
  FRAME_TYPES,
  MAX_31_BITS,
  readUint31,
  readUint32,
} from "../../src/http2/frames.ts";
import { text } from "../_feeding.ts";
import type { SentFrame } from "./_sent_frames.ts";
import type { Seen, SeenFrame } from "./_seen_frames.ts";

const FORBIDDEN = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
];

/** How far the server's side of a stream has come. */
type Sent = "nothing" | "head" | "end" | "reset";

/** What the client knows of one stream. */
class StreamRules {
  sent: Sent = "nothing";
  /** What the server may send. */
  window: number;
  /** What the client may send. */
  sendWindow: number;

  constructor(window: number, sendWindow: number) {
    this.window = window;
    this.sendWindow = sendWindow;
  }
}

/** The rules, and the windows of both directions, as a client counts them. */
export class ServerRules {
  /** What the server may send on all streams. */
  window: number = DEFAULT_SETTINGS.INITIAL_WINDOW_SIZE;
  /** What the client may send on all streams. */
  sendWindow: number = DEFAULT_SETTINGS.INITIAL_WINDOW_SIZE;
  /** The first window of a stream, for the server and for the client. */
  #initial: number = DEFAULT_SETTINGS.INITIAL_WINDOW_SIZE;
  #initialSend: number = DEFAULT_SETTINGS.INITIAL_WINDOW_SIZE;
  readonly #streams = new Map<number, StreamRules>();
  /** The windows that SETTINGS have asked for and that are not acknowledged. */
  readonly #asked: (number | undefined)[] = [];
  readonly #pings: string[] = [];
  #lastStreamId = Infinity;
  #first = true;

  /** What is known of a stream. */
  stream(streamId: number): StreamRules {
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      stream = new StreamRules(this.#initial, this.#initialSend);
      this.#streams.set(streamId, stream);
    }
    return stream;
  }

  /** Notes a frame of the client, good or bad. */
  sent({ type, flags, streamId, payload }: SentFrame): void {
    const { SETTINGS, PING, WINDOW_UPDATE, DATA } = FRAME_TYPES;
    const ack = (flags & FLAGS.ACK) !== 0;
    if (type === SETTINGS && !ack) {
      this.#ask(settingIn(payload, "INITIAL_WINDOW_SIZE"));
    }
    if (type === PING && !ack) this.#pings.push(text(payload));
    if (type === DATA) {
      this.sendWindow -= payload.length;
      this.stream(streamId).sendWindow -= payload.length;
    }
    if (type !== WINDOW_UPDATE || payload.length !== 4) return;
    const increment = readUint31(payload, 0);
    if (streamId === 0) this.window += increment;
    else this.stream(streamId).window += increment;
  }

  /** The client wants another first window, or leaves it as it is. */
  #ask(initialWindow: number | undefined): void {
    this.#asked.push(initialWindow);
    if (initialWindow === undefined || initialWindow < this.#initial) return;
    this.#setInitial(initialWindow);
  }

  /**
   * Notes a frame of the server.
   *
   * @throws {Error} If it may not send that.
   */
  check(frame: SeenFrame): void {
    if (this.#first) {
      must(
        frame.type === "SETTINGS" && !frame.ack,
        "begin with SETTINGS",
        frame,
      );
      this.#first = false;
    }
    switch (frame.type) {
      case "DATA":
        return this.#data(frame);
      case "HEADERS":
        return this.#headers(frame);
      case "RST_STREAM":
        return this.#reset(frame);
      case "SETTINGS":
        return frame.ack ? this.#acknowledged(frame) : this.#settings(frame);
      case "WINDOW_UPDATE":
        return this.#windowUpdate(frame);
      case "GOAWAY":
        must(
          frame.last <= this.#lastStreamId,
          "keep `last` or lower it",
          frame,
        );
        this.#lastStreamId = frame.last;
        return;
      case "PING":
        return this.#ping(frame);
      default:
        throw new Error(`A server sends no frame of type ${frame.number}`);
    }
  }

  #data(frame: Seen<"DATA">): void {
    const stream = this.#sending(frame);
    must(stream.sent === "head", "send a head before DATA", frame);
    must(frame.endStream || frame.length > 0, "send no empty DATA", frame);
    this.window -= frame.length;
    stream.window -= frame.length;
    const within = frame.length === 0 || this.window >= 0 && stream.window >= 0;
    must(within, `respect windows (${this.window}, ${stream.window})`, frame);
    if (frame.endStream) stream.sent = "end";
  }

  #headers(frame: Seen<"HEADERS">): void {
    const stream = this.#sending(frame);
    const [name, status] = frame.fields[0] ?? [];
    const isTrailers = stream.sent === "head";
    must(isTrailers === (name !== ":status"), "begin with :status", frame);
    must(
      frame.fields.slice(isTrailers ? 0 : 1).every(isField),
      "fields",
      frame,
    );
    if (frame.endStream) stream.sent = "end";
    else {
      must(!isTrailers, "end with trailers", frame);
      if (Number(status) >= 200) stream.sent = "head";
    }
    const isInterim = !isTrailers && Number(status) < 200;
    must(!isInterim || !frame.endStream, "not end with 1xx", frame);
  }

  #reset(frame: Seen<"RST_STREAM">): void {
    must(frame.streamId % 2 === 1, "reset streams of the client", frame);
    const stream = this.stream(frame.streamId);
    must(stream.sent !== "reset", "reset a stream once", frame);
    stream.sent = "reset";
  }

  #sending(frame: SeenFrame): StreamRules {
    must(frame.streamId % 2 === 1, "use streams of the client", frame);
    const stream = this.stream(frame.streamId);
    const { sent } = stream;
    must(sent !== "end" && sent !== "reset", `stop after its ${sent}`, frame);
    return stream;
  }

  #settings(frame: Seen<"SETTINGS">): void {
    for (const [id, value] of frame.settings) {
      if (id !== SETTINGS.INITIAL_WINDOW_SIZE) continue;
      for (const stream of this.#streams.values()) {
        stream.sendWindow += value - this.#initialSend;
      }
      this.#initialSend = value;
    }
  }

  #acknowledged(frame: Seen<"SETTINGS">): void {
    must(this.#asked.length > 0, "acknowledge SETTINGS once", frame);
    const initial = this.#asked.shift();
    if (initial !== undefined) this.#setInitial(initial);
  }

  #setInitial(value: number): void {
    for (const stream of this.#streams.values()) {
      stream.window += value - this.#initial;
    }
    this.#initial = value;
  }

  #windowUpdate(frame: Seen<"WINDOW_UPDATE">): void {
    must(frame.increment > 0, "grant something", frame);
    if (frame.streamId === 0) {
      this.sendWindow += frame.increment;
      return must(this.sendWindow <= MAX_31_BITS, "not overflow", frame);
    }
    const stream = this.stream(frame.streamId);
    must(stream.sent !== "reset", "grant nothing after its reset", frame);
    stream.sendWindow += frame.increment;
    must(stream.sendWindow <= MAX_31_BITS, "not overflow", frame);
  }

  #ping(frame: Seen<"PING">): void {
    if (!frame.ack) return;
    const expected = this.#pings.shift();
    must(frame.payload === expected, "acknowledge PINGs in order", frame);
  }
}

/** The last value that SETTINGS give to a parameter, if any. */
export function settingIn(
  payload: Uint8Array,
  name: SettingName,
): number | undefined {
  let value: number | undefined;
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    const id = payload[at] << 8 | payload[at + 1];
    if (id === SETTINGS[name]) value = readUint32(payload, at + 2);
  }
  return value;
}

function isField([name, value]: Field): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && !FORBIDDEN.includes(name) &&
    // deno-lint-ignore no-control-regex -- it looks for them.
    !/[\0-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$/.test(value);
}

function must(condition: boolean, what: string, frame: SeenFrame): void {
  if (condition) return;
  const shown = JSON.stringify(frame).slice(0, 300);
  throw new Error(`The server must ${what}: ${shown}`);
}
