/**
 * The frames that a client sends, and where each of them goes: those of streams
 * to {@linkcode Streams}, those of the connection to what they change, or to the
 * one who waits for them.
 *
 * Header blocks are decoded here, all of them, in their order, since they share a
 * table: also those of streams that are not served.
 *
 * @module
 */

import type { Budgets } from "./budgets.ts";
import {
  connectionError,
  FLAGS,
  type Frame,
  FRAME_TYPES,
  Http2Error,
  readUint31,
} from "./frames.ts";
import { FrameReader } from "./frame_reader.ts";
import { type HeaderBlock, HeaderBlocks } from "./header_block.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { type FieldList, MAX_PSEUDO_FIELDS } from "../http/field_list.ts";
import { HpackError } from "./hpack/hpack_error.ts";
import type { Http2Options } from "./options.ts";
import { ClientSettings, type SettingChange } from "./settings.ts";
import type { Streams } from "./streams.ts";
import type { Http2Wire } from "./wire.ts";

/**
 * A header block of more times what fields may weigh ends the connection: below
 * that, one which was not compressed can still be answered with 431.
 */
const MAX_BLOCK_EXCESS = 2;
/** A list that is this many times too large ends the connection. */
const MAX_EXCESS = 4;

/** Is called about what concerns the connection. */
export interface FramesListener {
  /** The client has sent SETTINGS. */
  settingsCame(): void;
  /** The client has acknowledged SETTINGS. */
  settingsKnown(): void;
  /** The client has acknowledged a PING with these bytes, which are not kept. */
  pingAcknowledged(payload: Uint8Array): void;
  /** The client will begin no more streams. */
  clientLeaves(): void;
  /** A header block has begun that is not complete, or such a one is complete. */
  blockOpened(isOpen: boolean): void;
}

/** What frames have an effect on. */
export interface FramesTarget {
  readonly streams: Streams;
  readonly wire: Http2Wire;
  readonly listener: FramesListener;
}

/** Reads the frames of one connection. */
export class ReceivedFrames {
  readonly #streams: Streams;
  readonly #wire: Http2Wire;
  readonly #budgets: Budgets;
  readonly #listener: FramesListener;
  readonly #options: Http2Options;
  readonly #reader = new FrameReader();
  readonly #blocks: HeaderBlocks;
  readonly #decoder: HpackDecoder;
  readonly #settings = new ClientSettings();

  /** Reads a connection from its preface on. */
  constructor(
    { streams, wire, listener }: FramesTarget,
    options: Http2Options,
  ) {
    this.#streams = streams;
    this.#wire = wire;
    this.#budgets = wire.budgets;
    this.#listener = listener;
    this.#options = options;
    this.#blocks = new HeaderBlocks(
      MAX_BLOCK_EXCESS * options.maxHeaderBytes,
    );
    this.#decoder = new HpackDecoder({
      maxListSize: options.maxHeaderBytes,
      maxFields: options.maxHeaders + MAX_PSEUDO_FIELDS,
    });
  }

  /** Whether a frame, or a header block, has begun to arrive. */
  get midway(): boolean {
    return this.#reader.midFrame || this.midBlock;
  }

  /** Whether a header block has begun to arrive. */
  get midBlock(): boolean {
    return this.#blocks.open !== undefined;
  }

  /**
   * Takes all frames that are complete with `chunk`, which is not kept.
   *
   * @throws {Http2Error} If the client breaks a rule of the connection.
   */
  take(chunk: Uint8Array): void {
    this.#reader.push(chunk);
    while (this.#takeNext());
    this.#streams.adjustWindows();
  }

  /** Takes a frame; whether there was one. A stream error ends its stream. */
  #takeNext(): boolean {
    try {
      const frame = this.#reader.next();
      if (frame === undefined) return false;
      if (this.#blocks.owns(frame)) this.#takeHeaders(frame);
      else this.#takeOther(frame);
    } catch (error) {
      const isOfStream = error instanceof Http2Error &&
        error.streamId !== undefined;
      if (!isOfStream) throw error;
      this.#streams.fault(error);
    }
    return true;
  }

  #takeOther(frame: Frame): void {
    const { type } = frame;
    if (type === FRAME_TYPES.DATA) return this.#streams.data(frame);
    if (type === FRAME_TYPES.PRIORITY) return this.#budgets.glitch();
    this.#budgets.controlFrame();
    switch (type) {
      case FRAME_TYPES.RST_STREAM:
        return this.#streams.reset(frame);
      case FRAME_TYPES.SETTINGS:
        return this.#takeSettings(frame);
      case FRAME_TYPES.PING:
        return this.#takePing(frame);
      case FRAME_TYPES.GOAWAY:
        return this.#listener.clientLeaves();
      case FRAME_TYPES.WINDOW_UPDATE:
        return this.#takeWindowUpdate(frame);
      case FRAME_TYPES.PRIORITY_UPDATE:
        return this.#streams.priorityUpdate(frame);
    }
  }

  #takeHeaders(frame: Frame): void {
    if (frame.start === frame.end) this.#countEmpty(frame);
    const wasOpen = this.midBlock;
    const block = this.#blocks.add(frame);
    if (block !== undefined) this.#decode(block);
    if (wasOpen !== this.midBlock) this.#listener.blockOpened(!wasOpen);
  }

  #countEmpty({ type }: Frame): void {
    if (type === FRAME_TYPES.HEADERS) this.#budgets.glitch();
    else this.#budgets.emptyContinuation();
  }

  #decode(block: HeaderBlock): void {
    const { maxHeaderBytes, maxHeaders } = this.#options;
    const list = this.#decodeList(block);
    if (
      list.size > MAX_EXCESS * maxHeaderBytes ||
      list.count > MAX_EXCESS * maxHeaders
    ) {
      throw connectionError("ENHANCE_YOUR_CALM", "Fields far too large");
    }
    this.#streams.headers(block, list);
  }

  #decodeList({ bytes, start, end }: HeaderBlock): FieldList {
    try {
      return this.#decoder.decode(bytes.subarray(start, end));
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      throw connectionError("COMPRESSION_ERROR", error.message);
    }
  }

  #takeSettings(frame: Frame): void {
    if ((frame.flags & FLAGS.ACK) !== 0) return this.#listener.settingsKnown();
    for (const change of this.#settings.apply(frame)) this.#apply(change);
    this.#wire.frames.settingsAck();
    this.#listener.settingsCame();
  }

  #apply({ name, value }: SettingChange): void {
    if (name === "INITIAL_WINDOW_SIZE") this.#streams.setSendWindow(value);
    if (name === "HEADER_TABLE_SIZE") {
      this.#wire.encoder.setMaxTableSize(value);
    }
  }

  #takePing({ flags, bytes, start, end }: Frame): void {
    const isAck = (flags & FLAGS.ACK) !== 0;
    const payload = bytes.subarray(start, end);
    if (isAck) this.#listener.pingAcknowledged(payload);
    else this.#wire.frames.ping(payload, true);
  }

  #takeWindowUpdate(frame: Frame): void {
    if (frame.streamId > 0) return this.#streams.windowUpdate(frame);
    this.#wire.window.grow(readUint31(frame.bytes, frame.start));
  }
}
