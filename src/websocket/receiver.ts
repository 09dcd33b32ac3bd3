/**
 * What a client sends, on its way to the application: one loop that reads bytes,
 * takes frames out of them, puts messages together, and writes these into a pipe.
 * When that has no room, the socket is left alone.
 *
 * @module
 */

import type { ByteStream } from "../streams/byte_stream.ts";
import { giveWayAt } from "../streams/fair_share.ts";
import type { MessageSink } from "../streams/message_pipe.ts";
import type { BufferBudget } from "./buffer_budget.ts";
import {
  type CloseStatus,
  decodeClose,
  POLICY_VIOLATION,
} from "./close_codes.ts";
import { Inflater } from "./deflate.ts";
import type { DeflateAgreement } from "./deflate_offer.ts";
import { type ControlFrame, type DataPart, FrameDecoder } from "./frames.ts";
import type { KeepAlive } from "./keep_alive.ts";
import { MessagePace } from "./message_pace.ts";
import { type Message, MessageAssembler, sizeOf } from "./messages.ts";
import type { WebSocketOptions } from "./options.ts";
import { ReceivedMessages } from "./received_messages.ts";
import { WebSocketError } from "./websocket_error.ts";

/** What a receiver reports to its connection. */
export interface ReceiverHost {
  /** Is notified of signs of life. */
  readonly keepAlive: KeepAlive;
  /** A message has arrived. */
  onMessage(): void;
  /** A ping has arrived. */
  onPing(payload: Uint8Array): void;
  /**
   * The client has closed, or has broken the protocol or a limit; `undefined` if
   * it sends no more without a Close.
   */
  onEnd(end: CloseStatus | WebSocketError | undefined): void;
}

/** How to receive. */
export interface ReceiverOptions extends
  Pick<
    WebSocketOptions,
    "maxMessageBytes" | "messageTimeout"
  > {
  /** Where messages go. */
  readonly messages: MessageSink<Message>;
  /** What they count in. */
  readonly budget: BufferBudget;
  /** Whether messages may be compressed, and how. */
  readonly deflate: DeflateAgreement | undefined;
}

/** Receives the messages of one connection. */
export class Receiver {
  /** What the messages count for; to be notified of what is made of them. */
  readonly counted: ReceivedMessages;

  readonly #messages: MessageSink<Message>;
  readonly #stream: ByteStream;
  readonly #host: ReceiverHost;
  readonly #decoder: FrameDecoder;
  readonly #assembler: MessageAssembler;
  readonly #pace: MessagePace;
  #partsTaken = 0;
  /** Whether messages are dropped, and whether nothing at all is read. */
  #dropsMessages = false;
  #stopped = false;
  /** Whether the application receives no more. */
  #unwanted = false;

  /** Reads nothing yet. */
  constructor(
    stream: ByteStream,
    host: ReceiverHost,
    options: ReceiverOptions,
  ) {
    const { messages, budget, deflate } = options;
    this.#stream = stream;
    this.#host = host;
    this.#messages = messages;
    this.counted = new ReceivedMessages(budget);
    this.#decoder = new FrameDecoder(deflate !== undefined);
    this.#assembler = new MessageAssembler({
      maxBytes: options.maxMessageBytes,
      budget,
      inflater: deflate && new Inflater(deflate),
    });
    this.#pace = new MessagePace(stream, options.messageTimeout, this);
  }

  /** Reads until it is stopped, or there is no more; never rejects. */
  async run(): Promise<void> {
    const { reader } = this.#stream;
    const { keepAlive } = this.#host;
    keepAlive.heard();
    try {
      while (!this.#stopped) {
        if (reader.buffered > 0) this.#decoder.push(reader.take(Infinity)!);
        const wait = this.#takeParts();
        if (wait !== undefined) await wait;
        else if (this.#stopped) return;
        else if (await this.#awaitBytes()) keepAlive.heard();
        else return this.#host.onEnd(undefined);
      }
    } catch (error) {
      this.#host.onEnd(error instanceof WebSocketError ? error : undefined);
    }
  }

  /** Called when a message comes too slowly. */
  onSlow(): void {
    const message = "Cannot read message: it comes too slowly";
    this.#host.onEnd(new WebSocketError(POLICY_VIOLATION, message));
  }

  /** Drops messages that have not arrived completely, and those that come. */
  dropMessages(): void {
    this.#dropsMessages = true;
    this.#pace.stop();
    this.#assembler.close();
  }

  /** Keeps no message that waits, or comes: the application receives no more. */
  dropWaiting(): void {
    this.#unwanted = true;
    this.counted.dropWaiting();
  }

  /** Reads nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.dropMessages();
  }

  #awaitBytes(): Promise<boolean> {
    this.#pace.awaitMore(this.#decoder);
    return this.#stream.reader.fill();
  }

  /** Deals with what has arrived, up to where something must be awaited. */
  #takeParts(): Promise<void> | undefined {
    while (!this.#stopped) {
      const part = this.#decoder.next();
      if (part === undefined) return undefined;
      if (!this.#decoder.inMessage) this.#pace.completed();
      const wait = this.#takePart(part) ?? giveWayAt(++this.#partsTaken);
      if (wait !== undefined) return wait;
    }
  }

  /** What is awaited before the next part can be dealt with, if anything. */
  #takePart(part: DataPart | ControlFrame): Promise<void> | undefined {
    if (part.type === "data") return this.#takeData(part);
    if (part.type === "ping") this.#host.onPing(part.payload);
    else if (part.type === "close") {
      this.#host.onEnd(decodeClose(part.payload));
    }
  }

  #takeData(part: DataPart): Promise<void> | undefined {
    if (this.#dropsMessages) return undefined;
    const message = this.#assembler.add(part);
    if (message === undefined) return undefined;
    if (message instanceof Promise) return this.#deliverLater(message);
    return this.#deliver(message);
  }

  async #deliverLater(inflated: Promise<Message | undefined>): Promise<void> {
    try {
      const message = await inflated;
      if (message !== undefined) await this.#deliver(message);
    } catch (error) {
      // What was being inflated when messages were dropped is one of them.
      if (!this.#dropsMessages) throw error;
    }
  }

  #deliver(message: Message): Promise<void> | undefined {
    if (this.#dropsMessages) return undefined;
    this.#host.onMessage();
    if (this.#unwanted) return undefined;
    this.counted.arrive(sizeOf(message));
    this.#messages.write(message);
    const { room } = this.#messages;
    return room && this.#pause(room);
  }

  /** Leaves the socket alone until the application has made room. */
  async #pause(room: Promise<void>): Promise<void> {
    const { keepAlive } = this.#host;
    this.#pace.pause();
    keepAlive.pause(true);
    await room;
    keepAlive.pause(false);
  }
}
