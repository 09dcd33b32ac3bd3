// What holds of TLS holds of both ways to serve it.

import { netTest, type NetTestOptions } from "./_testing.ts";

/** The two ways to serve TLS. */
const WAYS: readonly TlsWay[] = [
  { name: "Deno's TLS", noDelay: false },
  { name: "TLS without delay", noDelay: true },
];

/** A way to serve TLS. */
export interface TlsWay {
  /** What it is called in the names of tests. */
  readonly name: string;
  /** The option that chooses it. */
  readonly noDelay: boolean;
}

/** Declares a test for each way to serve TLS. */
export function tlsTest(
  name: string,
  fn: (way: TlsWay) => Promise<void> | void,
  options?: NetTestOptions,
): void {
  for (const way of WAYS) {
    netTest(`${way.name}: ${name}`, () => fn(way), options);
  }
}
