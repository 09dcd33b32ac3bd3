/**
 * The server's side of one WebSocket connection, over bytes in both directions.
 *
 * Messages are read ahead of the application within bounds, and past these the
 * socket is left alone. As long as there is room, pings are answered, and the end
 * is noticed, whether or not the application receives.
 *
 * Its phases are in {@linkcode PHASES}. After the client's Close, or its breach
 * of the protocol, the answer waits until the application has taken the end, or
 * closes, for at most `closeDelay`; and after the server's Close, the client has
 * `closeTimeout` to answer.
 *
 * @module
 */

import type { ByteStream } from "../streams/byte_stream.ts";
import type { DisposableDeadline } from "../streams/deadline.ts";
import { handled } from "../streams/handled.ts";
import {
  type DemandListener,
  MessagePipe,
  type MessageSink,
} from "../streams/message_pipe.ts";
import { BufferBudget } from "./buffer_budget.ts";
import {
  ABNORMAL_CLOSURE,
  type CloseStatus,
  encodeClose,
  GOING_AWAY,
  NORMAL_CLOSURE,
} from "./close_codes.ts";
import { encodeFrame } from "./frame_encoder.ts";
import { OPCODES } from "./frames.ts";
import { KeepAlive } from "./keep_alive.ts";
import { MessageSender, type SendOptions } from "./message_sender.ts";
import { type Message, MESSAGE_OVERHEAD_BYTES, sizeOf } from "./messages.ts";
import { DEFAULT_WEBSOCKET_OPTIONS, type WebSocketOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import {
  nextPhase,
  type Phase,
  type PhaseEvent,
  SENDING_PHASES,
} from "./phases.ts";
import { Receiver } from "./receiver.ts";
import { WebSocketError } from "./websocket_error.ts";
import type {
  Close,
  WebSocketConnectionOptions,
} from "./connection_options.ts";

const EMPTY = new Uint8Array(0);
const PING = encodeFrame(OPCODES.ping, EMPTY);
const MAX_CONTROL_BYTES = 125;
const UNLIMITED = new BufferBudget(Infinity);

/**
 * A WebSocket connection, from after the handshake to its end. It begins to
 * read when it is created, and closes the stream below it at the end.
 *
 * @example
 * ```ts
 * import { ByteReader } from "jsr:@x/asgi/http1";
 * import { WebSocketConnection } from "jsr:@x/asgi/websocket";
 *
 * const sent: Uint8Array[] = [];
 * const deadline = { arm() {}, disarm() {}, [Symbol.dispose]() {} };
 * const connection = new WebSocketConnection({
 *   // One masked frame: the text "Hi".
 *   reader: new ByteReader(
 *     new Blob([new Uint8Array([0x81, 0x82, 1, 2, 3, 4, 0x49, 0x6b])]).stream(),
 *   ),
 *   write: async (bytes) => void sent.push(await bytes),
 *   bytesSent: 0,
 *   deadline,
 *   createDeadline: () => deadline,
 *   async close() {},
 *   abort() {},
 * });
 * await connection.receive(); // { type: "message", data: "Hi" }
 * await connection.receive(); // { type: "close", code: 1006, reason: "" }
 * ```
 */
export class WebSocketConnection implements DemandListener<Message | Close> {
  /** Resolves when no message can be sent or arrive any more; never rejects. */
  readonly closed: Promise<Close>;
  /** Resolves when the stream below it is closed as well; never rejects. */
  readonly streamClosed: Promise<Close>;

  readonly #stream: ByteStream;
  readonly #options: WebSocketOptions;

  // From the client.
  readonly #receiver: Receiver;
  /** Where messages and the end go; and the same, if it is the connection's own. */
  readonly #messages: MessageSink<Message | Close>;
  readonly #own: MessagePipe<Message | Close, Message | Close> | undefined;
  readonly #keepAlive: KeepAlive;
  readonly #idleDeadline: DisposableDeadline | undefined;

  // Towards the client.
  readonly #outbox: Outbox;
  readonly #sender: MessageSender;

  #phase: Phase = "open";
  /** How the connection ends, once that is known. */
  #end: Close | undefined;
  /** The Close that waits until the application has taken the end. */
  #answer: Uint8Array = EMPTY;
  #answerTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #sendsMade: (() => Promise<void> | undefined) | undefined;
  #resolveClosed!: (close: Close) => void;

  /** Takes over a stream after its handshake. */
  constructor(
    stream: ByteStream,
    options: WebSocketConnectionOptions = {},
  ) {
    const { deflate, compression, messages, sendsMade, ...others } = options;
    const { budget = UNLIMITED, ...given } = others;
    const settings = { ...DEFAULT_WEBSOCKET_OPTIONS, ...given };
    this.#stream = stream;
    this.#options = settings;
    this.#sendsMade = sendsMade;
    this.#own = messages === undefined
      ? messagePipe(settings.readAheadBytes)
      : undefined;
    this.#messages = messages ?? this.#own!;
    this.#messages.listener = this;
    this.#keepAlive = new KeepAlive(stream.deadline, settings, this);
    this.#receiver = new Receiver(stream, {
      keepAlive: this.#keepAlive,
      onMessage: () => this.#awaitMessage(),
      onPing: (payload) => this.#answerPing(payload),
      onEnd: (end) => end === undefined ? this.#lose() : this.#ended(end),
    }, { ...settings, messages: this.#messages, budget, deflate });
    this.#outbox = new Outbox(stream, {
      messages: this.#messages,
      onLost: () => this.#lose(),
    });
    if (settings.idleTimeout < Infinity) {
      this.#idleDeadline = stream.createDeadline();
    }
    this.#sender = new MessageSender(this.#outbox, deflate, compression);
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
    this.streamClosed = this.closed.then((end) => this.#closeStream(end));
    this.#awaitMessage();
    handled(this.#receiver.run()); // It never rejects.
  }

  /**
   * Waits for the next message. After the last one, gives the end of the
   * connection, again and again.
   *
   * @throws {TypeError} If messages go elsewhere.
   */
  async receive(): Promise<Message | Close> {
    if (this.#own === undefined) {
      throw new TypeError("Cannot receive: messages go elsewhere");
    }
    const { value } = await this.#own.read();
    return value ?? this.#end ?? this.closed;
  }

  /**
   * How many bytes were sent that the stream has not accepted; `Infinity`
   * while a message is being compressed, and at the end. A caller that sends many
   * small messages need not wait for each.
   */
  get waiting(): number {
    return this.#sendsNoMore() ? Infinity : this.#sender.waiting;
  }

  /** Whether nothing can be sent any more. */
  get ended(): boolean {
    return this.#sendsNoMore();
  }

  /**
   * Sends a message: text, or bytes. Those of up to 64 KiB are copied before this
   * returns; more must not change until it is sent.
   *
   * @returns When the stream has accepted it; this need not be awaited.
   * @throws {TypeError} If `data` is neither.
   * @throws {WebSocketError} If the connection has ended, with its code.
   */
  send(data: string | Uint8Array, options?: SendOptions): Promise<void> {
    if (typeof data !== "string" && !(data instanceof Uint8Array)) {
      throw new TypeError("Cannot send: a message is a string or a Uint8Array");
    }
    if (this.#sendsNoMore()) return this.#refuse();
    this.#awaitMessage();
    return handled(this.#sender.send(data, options));
  }

  /**
   * Sends a ping. Its pong is not reported.
   *
   * @throws {TypeError} If the payload is no `Uint8Array`.
   * @throws {RangeError} If the payload has more than 125 bytes.
   * @throws {WebSocketError} If the connection has ended, with its code.
   */
  ping(payload: Uint8Array = EMPTY): Promise<void> {
    if (!(payload instanceof Uint8Array)) {
      throw new TypeError("Cannot ping: the payload must be a Uint8Array");
    }
    if (payload.length > MAX_CONTROL_BYTES) {
      throw new RangeError("Cannot ping: the payload has over 125 bytes");
    }
    if (this.#sendsNoMore()) return this.#refuse();
    const frame = payload === EMPTY ? PING : encodeFrame(OPCODES.ping, payload);
    return handled(this.#outbox.send(frame));
  }

  /**
   * Closes the connection, after what was sent. Messages that nobody has
   * received are dropped. Only the first call counts.
   *
   * @returns When the stream has accepted the Close; the connection is over
   * when {@linkcode WebSocketConnection.closed} resolves.
   * @throws {RangeError} If `code` must not be sent, or `reason` has more than
   * 123 bytes.
   */
  close(code: number = NORMAL_CLOSURE, reason = ""): Promise<void> {
    const frame = closeFrame(code, reason);
    if (this.#sendsNoMore()) return Promise.resolve();
    const end: Close = { type: "close", code, reason };
    if (this.#own !== undefined) {
      this.#end ??= end;
      this.#own.cancel();
    }
    this.#setEnd(end);
    return handled(this.#sendClose(frame));
  }

  /** Cuts the connection, which ends with 1006 if it had no end yet. */
  abort(): void {
    if (this.#phase === "closed") return;
    this.#stream.abort();
    this.#lose();
  }

  /**
   * Drops what was not received, and what comes, because nobody will call
   * `receive` any more.
   */
  releaseMessages(): void {
    this.#own?.cancel();
    this.#receiver.dropWaiting();
    this.#receiver.counted.forgetTaken();
  }

  /** The application asks for the next message: what it has sent leaves. */
  onAsked(): void {
    this.#receiver.counted.forgetTaken();
    if (this.#messages.isEmpty) this.#outbox.release();
  }

  /** The application has taken a message, or the end. */
  onTaken(item: Message | Close): void {
    if (item.type === "message") this.#receiver.counted.take(sizeOf(item));
    else this.#endTaken();
  }

  /** The application will take no more. */
  onCancelled(): void {
    this.#receiver.dropWaiting();
  }

  // From the client.

  #answerPing(payload: Uint8Array): void {
    if (this.#phase !== "open") return;
    this.#outbox.sendPong(encodeFrame(OPCODES.pong, payload));
  }

  #ended(end: CloseStatus | WebSocketError): void {
    if (this.#phase === "closed") return;
    const { code } = end;
    const reason = end instanceof WebSocketError ? end.message : end.reason;
    this.#clientDone({ type: "close", code, reason }, closeFrame(code, reason));
  }

  #awaitMessage(): void {
    this.#idleDeadline?.arm(this.#options.idleTimeout, () => {
      handled(this.close(GOING_AWAY, "Idle for too long"));
    });
  }

  // The end.

  /** The client sends no more: an answer is due, unless that was one. */
  #clientDone(end: Close, answer: Uint8Array): void {
    this.#receiver.stop();
    this.#advance("client closes");
    if (this.#phase !== "ending") return;
    this.#keepAlive.stop();
    this.#answer = answer;
    this.#stream.deadline.arm(
      this.#options.closeDelay,
      () => this.#sendAnswer(),
    );
    this.#setEnd(end);
  }

  #setEnd(end: Close): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#messages.write(end);
    this.#messages.close();
  }

  /** What the application makes of the last message may be on its way still. */
  #endTaken(): void {
    if (this.#phase !== "ending") return;
    this.#answerTimer ??= setTimeout(() => this.#answerAfterSends(), 0);
  }

  #answerAfterSends(): void {
    const made = this.#sendsMade?.();
    if (made === undefined) this.#sendAnswer();
    else handled(made.then(() => this.#sendAnswer())); // They resolve.
  }

  #sendAnswer(): void {
    if (this.#phase === "ending") handled(this.#sendClose(this.#answer));
  }

  async #sendClose(frame: Uint8Array): Promise<void> {
    this.#advance("close");
    this.#keepAlive.stop();
    this.#receiver.dropMessages();
    const { deadline } = this.#stream;
    deadline.arm(this.#options.closeTimeout, () => this.abort());
    await this.#sender.sendFrame(frame);
    this.#advance("close written");
  }

  #lose(): void {
    this.#setEnd(LOST);
    this.#advance("lost");
  }

  #advance(event: PhaseEvent): void {
    const before = this.#phase;
    this.#phase = nextPhase(before, event);
    if (this.#phase === "closed" && before !== "closed") this.#finish();
  }

  #finish(): void {
    this.#keepAlive.stop();
    this.#receiver.stop();
    this.#stream.deadline.disarm();
    this.#idleDeadline?.[Symbol.dispose]();
    clearTimeout(this.#answerTimer);
    this.#outbox.end(this.#endError());
    this.#sender.close();
    this.#resolveClosed(this.#end ?? LOST);
  }

  async #closeStream(end: Close): Promise<Close> {
    if (end.code === ABNORMAL_CLOSURE) this.#stream.abort();
    else await this.#stream.close(this.#options.lingerTimeout);
    return end;
  }

  #sendsNoMore(): boolean {
    return !SENDING_PHASES.has(this.#phase);
  }

  #refuse(): Promise<never> {
    return handled(Promise.reject(this.#endError()));
  }

  #endError(): WebSocketError {
    const { code } = this.#end ?? LOST;
    return new WebSocketError(code, "Cannot send: the connection has ended");
  }
}

const LOST: Close = { type: "close", code: ABNORMAL_CLOSURE, reason: "" };

function messagePipe(
  highWaterMark: number,
): MessagePipe<Message | Close, Message | Close> {
  return new MessagePipe({
    // One message has always room.
    highWaterMark: Math.max(highWaterMark, 1),
    size: (item) =>
      item.type === "close" ? 1 : MESSAGE_OVERHEAD_BYTES + sizeOf(item),
    transform: (item) => item,
  });
}

function closeFrame(code: number, reason?: string): Uint8Array {
  return encodeFrame(OPCODES.close, encodeClose(code, reason));
}
