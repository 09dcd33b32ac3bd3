/**
 * The control stream of the server: its SETTINGS, and GOAWAY.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";
import { Output } from "../streams/output.ts";
import { encodeFrame } from "./frames.ts";
import { encodeSettings } from "./settings.ts";
import type { QuicSendStream, QuicTransport } from "./transport.ts";
import { STREAM_TYPES } from "./unidirectional_streams.ts";
import { encodeVarints } from "./varint.ts";

/** It comes before all responses, of which the most urgent has 3. */
const SEND_ORDER = 4;
/** Above every identifier of a stream that is used. */
const MAX_ID = Number.MAX_SAFE_INTEGER - 3;

/** Writes the control stream of one connection. */
export class ControlWriter {
  /** Held as long as the connection: garbage is closed, and this must not be. */
  readonly #stream: Promise<QuicSendStream>;
  readonly #output: Output;

  /** Opens the stream; `onLost` is called if nothing can be written. */
  constructor(
    transport: QuicTransport,
    maxFieldSectionSize: number,
    onLost: () => void,
  ) {
    // The output's write gets to know whether it fails.
    this.#stream = handled(open(transport));
    this.#output = new Output({
      write: async (bytes) => await (await this.#stream).write(bytes),
    }, onLost);
    this.#output.bytes(encodeVarints(STREAM_TYPES.control));
    this.#send(encodeSettings({ maxFieldSectionSize }));
  }

  /**
   * Says that requests from an identifier on are not served; without one, that the
   * server is about to leave.
   */
  goaway(id: number = MAX_ID): void {
    this.#send(encodeFrame("GOAWAY", encodeVarints(id)));
  }

  #send(frame: Uint8Array): void {
    this.#output.bytes(frame);
    this.#output.send();
  }
}

async function open(transport: QuicTransport): Promise<QuicSendStream> {
  const stream = await transport.openUnidirectional();
  stream.sendOrder = SEND_ORDER;
  return stream;
}
