/**
 * `toApp` of a WebSocket: what carries the WebSocket writes what the client sends
 * into a `TransformStream`, and the application's `receive` reads events from it.
 * It holds up to 64 KiB that the application has not asked for; whatever writes
 * then leaves the client alone.
 *
 * @module
 */

import { giveWayAt } from "../streams/fair_share.ts";
import { MessagePipe, type MessageSink } from "../streams/message_pipe.ts";
import type { EventView, ReceiveEnd } from "./receive_and_send.ts";
import type { WebSocketEvent } from "./types.ts";
import type { MessageMeter, WebSocketInput } from "./websocket_wire.ts";

type Connect = { readonly type: "connect" };
type Input = Connect | WebSocketInput;

/** How much is held of what the application has not asked for, in bytes. */
const HELD_BYTES = 64 * 1024;
/** What an event counts for besides its content. */
const OVERHEAD_BYTES = 64;

/** Is called when the application has received the client's close. */
export interface CloseListener {
  /** No message can be answered any more. */
  onCloseReceived(): void;
}

/** The events of one WebSocket. */
export class ToApp implements ReceiveEnd<WebSocketEvent> {
  /** The stream over it, once there is one. */
  view: EventView<WebSocketEvent> | undefined;

  readonly #listener: CloseListener;
  readonly #meter: MessageMeter | undefined;
  #made: MessagePipe<Input, WebSocketEvent> | undefined;
  #reads = 0;
  #connected = false;
  #ending = false;
  #disconnect: WebSocketEvent | undefined;

  /** Makes no stream yet; counts the messages that are received. */
  constructor(listener: CloseListener, meter?: MessageMeter) {
    this.#listener = listener;
    this.#meter = meter;
  }

  /** The end that what the client sends is written to. */
  get sink(): MessageSink<WebSocketInput> {
    return this.#pipe;
  }

  /** Waits for the next event; gives the disconnect again and again. */
  read(): Promise<WebSocketEvent> {
    const read = this.#pipe.read().then(this.#valueOf);
    if (this.#disconnect === undefined) return read;
    // Applications may ask without end for the disconnect.
    const share = giveWayAt(++this.#reads);
    return share === undefined ? read : share.then(() => read);
  }

  /** Whether no other event follows. */
  isLast(event: WebSocketEvent): boolean {
    return event.type === "websocket.disconnect";
  }

  /** Ends it with a disconnect, after what is held. */
  end(code: number, reason: string): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#pipe.write({ type: "close", code, reason });
    this.#pipe.close();
  }

  /** Ends it with a disconnect, and drops what is held. */
  cut(code: number, reason: string): void {
    this.#disconnect ??= { type: "websocket.disconnect", code, reason };
    this.#made?.cancel();
  }

  /** Drops what is held, and what comes: the application receives no more. */
  release(): void {
    this.#made?.cancel();
  }

  get #pipe(): MessagePipe<Input, WebSocketEvent> {
    if (this.#made === undefined) {
      this.#made = new MessagePipe<Input, WebSocketEvent>({
        highWaterMark: HELD_BYTES,
        size: sizeOf,
        transform: (input) => this.#eventOf(input),
      });
      this.#made.write({ type: "connect" });
    }
    return this.#made;
  }

  #eventOf(input: Input): WebSocketEvent {
    switch (input.type) {
      case "connect":
        this.#connected = true;
        return { type: "websocket.connect" };
      case "message":
        if (this.#meter !== undefined) this.#meter.messagesReceived++;
        return typeof input.data === "string"
          ? { type: "websocket.receive", text: input.data, bytes: null }
          : { type: "websocket.receive", text: null, bytes: input.data };
      case "close":
        return this.#closed(input.code, input.reason);
    }
  }

  #closed(code: number, reason: string): WebSocketEvent {
    this.#disconnect ??= { type: "websocket.disconnect", code, reason };
    this.#listener.onCloseReceived();
    return this.#disconnect;
  }

  readonly #valueOf = (
    { value }: ReadableStreamReadResult<WebSocketEvent>,
  ): WebSocketEvent => value ?? this.#last();

  /** After the end; also a WebSocket that was cut begins with connect. */
  #last(): WebSocketEvent {
    if (this.#connected) return this.#disconnect ?? LOST;
    this.#connected = true;
    return { type: "websocket.connect" };
  }
}

/** A text may have two bytes a unit. */
function sizeOf(input: Input): number {
  if (input.type !== "message") return 1;
  const { data } = input;
  const bytes = typeof data === "string" ? 2 * data.length : data.length;
  return OVERHEAD_BYTES + bytes;
}

const LOST: WebSocketEvent = {
  type: "websocket.disconnect",
  code: 1006,
  reason: "",
};
