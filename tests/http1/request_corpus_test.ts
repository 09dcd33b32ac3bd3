// The project's own corpus of requests, `tests/data/http1_requests.json`: each
// case through a connection in memory, whole, byte by byte, and split at every
// offset (large ones at some). What reaches the handler, what is answered, and
// whether the connection goes on must be the same in every feeding.

import { assertEquals } from "@std/assert";
import corpus from "../data/http1_requests.json" with { type: "json" };
import {
  coarseFeedings,
  everyFeeding,
  type Feeding,
  someFeedings,
} from "../_feeding.ts";
import {
  readContent,
  respond,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { statuses } from "./_responses.ts";
import { settledSoon as settled } from "../_turns.ts";

/** What became of some requests. */
interface Outcome {
  /** The statuses of the final responses. */
  readonly responses: readonly number[];
  /** The requests that reached the handler whole: method, target, content. */
  readonly served: readonly string[];
  /** Whether the connection goes on. */
  readonly open: boolean;
}

/** Bytes on the wire: a byte string, or a list of such and of long runs. */
type Raw =
  | string
  | readonly (string | { readonly repeat: string; readonly times: number })[];

function wireOf(raw: Raw): string {
  if (typeof raw === "string") return raw;
  return raw.map((part) =>
    typeof part === "string" ? part : part.repeat.repeat(part.times)
  ).join("");
}

async function serve({ chunks }: Feeding): Promise<Outcome> {
  const served: string[] = [];
  const { transport, exchanges, done } = serveInMemory(async (exchange) => {
    const content = await readContent(exchange);
    if (content === undefined) return;
    const { method, target: { path, query } } = exchange.request;
    const target = query === "" ? path : `${path}?${query}`;
    const request = `${method} ${target}`;
    served.push(content === "" ? request : `${request} ${content}`);
    await respond(exchange, "served");
  });
  transport.pushAll(chunks);
  await settled();
  const methods = exchanges.map(({ request }) => request.method);
  const outcome = {
    responses: statuses(transport.output, methods)
      .filter((status) => status >= 200),
    served,
    open: !transport.writeClosed && !transport.closed,
  };
  transport.end();
  await within(done);
  return outcome;
}

function feedingsOf(wire: string): Feeding[] {
  if (wire.length > 20_000) return coarseFeedings(wire, 2);
  return wire.length > 400 ? someFeedings(wire, 20) : everyFeeding(wire);
}

for (const { rule, text, cases } of corpus.rules) {
  Deno.test(`rule ${rule}: ${text}`, async (t) => {
    for (const { id, raw, responses, served, open } of cases) {
      await t.step(id, async () => {
        const wire = wireOf(raw);
        for (const feeding of feedingsOf(wire)) {
          const outcome = await serve(feeding);
          assertEquals(outcome, { responses, served, open }, feeding.name);
        }
      });
    }
  });
}

Deno.test("every case of the corpus has a name of its own within its rule", () => {
  for (const { cases } of corpus.rules) {
    const ids = cases.map(({ id }) => id);
    assertEquals(ids, [...new Set(ids)]);
  }
});
