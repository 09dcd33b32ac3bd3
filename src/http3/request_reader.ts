/**
 * The client's side of a request stream: fields, content, trailers (RFC 9114,
 * section 4.1). Bytes are pulled from the stream when the content before them was
 * taken, so that flow control holds the client back; one read is always pending,
 * so that a cancelled request is noticed.
 *
 * @module
 */

import { HttpError } from "../http/http_error.ts";
import { handled } from "../streams/handled.ts";
import { Http3Error } from "./errors.ts";
import { checkFrame } from "./frame_rules.ts";
import {
  FRAME_TYPES,
  type FramePart,
  FrameReader,
  type FrameUse,
} from "./frames.ts";
import {
  nextRequestState,
  type RequestEvent,
  type RequestState,
} from "./request_state.ts";

/** Is called with what comes. */
export interface RequestListener {
  /** The encoded fields have come; `undefined` if they are too large. */
  headCame(section: Uint8Array | undefined): void;
  /** The same of trailers. */
  trailersCame(section: Uint8Array | undefined): void;
  /** Content has come, or its end. */
  contentCame(): void;
  /** A frame has come that carries nothing. */
  idleFrameCame(): void;
  /** The client has cancelled the request, or is lost. */
  cancelled(reason: Error): void;
  /** The client has broken a rule. */
  failed(error: unknown): void;
  /** Called once, when nothing more will come, for whatever reason. */
  inboundEnded(): void;
}

/** What the content of a request must be like. */
export interface ContentRules {
  /** Its bytes, if the request says how many there are. */
  readonly declared: number | undefined;
  /** The most bytes that are accepted. */
  readonly maxBytes: number;
}

