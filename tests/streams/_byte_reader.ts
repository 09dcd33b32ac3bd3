// A byte reader and what it makes of a wire, however that arrives.

import { assertEquals } from "@std/assert";
import {
  ByteReader,
  LineError,
  type LineFault,
} from "../../src/streams/byte_reader.ts";
import { everyFeeding, streamOf } from "../_feeding.ts";

export const WIDE = 1_000;

/** What a reader makes of a wire: the text, a fault, or "unfinished". */
export type Outcome = { text: string } | { fault: LineFault } | "unfinished";

export function readerOf(...chunks: string[]): ByteReader {
  return new ByteReader(streamOf(chunks));
}

/** A reader that has buffered all of its chunks. */
export async function filled(...chunks: string[]): Promise<ByteReader> {
  const reader = readerOf(...chunks);
  while (await reader.fill());
  return reader;
}

/** Takes as soon as something can be taken, as a parser does. */
export async function outcomeOf(
  reader: ByteReader,
  take: () => string | undefined,
): Promise<Outcome> {
  try {
    for (;;) {
      const text = take();
      if (text !== undefined) return { text };
      if (!await reader.fill()) return "unfinished";
    }
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    return { fault: error.fault };
  }
}

export async function assertLine(
  wire: string,
  maxBytes: number,
  expected: Outcome,
): Promise<void> {
  for (const { name, chunks } of everyFeeding(wire)) {
    const reader = readerOf(...chunks);
    const actual = await outcomeOf(reader, () => reader.takeLine(maxBytes));
    assertEquals(actual, expected, `${JSON.stringify(wire)}, ${name}`);
  }
}

export async function assertBlock(
  wire: string,
  limits: [firstLine: number, rest: number],
  expected: Outcome,
): Promise<void> {
  for (const { name, chunks } of everyFeeding(wire)) {
    const reader = readerOf(...chunks);
    const actual = await outcomeOf(reader, () => reader.takeBlock(...limits));
    assertEquals(actual, expected, `${JSON.stringify(wire)}, ${name}`);
  }
}
