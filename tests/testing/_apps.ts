// What the tests of the test client share: a bound in time, and small
// applications.

import type {
  AsgiApp,
  HttpScope,
  Receive,
  Send,
  WebSocketScope,
} from "../../mod.ts";
import { bounded } from "../e2e/_testing.ts";

const TEST_TIMEOUT_MS = 10_000;

/** Declares a test that needs no permission, and takes 10 s at most. */
export function clientTest(name: string, fn: () => Promise<void>): void {
  Deno.test(
    name,
    () => bounded(fn(), `the test "${name}"`, TEST_TIMEOUT_MS),
  );
}

/** An application for HTTP requests only. */
export function http(
  handler: (scope: HttpScope, receive: Receive, send: Send) => unknown,
): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
    await handler(scope, receive, send);
  };
}

/** An application for WebSockets only. */
export function webSocket(
  handler: (scope: WebSocketScope, receive: Receive, send: Send) => unknown,
): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== "websocket") {
      throw new TypeError(`No ${scope.type} here`);
    }
    await handler(scope, receive, send);
  };
}

/** Text as UTF-8. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
