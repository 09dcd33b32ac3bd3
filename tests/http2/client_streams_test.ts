// All pieces below a connection, put together as one would: whatever bytes come,
// only the one error leaves, what is kept is bounded, and credit adds up. Header
// blocks are not decoded here.

import { assert, assertEquals } from "@std/assert";
import { Budgets } from "../../src/http2/budgets.ts";
import { ReceiveWindow, SendWindow } from "../../src/http2/flow_window.ts";
import { FrameReader } from "../../src/http2/frame_reader.ts";
import {
  FLAGS,
  type Frame,
  FRAME_TYPES,
  Http2Error,
  readUint31,
} from "../../src/http2/frames.ts";
import { HeaderBlocks } from "../../src/http2/header_block.ts";
import { InboundBody, InboundBudget } from "../../src/http2/inbound_body.ts";
import { PendingPriorities } from "../../src/http/priority.ts";
import { readPriorityUpdate } from "../../src/http2/priority_update.ts";
import { ClientSettings } from "../../src/http2/settings.ts";
import { StreamIds } from "../../src/http2/stream_ids.ts";
import {
  nextStreamState,
  type StreamEvent,
  type StreamState,
} from "../../src/http2/stream_state.ts";
import { readHttp2Data } from "../_corpora.ts";
import { Random } from "../websocket/_random.ts";
import { concat, PREFACE, uint32, wire } from "./_frames.ts";

const MAX_BLOCK_BYTES = 65_536;
const MAX_STREAMS = 100;
const { DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE } =
  FRAME_TYPES;

interface Stream {
  state: StreamState;
  readonly window: SendWindow;
  readonly body: InboundBody;
}

/** What a connection does with frames, without its answers. */
class Receiver {
  readonly ids = new StreamIds();
  readonly streams = new Map<number, Stream>();
  readonly window = new SendWindow(0);
  readonly received = new ReceiveWindow(0);
  readonly budget = new InboundBudget(this.received, 1e6);
  readonly log: string[] = [];
  readonly #reader = new FrameReader();
  readonly #blocks = new HeaderBlocks(MAX_BLOCK_BYTES);
  readonly #settings = new ClientSettings();
  readonly #budgets = new Budgets(() => 0);
  readonly #pending = new PendingPriorities();

  /** Takes bytes; `false` if the connection has ended. */
  push(chunk: Uint8Array): boolean {
    this.#reader.push(chunk);
    for (;;) {
      try {
        const frame = this.#reader.next();
        if (frame === undefined) return true;
        this.#handle(frame);
      } catch (error) {
        if (!this.#survives(error)) return false;
      }
    }
  }

  #survives(error: unknown): boolean {
    if (!(error instanceof Http2Error)) throw error;
    this.log.push(`${error.streamId ?? "connection"}: ${error.message}`);
    if (error.streamId === undefined) return false;
    try {
      this.#budgets.provokedReset();
    } catch (abuse) {
      return this.#survives(abuse);
    }
    const stream = this.streams.get(error.streamId);
    if (stream !== undefined) this.#advance(error.streamId, "sent RST_STREAM");
    return true;
  }

  #handle(frame: Frame): void {
    const { type, flags, streamId, bytes, start } = frame;
    this.log.push(`${streamId}: ${type} ${flags} ${frame.length}`);
    if (this.#blocks.owns(frame)) return this.#headers(frame);
    if (type === DATA) return this.#data(frame);
    this.#budgets.controlFrame();
    if (type === SETTINGS && (flags & FLAGS.ACK) === 0) this.#apply(frame);
    if (type === RST_STREAM) this.#advance(streamId, "received RST_STREAM");
    if (type === FRAME_TYPES.PRIORITY_UPDATE) {
      const update = readPriorityUpdate(frame);
      if (update !== undefined) this.#pending.set(update);
    }
    if (type !== WINDOW_UPDATE) return;
    if (streamId > 0) this.#advance(streamId, "received WINDOW_UPDATE");
    const window = streamId === 0
      ? this.window
      : this.streams.get(streamId)?.window;
    window?.grow(readUint31(bytes, start));
  }

