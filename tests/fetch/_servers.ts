// The two servers that answers are compared on: this project's, and Deno's own.

import type { AsgiApp, ServeOptions } from "../../mod.ts";
import { RawClient, type RawResponse } from "../e2e/_raw_client.ts";
import { start } from "../e2e/_testing.ts";

/** A server on a free port, for one test. */
export interface Listening extends AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
}

/** Serves an application with `serve`. */
export function serveAsgi(app: AsgiApp, options?: ServeOptions): Listening {
  return start(app, options);
}

/** Serves a handler with `Deno.serve`; what it throws is kept from stderr. */
export function serveFetch(
  handler: (
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ) => Response | Promise<Response>,
): Listening {
  const controller = new AbortController();
  const server = Deno.serve({
    port: 0,
    hostname: "127.0.0.1",
    signal: controller.signal,
    onListen: () => {},
    onError: () => new Response("Internal Server Error", { status: 500 }),
  }, handler);
  return {
    port: server.addr.port,
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await server.finished;
    },
  };
}

/** Fields that belong to the server or to the framing, not to the answer. */
const SERVER_FIELDS = [
  "connection",
  "date",
  "server",
  "transfer-encoding",
  // Deno's server adds it wherever it could compress.
  "vary",
];

/** What of a response must not depend on the server. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Sends the pieces of a request to a server, and reads the whole answer. */
export async function ask(
  { port }: Listening,
  pieces: readonly string[],
): Promise<Answer> {
  using client = await RawClient.connect(port);
  await client.send(...pieces);
  const [method] = pieces[0].split(" ");
  return answerOf(await client.readResponse({ method }), method);
}

function answerOf(
  { status, headers, body }: RawResponse,
  method: string,
): Answer {
  const kept = [...headers]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) =>
      !SERVER_FIELDS.includes(name) &&
      // Deno's server says 0 to HEAD, whatever GET would have given.
      !(name === "content-length" && method === "HEAD")
    );
  return { status, headers: Object.fromEntries(kept.sort()), body };
}
