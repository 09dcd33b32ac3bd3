// One exchange over a connection in memory, and what its client gets.

import { assertEquals } from "@std/assert";
import type { Http1Options } from "../../src/http1/options.ts";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import type { Field } from "../../src/http/fields.ts";
import { bytes } from "../_feeding.ts";
import { type InMemory, serveInMemory, within } from "./_memory_transport.ts";
import { parseResponses, type Response } from "./_responses.ts";
import { settledSoon as settled } from "../_turns.ts";

export const EMPTY = new Uint8Array(0);

export interface Answer {
  readonly status?: number;
  readonly headers?: Field[];
  readonly chunks?: string[];
}

/** A handler that gives a fixed answer, its last chunk marked as the last. */
export function answer(
  { status = 200, headers = [], chunks = ["hello"] }: Answer,
): (exchange: Http1Exchange) => Promise<void> {
  return async (exchange) => {
    exchange.head(status, headers);
    for (const [i, chunk] of chunks.entries()) {
      await exchange.data(bytes(chunk), i === chunks.length - 1);
    }
  };
}

/** A request head of some lines; the first is the request line. */
export function request(line: string, ...fields: string[]): string {
  return [line, "Host: a", ...fields, "", ""].join("\r\n");
}

/** Serves one request, and lets the client close after it. */
export async function exchangeOne(
  wire: string,
  handler: (exchange: Http1Exchange) => Promise<void>,
  options: Partial<Http1Options> = {},
): Promise<InMemory & { output: string; stayedOpen: boolean }> {
  const served = serveInMemory(handler, options);
  served.transport.push(wire);
  await settled();
  const stayedOpen = !served.transport.writeClosed && !served.transport.closed;
  served.transport.end();
  await within(served.done);
  return { ...served, output: served.transport.output, stayedOpen };
}

export async function responseTo(
  line: string,
  given: Answer,
  fields: string[] = [],
): Promise<Response & { stayedOpen: boolean; wire: string }> {
  const { output, stayedOpen } = await exchangeOne(
    request(line, ...fields),
    answer(given),
    { serverHeader: null },
  );
  const [response, ...others] = parseResponses(output, [line.split(" ")[0]]);
  assertEquals(others, []);
  return { ...response, stayedOpen, wire: output };
}

/** The length of "hello". */
export const HELLO: Field[] = [["content-length", "5"]];