/** Reads the request of one stream. */
export class RequestReader {
  readonly #source: ReadableStreamDefaultReader<Uint8Array>;
  readonly #maxSectionBytes: number;
  readonly #listener: RequestListener;
  readonly #frames = new FrameReader((type, length) =>
    this.#choose(type, length)
  );
  #state: RequestState = "head";
  #hasHead = false;
  #reading = false;
  #rules: ContentRules = { declared: undefined, maxBytes: Infinity };
  #received = 0;
  /** Content that was not taken: all of what was read last. */
  #content: Uint8Array[] = [];
  #fault: HttpError | undefined;
  /** Fields that are too large have begun. */
  #oversized: "head" | "trailers" | undefined;
  /** Whether content is dropped. */
  #dropping = false;

  /** No field section may have more than `maxSectionBytes`. */
  constructor(
    readable: ReadableStream<Uint8Array>,
    maxSectionBytes: number,
    listener: RequestListener,
  ) {
    this.#source = readable.getReader();
    this.#maxSectionBytes = maxSectionBytes;
    this.#listener = listener;
  }

  /** Whether nothing more will come. */
  get over(): boolean {
    return this.#state === "ended" || this.#state === "cancelled";
  }

  /** Whether the fields have begun to come. */
  get hasHead(): boolean {
    return this.#hasHead;
  }

  /** Whether the content has ended, and all of it was taken. */
  get complete(): boolean {
    return this.over && this.#content.length === 0 &&
      this.#fault === undefined;
  }

  /** Begins to read; the listener is called later. */
  begin(): void {
    this.#pull();
  }

  /** Says what the content must be like; called when the fields have come. */
  expect(rules: ContentRules): void {
    this.#rules = rules;
  }

  /** What follows is no content, but a tunnel. */
  connect(): void {
    this.#advance("connect");
  }

  /**
   * Takes content that has come; `undefined` if there is none.
   *
   * @throws {HttpError} If it is malformed, or too much.
   */
  take(): Uint8Array | undefined {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#content.length === 0) return undefined;
    const content = joined(this.#content);
    this.#content = [];
    this.#pull();
    return content;
  }

  /** Reads on, and drops the content. */
  drop(): void {
    if (this.#dropping || this.over) return;
    this.#dropping = true;
    this.#content = [];
    this.#pull();
  }

  /** Lets the client know that no more is read. */
  stop(): void {
    if (this.over) return;
    this.#content = [];
    handled(this.#source.cancel()); // If it is lost, nobody needs to know.
    this.#end("cancel");
  }

  #pull(): void {
    if (this.#reading || this.over || this.#holdsBack) return;
    this.#reading = true;
    this.#source.read().then(this.#filled, this.#lost);
  }

  readonly #filled = (
    { done, value }: ReadableStreamReadResult<Uint8Array>,
  ): void => {
    this.#reading = false;
    if (this.over) return;
    if (!done) {
      this.#frames.push(value);
      return this.#process();
    }
    try {
      this.#clientEnded();
    } catch (error) {
      this.#listener.failed(error);
    }
  };

  readonly #lost = (error: Error): void => {
    this.#reading = false;
    if (this.over) return;
    this.#end("cancel");
    this.#listener.cancelled(error);
  };

  /** Deals with all that was read; small frames make no more work by that. */
  #process(): void {
    try {
      while (!this.over) {
        const part = this.#frames.next();
        this.#reportOversized();
        if (part === undefined) break;
        this.#take(part);
      }
      if (this.#content.length > 0) this.#listener.contentCame();
      this.#pull();
    } catch (error) {
      this.#listener.failed(error);
    }
  }

  /** Whether what is there must be taken before more is read. */
  get #holdsBack(): boolean {
    return this.#content.length > 0 ||
      this.#fault !== undefined && !this.#dropping;
  }

  #choose(type: number, length: number): FrameUse {
    if (!checkFrame("request", type)) {
      this.#listener.idleFrameCame();
      return "skip";
    }
    if (type === FRAME_TYPES.DATA) {
      this.#advance("DATA");
      if (length === 0) this.#listener.idleFrameCame();
      return "pieces";
    }
    const isHead = !this.#hasHead;
    this.#advance("HEADERS");
    this.#hasHead = true;
    if (length <= this.#maxSectionBytes) return "whole";
    this.#oversized = isHead ? "head" : "trailers";
    return "skip";
  }

  /** The frame reader must have returned before anybody is called. */
  #reportOversized(): void {
    const which = this.#oversized;
    this.#oversized = undefined;
    if (which === "head") this.#listener.headCame(undefined);
    else if (which === "trailers") this.#listener.trailersCame(undefined);
  }

  #take({ type, bytes }: FramePart): void {
    if (type === FRAME_TYPES.DATA) return this.#takeContent(bytes);
    if (this.#state === "trailers") return this.#listener.trailersCame(bytes);
    this.#listener.headCame(bytes);
  }

  #takeContent(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#received += bytes.length;
    this.#checkLength(false);
    if (this.#dropping || this.#fault !== undefined) return;
    this.#content.push(bytes);
  }

  #checkLength(isEnd: boolean): void {
    const { declared = this.#received, maxBytes } = this.#rules;
    const isWrong = this.#received > declared ||
      isEnd && this.#received < declared;
    if (isWrong) this.refuse(400, "content-length is not that of the content");
    else if (this.#received > maxBytes) {
      this.refuse(413, `it has more than ${maxBytes} bytes`);
    }
  }

  /** The content is not accepted: taking it fails. */
  refuse(status: number, why: string): void {
    this.#fault ??= new HttpError(status, `Cannot read content: ${why}`);
    this.#content = [];
    this.#listener.contentCame();
  }

  #clientEnded(): void {
    if (this.#frames.midway) {
      throw new Http3Error("H3_FRAME_ERROR", "A frame is cut by its stream");
    }
    const hadHead = this.hasHead;
    if (hadHead) this.#checkLength(true);
    this.#end("end");
    if (hadHead) this.#listener.contentCame();
  }

  #end(event: "end" | "cancel"): void {
    this.#advance(event);
    this.#listener.inboundEnded();
  }

  #advance(event: RequestEvent): void {
    this.#state = nextRequestState(this.#state, event);
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(
    pieces.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