  #apply(frame: Frame): void {
    for (const { name, value, previous } of this.#settings.apply(frame)) {
      if (name !== "INITIAL_WINDOW_SIZE") continue;
      for (const { window } of this.streams.values()) {
        window.adjust(value - previous);
      }
    }
  }

  #headers(frame: Frame): void {
    const block = this.#blocks.add(frame);
    if (block === undefined) return;
    const { streamId, endStream } = block;
    this.#budgets.request();
    const isNew = !this.streams.has(streamId) &&
      this.ids.stateOf(streamId) === "idle";
    if (isNew) {
      this.ids.begin(streamId);
      this.#pending.take(streamId);
      if (this.streams.size >= MAX_STREAMS) return this.ids.reset(streamId);
      this.#begin(streamId);
    }
    const event = endStream ? "received last HEADERS" : "received HEADERS";
    const { body } = this.streams.get(streamId) ?? {};
    this.#advance(streamId, event);
    if (endStream) body?.end();
  }

  #begin(streamId: number): void {
    this.streams.set(streamId, {
      state: "idle",
      window: new SendWindow(
        streamId,
        this.#settings.values.INITIAL_WINDOW_SIZE,
      ),
      body: new InboundBody(new ReceiveWindow(streamId), this.budget),
    });
  }

  #data(frame: Frame): void {
    const { flags, streamId, start, end } = frame;
    this.budget.arrived(frame.length);
    const endStream = (flags & FLAGS.END_STREAM) !== 0;
    const stream = this.streams.get(streamId);
    this.#budgets.data(end - start, stream?.body.unread ?? 0, endStream);
    this.#advance(streamId, endStream ? "received last DATA" : "received DATA");
    stream?.body.add(frame);
    if (endStream) stream?.body.end();
    this.received.takeUpdate();
  }

  #advance(streamId: number, event: StreamEvent): void {
    const stream = this.streams.get(streamId);
    const state = stream?.state ?? this.ids.stateOf(streamId);
    if (state === "forgotten") return this.#budgets.glitch();
    const next = nextStreamState(streamId, state, event);
    if (stream === undefined) return;
    stream.state = next;
    if (next !== "closed" && next !== "reset") return;
    if (next === "reset") this.ids.reset(streamId);
    stream.body.drop();
    this.streams.delete(streamId);
  }
}

/** What came of the bytes; checks what must hold whatever they are. */
function receive(chunks: readonly Uint8Array[]): readonly string[] {
  const receiver = new Receiver();
  for (const chunk of chunks) {
    if (!receiver.push(chunk.slice())) break;
    assert(receiver.streams.size <= MAX_STREAMS);
    const { received, budget, window } = receiver;
    assertEquals(received.size + received.credit, 65_535);
    const unread = [...receiver.streams.values()]
      .reduce((sum, { body }) => sum + body.unread, 0);
    assertEquals(budget.unread, unread);
    assert(window.size <= 2 ** 31 - 1);
  }
  return receiver.log;
}

const hostile = readHttp2Data<{ streams: { file: string; base64: string }[] }>(
  "client_streams",
);
Deno.test({
  name: "Hostile client streams give frames, and errors of HTTP/2 only" +
    ("absent" in hostile ? ` (skipped: ${hostile.absent})` : ""),
  ignore: "absent" in hostile,
  fn() {
    if ("absent" in hostile) return;
    const random = new Random(17);
    for (const { file, base64 } of hostile.streams) {
      const bytes = Uint8Array.fromBase64(base64);
      const whole = receive([bytes]);
      assertEquals(receive(random.cut(bytes, 9)), whole, file);
      for (let i = 0; i < 20; i++) {
        const changed = bytes.slice(0, random.integer(24, bytes.length));
        const at = random.integer(0, changed.length - 1);
        changed[at] = random.integer(0, 255);
        assertEquals(receive(random.cut(changed, 4)), receive([changed]), file);
      }
    }
  },
});

/** A frame that makes some sense, or not quite. */
function randomFrame(random: Random): Uint8Array {
  const streamId = random.pick([0, 1, 1, 3, 3, 5, 7, 8, 2 ** 31 - 1]);
  const flags = random.pick([0, 1, 4, 5, 8, 0x20, 0x24, 0xff]);
  const length = random.pick([0, 1, 5, 8, 20, 3000]);
  const payload = random.bytes(length);
  switch (random.integer(0, 7)) {
    case 0:
    case 1:
      return wire(HEADERS, flags | 4, streamId | 1, payload);
    case 2:
      return wire(DATA, flags & ~8, streamId | 1, payload);
    case 3:
      return wire(
        WINDOW_UPDATE,
        0,
        streamId,
        uint32(random.pick([1, 2 ** 30])),
      );
    case 4:
      return wire(SETTINGS, 0, 0, [0, 4, ...uint32(random.integer(0, 1e6))]);
    case 5:
      return wire(RST_STREAM, 0, streamId | 1, uint32(8));
    case 6:
      return wire(PING, flags & 1, 0, random.bytes(8));
    default:
      return wire(random.integer(0, 20), flags, streamId, payload);
  }
}

Deno.test("Any frames in any order give errors of HTTP/2 only", () => {
  const random = new Random(23);
  let frames = 0;
  for (let i = 0; i < 2000; i++) {
    const length = random.integer(1, 40);
    const bytes = concat([
      PREFACE,
      wire(SETTINGS, 0, 0),
      ...Array.from({ length }, () => randomFrame(random)),
    ]);
    const seen = receive([bytes]);
    assertEquals(receive(random.cut(bytes, 6)), seen);
    frames += seen.length;
  }
  assert(frames > 5000, `only ${frames} frames came through`);
});
