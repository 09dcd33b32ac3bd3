/**
 * What it costs to make a scope, and to run the whole cycle of a request with
 * an application, over a wire that has no bytes.
 *
 *     deno bench bench/scope_bench.ts
 *
 * @module
 */

import { HttpCycle } from "../src/asgi/http_cycle.ts";
import { type ConnectionInfo, httpScope } from "../src/asgi/http_scope.ts";
import type { AsgiApp } from "../src/asgi/types.ts";
import type { Answerable } from "../src/http/exchange.ts";
import type { Field } from "../src/http/fields.ts";
import { BROWSER_FIELDS } from "./_requests.ts";

const connection: ConnectionInfo = {
  scheme: "http",
  client: ["127.0.0.1", 50_000],
  server: ["127.0.0.1", 8000],
};
const small: Field[] = [["host", "127.0.0.1:8000"]];
const browser: Field[] = BROWSER_FIELDS.map(([name, value]) => [name, value]);

function request(path: string, headers: Field[]) {
  const target = { path, query: "page=2" };
  return { version: "1.1" as const, method: "GET", target, headers };
}

const REQUESTS = {
  "a small request": request("/", small),
  "a browser's request": request("/articles/1234", browser),
  "a path with escapes": request("/caf%C3%A9/%E2%82%AC", small),
};

/** What is made is kept for a moment: else it might not be made at all. */
const made: unknown[] = new Array(64);
let count = 0;

for (const [name, info] of Object.entries(REQUESTS)) {
  Deno.bench(`scope: ${name}`, () => {
    made[count++ % made.length] = httpScope(info, connection);
  });
}

/** Takes everything at once, and has no content to give. */
class Wire implements Answerable {
  readonly disconnect = undefined;
  readonly bodyComplete = true;
  disconnectListener: Answerable["disconnectListener"];
  readonly earlyHints = false;

  takeBody(): undefined {}

  readBody(): Promise<null> {
    return Promise.resolve(null);
  }

  sendInformational(): Promise<void> {
    return Promise.resolve();
  }

  head(): void {}

  data(): undefined {}

  trailers(): undefined {}

  refuse(): Promise<void> {
    return Promise.resolve();
  }

  abort(): void {}
}

const context = {
  openFile: () => Promise.reject(new Error("No file")),
  onAppError: (error: unknown) => {
    throw error;
  },
  onRefusedEvent() {},
  onIgnoredEvent() {},
  onAppReturned() {},
};

const body = new TextEncoder().encode("Hello, World!");
const answers: AsgiApp = async (_scope, _receive, send) => {
  const headers = [["content-length", "13"]] as const;
  await send({ type: "http.response.start", status: 200, headers });
  await send({ type: "http.response.body", body });
};
const receives: AsgiApp = async (scope, receive, send) => {
  await receive();
  await answers(scope, receive, send);
};

function benchCycle(name: string, app: AsgiApp): void {
  Deno.bench(`cycle: ${name}`, async () => {
    const scope = httpScope(REQUESTS["a small request"], connection);
    await new HttpCycle(new Wire(), context, "GET").run(app, scope);
  });
}

benchCycle("an app that answers", answers);
benchCycle("an app that receives, and answers", receives);
