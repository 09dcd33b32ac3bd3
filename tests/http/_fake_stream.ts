// A stream that keeps what is done to it, and gives the content of a test.

import type {
  Disconnect,
  DisconnectListener,
} from "../../src/http/exchange.ts";
import type { Field } from "../../src/http/fields.ts";
import type { MessageStream } from "../../src/http/message_stream.ts";
import { text } from "../_feeding.ts";
import { ManualDeadline } from "./_memory_transport.ts";

/** What was done to a stream, in order. */
export type FakeEvent =
  | readonly ["headers" | "trailers", readonly Field[], last: boolean]
  | readonly ["data", content: string, last: boolean]
  | readonly ["reset" | "cut", code: string];

/** A stream on which all that is sent has room. */
export class FakeStream implements MessageStream {
  readonly events: FakeEvent[] = [];
  /** The content that comes; its end is when all was taken. */
  readonly content: Uint8Array[] = [];
  disconnect: Disconnect | undefined;
  listener: DisconnectListener | undefined;
  isTunnel = false;
  isHandled = false;
  /** Whether more content may come. */
  isOpen = false;
  /** Resolves when content has come. */
  onArrival: Promise<void> = Promise.resolve();
  /** The largest head that is accepted. */
  maxFields = Infinity;
  /** Deadlines that were made, and not given back. */
  deadlines = 0;

  get body(): { readonly complete: boolean } {
    return { complete: !this.isOpen && this.content.length === 0 };
  }

  takeContent(): Uint8Array | undefined {
    return this.content.shift();
  }

  arrival(): Promise<void> {
    return this.onArrival;
  }

  checkSize(fields: readonly Field[]): void {
    if (fields.length > this.maxFields) throw new RangeError("too large");
  }

  sendHeaders(fields: readonly Field[], last: boolean): void {
    this.events.push(["headers", fields, last]);
  }

  sent(): undefined {}

  sendData(bytes: Uint8Array, last: boolean): Promise<void> | undefined {
    this.events.push(["data", text(bytes), last]);
    return undefined;
  }

  sendTrailers(fields: readonly Field[]): undefined {
    this.events.push(["trailers", fields, true]);
  }

  reset(code: string): void {
    this.events.push(["reset", code]);
  }

  cut(code: string): void {
    this.events.push(["cut", code]);
  }

  createDeadline(): ManualDeadline {
    this.deadlines++;
    return new ManualDeadline({ now: 0 }, () => this.deadlines--);
  }
}
