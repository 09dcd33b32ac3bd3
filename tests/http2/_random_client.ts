// A client that does anything, from a fixed seed: honest, if no chance of faults
// is given, so that all that it asks for must come; or not.

import { FRAME_TYPES } from "../../src/http2/frames.ts";
import type { Random } from "../websocket/_random.ts";
import { uint32, wire } from "./_frames.ts";
import type { Http2Client } from "./_client.ts";
import type { ClientStream } from "./_client_stream.ts";

/** What a client may do next. */
export class RandomClient {
  readonly #client: Http2Client;
  readonly #random: Random;
  readonly #paths: readonly string[];
  /** Streams whose requests are not complete. */
  readonly #uploads: ClientStream[] = [];

  /** Asks for `paths`. */
  constructor(client: Http2Client, random: Random, paths: readonly string[]) {
    this.#client = client;
    this.#random = random;
    this.#paths = paths;
  }

  /** Does one thing. */
  step(): void {
    const random = this.#random;
    const client = this.#client;
    const upload = this.#uploads.at(random.integer(0, 9));
    switch (random.integer(0, 11)) {
      case 0:
      case 1:
        return void client.open({ path: random.pick(this.#paths) });
      case 2:
        return void this.#uploads.push(this.#openUpload());
      case 3:
      case 4:
      case 5:
        return upload && this.#send(upload);
      case 6:
        return upload && this.#end(upload);
      case 7:
        return this.#cancel(
          random.pick([...client.streams.values(), undefined]),
        );
      case 8:
        return client.windowUpdate(0, random.integer(1, 10_000));
      case 9:
        return client.settings({ INITIAL_WINDOW_SIZE: random.integer(0, 1e6) });
      case 10:
        return client.priorityUpdate(
          2 * random.integer(0, 50) + 1,
          `u=${random.integer(0, 7)}${random.pick(["", ", i"])}`,
        );
      default:
        return client.ping(String(random.integer(1e7, 9e7)));
    }
  }

  /** Ends the requests that are not complete. */
  end(): void {
    while (this.#uploads.length > 0) this.#end(this.#uploads[0]);
  }

  /** Sends a frame that no honest client would. */
  breakRule(): void {
    const random = this.#random;
    const streamId = random.pick([0, 1, 2, 3, 5, 99, 2 ** 31 - 1]);
    const type = random.pick([...Object.values(FRAME_TYPES), 0xee]);
    const length = random.pick([0, 1, 4, 5, 6, 8, 100]);
    const payload = random.chance(0.3)
      ? uint32(random.pick([0, 1, 2 ** 31 - 1]))
      : random.bytes(length);
    this.#client.raw(wire(type, random.integer(0, 255), streamId, payload));
  }

  #openUpload(): ClientStream {
    const path = this.#random.pick(this.#paths);
    const content: [string, string][] = this.#random.chance(0.3)
      ? [["expect", "100-continue"]]
      : [];
    return this.#client.open({ method: "POST", path, headers: content }, false);
  }

  #cancel(stream: ClientStream | undefined): void {
    if (stream === undefined) return;
    stream.cancel();
    if (this.#uploads.includes(stream)) this.#forget(stream);
  }

  #send(stream: ClientStream): void {
    if (stream.over) return this.#forget(stream);
    const most = Math.min(stream.sendable, this.#random.pick([10, 20_000]));
    if (most <= 0) return;
    this.#client.data(stream.id, new Uint8Array(this.#random.integer(1, most)));
  }

  #end(stream: ClientStream): void {
    this.#forget(stream);
    if (stream.over) return;
    if (this.#random.chance(0.3)) stream.sendTrailers([["x-end", "1"]]);
    else this.#client.data(stream.id, "", true);
  }

  #forget(stream: ClientStream): void {
    this.#uploads.splice(this.#uploads.indexOf(stream), 1);
  }
}
