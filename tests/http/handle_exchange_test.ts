import { assertEquals } from "@std/assert";
import { handleExchange } from "../../src/http/handle_exchange.ts";
import { HttpError } from "../../src/http/http_error.ts";
import type { MessageStream } from "../../src/http/message_stream.ts";
import type { StreamExchange } from "../../src/http/stream_exchange.ts";

/** What is done with an exchange whose handler does `fail`, and is reported. */
async function outcome(
  fail: () => void,
  state: { complete?: boolean; disconnect?: "lost" } = {},
): Promise<unknown[]> {
  const log: unknown[] = [];
  const exchange = {
    complete: false,
    disconnect: undefined,
    refuse: (status: number) => Promise.resolve(void log.push(status)),
    callReturned: () => void log.push("returned"),
    ...state,
  } as unknown as StreamExchange<MessageStream>;
  const handle = () => Promise.resolve().then(fail);
  await handleExchange(exchange, handle, (error) => log.push(error));
  return log;
}

Deno.test("A handler that completes its response needs nothing", async () => {
  assertEquals(await outcome(() => {}, { complete: true }), ["returned"]);
});

Deno.test("A response that is not complete becomes a 500", async () => {
  assertEquals(await outcome(() => {}), [500, "returned"]);
});

Deno.test("What a handler throws is reported; a status is answered with", async () => {
  const fault = new Error("of the test");
  const fail = () => {
    throw fault;
  };
  assertEquals(await outcome(fail), [fault, 500, "returned"]);
  const refuse = () => {
    throw new HttpError(418, "of the test");
  };
  assertEquals(await outcome(refuse), [418, "returned"]);
});

Deno.test("Of a client that is lost, nobody hears", async () => {
  const fail = () => {
    throw new Error("of the test");
  };
  for (const end of [() => {}, fail]) {
    assertEquals(await outcome(end, { disconnect: "lost" }), ["returned"]);
  }
});
