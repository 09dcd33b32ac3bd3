// Declares a test for each version of HTTP, against `serve` over real sockets.

import type { AsgiApp, ServeOptions } from "../../mod.ts";
import {
  type Recorded,
  startRecorded as startRecordedServer,
} from "../e2e/_access_records.ts";
import {
  netTest,
  type NetTestOptions,
  start as startServer,
  type TestServer,
} from "../e2e/_testing.ts";
import { HTTP1 } from "./_http1.ts";
import { HTTP2, HTTP2_TLS } from "./_http2.ts";
import { HTTP3 } from "./_http3.ts";
import type { Leave, Wire } from "./_wire.ts";

/** Whether this process is the one for HTTP/3, which needs a flag. */
export const OVER_HTTP3: boolean = Deno.args.includes("http3");

/** All that there are. */
const WIRES: readonly Wire[] = OVER_HTTP3 ? [HTTP3] : [HTTP1, HTTP2, HTTP2_TLS];

/** What a test needs. */
interface WireTestOptions extends NetTestOptions {
  /** The wires that it is about. Default: all. */
  readonly on?: (wire: Wire) => boolean;
}

/** Declares a test for each wire. */
export function wireTest(
  name: string,
  fn: (wire: Wire) => Promise<void> | void,
  { on = () => true, ...options }: WireTestOptions = {},
): void {
  for (const wire of WIRES.filter(on)) {
    netTest(`${wire.name}: ${name}`, () => fn(wire), options);
  }
}

/** Declares a test for each way to leave, on each wire. */
export function disconnectTest(
  name: string,
  fn: (wire: Wire, leave: Leave) => Promise<void> | void,
): void {
  for (const wire of WIRES) {
    for (const [how, leave] of Object.entries(wire.disconnects)) {
      netTest(
        `${wire.name}: ${name} if the client ${how}`,
        () => fn(wire, leave),
      );
    }
  }
}

/** Starts a server for the clients of a wire. */
export function start(
  wire: Wire,
  app: AsgiApp,
  options: ServeOptions = {},
): TestServer {
  return startServer(app, { ...wire.options, ...options });
}

/** Starts one that keeps its access records. */
export function startRecorded(
  wire: Wire,
  app: AsgiApp,
  options: ServeOptions = {},
): Recorded {
  return startRecordedServer(app, { ...wire.options, ...options });
}
