// Reads request heads in every way that their bytes may arrive: the result is
// always the same.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { HttpError } from "../../src/http/http_error.ts";
import { DEFAULT_LIMITS, type RequestLimits } from "../../src/http/limits.ts";
import {
  type RequestHead,
  RequestHeadParser,
} from "../../src/http1/request_head.ts";
import { ByteReader } from "../../src/streams/byte_reader.ts";
import { everyFeeding, type Feeding, streamOf, whole } from "../_feeding.ts";

export type Limits = Partial<RequestLimits>;

export function parserOf(
  { chunks }: Feeding,
  limits: Limits = {},
): RequestHeadParser {
  const reader = new ByteReader(streamOf(chunks));
  return new RequestHeadParser(reader, { ...DEFAULT_LIMITS, ...limits });
}

/** Reads one head, or says which status it is refused with. */
export async function read(
  feeding: Feeding,
  limits?: Limits,
): Promise<RequestHead | number | null> {
  try {
    return await parserOf(feeding, limits).read();
  } catch (error) {
    assertInstanceOf(error, HttpError);
    return error.status;
  }
}

export async function readWhole(
  wire: string,
  limits?: Limits,
): Promise<RequestHead> {
  const head = await read(whole(wire), limits);
  assert(head !== null && typeof head !== "number", `Refused with ${head}`);
  return head;
}

/** Asserts that a head is accepted, and the same, however it is fed. */
export async function assertAccepted(
  wire: string,
  limits?: Limits,
  feedings = everyFeeding(wire),
): Promise<RequestHead> {
  const expected = await readWhole(wire, limits);
  for (const feeding of feedings) {
    const message = `${JSON.stringify(wire)}, ${feeding.name}`;
    assertEquals(await read(feeding, limits), expected, message);
  }
  return expected;
}

export async function assertRefused(
  wire: string,
  status: number,
  limits?: Limits,
  feedings = everyFeeding(wire),
): Promise<void> {
  for (const feeding of feedings) {
    const message = `${JSON.stringify(wire)}, ${feeding.name}`;
    assertEquals(await read(feeding, limits), status, message);
  }
}

/** A request with some lines besides its Host. */
export function request(...lines: string[]): string {
  return ["POST / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n");
}

export function startingWith(requestLine: string): string {
  return `${requestLine}\r\nHost: a\r\n\r\n`;
}
