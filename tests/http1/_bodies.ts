// Reads content out of its framing, in every way that its bytes may arrive.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { HttpError } from "../../src/http/http_error.ts";
import { DEFAULT_LIMITS, type RequestLimits } from "../../src/http/limits.ts";
import { RequestBody } from "../../src/http1/request_body.ts";
import type { BodyFraming } from "../../src/http1/connection_fields.ts";
import { ByteReader } from "../../src/streams/byte_reader.ts";
import { everyFeeding, type Feeding, streamOf, text } from "../_feeding.ts";

export type Limits = Partial<RequestLimits>;

export interface Content {
  readonly content: string;
  readonly trailers: readonly (readonly [string, string])[];
  /** What is left after the body. */
  readonly rest: string;
}

export function bodyOf(
  { chunks }: Feeding,
  framing: BodyFraming,
  limits: Limits = {},
): { body: RequestBody; reader: ByteReader } {
  const reader = new ByteReader(streamOf(chunks));
  const all = { ...DEFAULT_LIMITS, ...limits };
  return { body: new RequestBody(reader, framing, all), reader };
}

/** Reads all content, or says which status it is refused with. */
export async function read(
  feeding: Feeding,
  framing: BodyFraming,
  limits?: Limits,
): Promise<Content | number> {
  const { body, reader } = bodyOf(feeding, framing, limits);
  try {
    let content = "";
    for (let chunk; (chunk = await body.read()) !== null;) {
      content += text(chunk);
    }
    while (await reader.fill());
    const rest = text(reader.take(Infinity) ?? new Uint8Array(0));
    return { content, trailers: body.trailers, rest };
  } catch (error) {
    assertInstanceOf(error, HttpError);
    return error.status;
  }
}

export async function assertContent(
  wire: string,
  framing: BodyFraming,
  expected: Partial<Content>,
  limits?: Limits,
  feedings = everyFeeding(wire),
): Promise<void> {
  const all: Content = { content: "", trailers: [], rest: "", ...expected };
  for (const feeding of feedings) {
    const message = `${JSON.stringify(wire.slice(0, 200))}, ${feeding.name}`;
    assertEquals(await read(feeding, framing, limits), all, message);
  }
}

export async function assertRefused(
  wire: string,
  status: number,
  limits?: Limits,
  feedings = everyFeeding(wire),
): Promise<void> {
  for (const feeding of feedings) {
    const message = `${JSON.stringify(wire.slice(0, 200))}, ${feeding.name}`;
    assertEquals(await read(feeding, "chunked", limits), status, message);
  }
}
