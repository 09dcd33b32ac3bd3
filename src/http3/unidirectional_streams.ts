/**
 * The streams of a client in its direction (RFC 9114, section 6.2; RFC 9204, section
 * 4.2). Each begins with its type. Those that the protocol needs come once, and
 * stay; others are stopped as soon as their type is known.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";
import type { Budgets } from "./budgets.ts";
import type { ControlStream } from "./control_stream.ts";
import { Http3Error } from "./errors.ts";
import type { QpackDecoder } from "./qpack/decoder.ts";
import {
  InstructionReader,
  readDecoderInstruction,
} from "./qpack/instructions.ts";
import { QpackError } from "./qpack/qpack_error.ts";
import type { QuicReceiveStream } from "./transport.ts";
import { VarintReader } from "./varint.ts";

/** The types that mean something here. */
export const STREAM_TYPES = {
  control: 0x00,
  push: 0x01,
  "QPACK encoder": 0x02,
  "QPACK decoder": 0x03,
} as const;

/** Two numbers of up to eight bytes: no instruction is longer. */
const MAX_INSTRUCTION_BYTES = 16;

/** What the streams of a client lead to. */
export interface UnidirectionalHost {
  /** Takes the control stream. */
  readonly control: ControlStream;
  /** Takes the stream of the client's encoder. */
  readonly decoder: QpackDecoder;
  /** What the client may cost. */
  readonly budgets: Budgets;
  /** Called when the client has broken a rule, or the connection is lost. */
  onFailed(error: unknown): void;
}

type Source = ReadableStreamDefaultReader<Uint8Array>;

/** Reads all of them. */
export class UnidirectionalStreams {
  readonly #host: UnidirectionalHost;
  /** Takes what comes on a stream of a type. */
  readonly #receivers: ReadonlyMap<number, (bytes: Uint8Array) => void>;
  readonly #seen = new Set<number>();
  /** Streams that nobody references are garbage. */
  readonly #open = new Set<QuicReceiveStream>();

  /** Starts with none. */
  constructor(host: UnidirectionalHost) {
    this.#host = host;
    const reports = new InstructionReader(
      readDecoderInstruction,
      MAX_INSTRUCTION_BYTES,
    );
    this.#receivers = new Map([
      [STREAM_TYPES.control, (bytes) => host.control.receive(bytes)],
      [STREAM_TYPES["QPACK encoder"], (bytes) => host.decoder.receive(bytes)],
      [STREAM_TYPES["QPACK decoder"], (bytes) => takeReports(reports, bytes)],
    ]);
  }

  /** Reads a stream to its end; reports what is wrong. Never rejects. */
  async take(stream: QuicReceiveStream): Promise<void> {
    this.#open.add(stream);
    try {
      await this.#read(stream.readable.getReader());
    } catch (error) {
      this.#host.onFailed(error);
    } finally {
      this.#open.delete(stream);
    }
  }

  async #read(source: Source): Promise<void> {
    const varint = new VarintReader();
    for (;;) {
      const bytes = await next(source);
      if (bytes === undefined) return; // It ended before it was anything.
      for (const [index, byte] of bytes.entries()) {
        const type = varint.next(byte);
        if (type === undefined) continue;
        return await this.#readAs(type, bytes.subarray(index + 1), source);
      }
    }
  }

  async #readAs(
    type: number,
    first: Uint8Array,
    source: Source,
  ): Promise<void> {
    const receive = this.#receivers.get(type);
    if (receive === undefined) return this.#refuse(type, source);
    if (this.#seen.has(type)) {
      throw new Http3Error("H3_STREAM_CREATION_ERROR", "A stream came twice");
    }
    this.#seen.add(type);
    receive(first);
    for (;;) {
      const bytes = await next(source);
      if (bytes === undefined) break;
      receive(bytes);
    }
    throw new Http3Error(
      "H3_CLOSED_CRITICAL_STREAM",
      "A stream has ended that must not",
    );
  }

  #refuse(type: number, source: Source): void {
    if (type === STREAM_TYPES.push) {
      throw new Http3Error(
        "H3_STREAM_CREATION_ERROR",
        "A client must not push",
      );
    }
    handled(source.cancel()); // If it is lost, nobody needs to know.
    this.#host.budgets.idleFrame();
  }
}

/** The next bytes; `undefined` at the end, of whatever kind it is. */
async function next(source: Source): Promise<Uint8Array | undefined> {
  try {
    return (await source.read()).value;
  } catch {
    return undefined;
  }
}

/** Nothing was sent that a decoder could report on, but cancelled streams. */
function takeReports(
  reader: InstructionReader<{ readonly type: string }>,
  bytes: Uint8Array,
): void {
  const isWell = reader.push(bytes, ({ type }) => {
    if (type !== "stream cancellation") throw reportError();
  });
  if (!isWell) throw reportError();
}

function reportError(): QpackError {
  return new QpackError(
    "QPACK_DECODER_STREAM_ERROR",
    "A decoder reports on what was not sent",
  );
}
