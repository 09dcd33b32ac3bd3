// A promise that floats, which nothing runs: where `promises.ts` does not find
// it, it is blind, and finds no other.

import { type AsgiApp, serve } from "jsr:@x/asgi";

/** Starts to shut a server down, and does not care how that ends. */
export function float(app: AsgiApp): void {
  serve(app).shutdown();
}
