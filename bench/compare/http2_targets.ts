/**
 * What requests over HTTP/2 may cost: the processor time of each, at most so
 * many times that of a peer.
 *
 * @module
 */

import type { Target } from "./target.ts";

/** By the name of a peer, the largest ratio. */
type Bounds = Readonly<Record<string, number>>;

/** Where many requests are under way on a connection. */
const MANY: Bounds = {
  "node-http2": 1,
  "node-http2-compat": 0.65,
  "deno-serve": 0.85,
  "go": 0.6,
  "granian": 1,
  "hypercorn": 0.06,
};
/** Where one is, and system calls are most of the cost. */
const ONE: Bounds = {
  "x-asgi-http1": 1.35,
  "node-http2": 0.9,
  "node-http2-compat": 0.75,
  "deno-serve": 1.15,
  "go": 1.25,
  "granian": 1.15,
  "hypercorn": 0.12,
};
const DOWN: Bounds = {
  "node-http2": 1.1,
  "node-http2-compat": 1.1,
  "deno-serve": 0.6,
  "go": 1.2,
  "granian": 1.2,
  "hypercorn": 0.3,
};
const UP: Bounds = {
  "node-http2": 0.7,
  "node-http2-compat": 0.7,
  "deno-serve": 0.8,
  "go": 1.6,
  "granian": 0.8,
  "hypercorn": 0.3,
};
const BOUNDS: Readonly<Record<string, Bounds>> = {
  "hello-c1-m1": { "x-asgi-http1": 1.35 },
  "hello-c1-m10": MANY,
  "hello-c1-m100": MANY,
  "hello-c8-m1": ONE,
  "hello-c8-m10": MANY,
  "hello-c8-m100": MANY,
  "hello-c32-m1": ONE,
  "hello-c32-m10": MANY,
  "hello-c32-m100": MANY,
  "down": DOWN,
  "up": UP,
  "up-64k": UP,
};

/** All targets over HTTP/2, in clear and over TLS. */
export const HTTP2_TARGETS: readonly Target[] = ["h2", "h2-tls"]
  .flatMap((prefix) =>
    Object.entries(BOUNDS).flatMap(([name, bounds]) =>
      Object.entries(bounds).map(([peer, atMost]): Target => ({
        case: `${prefix}-${name}`,
        figure: "cpuPerRequest",
        peer,
        atMost,
      }))
    )
  );
