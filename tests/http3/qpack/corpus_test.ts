// What six encoders made of lists of fields, beside the repository: every section
// decodes to its list, in the order in which they were sent, whole or cut.

import { assert, assertEquals } from "@std/assert";
import { QpackDecoder } from "../../../src/http3/qpack/decoder.ts";
import { encodeSection } from "../../../src/http3/qpack/encoder.ts";
import {
  corpusTest,
  type FieldPairs,
  qpackEncodings,
  qpackErrors,
  qpackLists,
} from "../../_corpora.ts";
import { bytes } from "../../_feeding.ts";
import { NO_LIMITS, outcome } from "./_sections.ts";

/** Bytes of one stream: 0 for the encoder's, else a section. */
interface Chunk {
  readonly streamId: number;
  readonly bytes: Uint8Array;
}

function* chunksOf(wire: string): Generator<Chunk> {
  const all = bytes(wire);
  const view = new DataView(all.buffer);
  for (let at = 0; at < all.length;) {
    const streamId = Number(view.getBigUint64(at));
    const length = view.getUint32(at + 8);
    yield { streamId, bytes: all.subarray(at + 12, at + 12 + length) };
    at += 12 + length;
  }
}

/** Decodes all sections; the lists are in the order of their streams. */
function decodeAll(
  chunks: Iterable<Chunk>,
  capacity: number,
): { lists: FieldPairs[]; mostBlocked: number } {
  const decoder = new QpackDecoder({
    ...NO_LIMITS,
    maxTableCapacity: capacity,
  });
  decoder.setCapacity(capacity);
  const lists = new Map<number, FieldPairs>();
  let blocked: Chunk[] = [];
  let mostBlocked = 0;
  for (const chunk of chunks) {
    if (chunk.streamId === 0) decoder.receive(chunk.bytes);
    else blocked.push(chunk);
    blocked = blocked.filter(({ streamId, bytes }) => {
      const list = decoder.decode(bytes);
      if (list !== undefined) lists.set(streamId, list.fields);
      return list === undefined;
    });
    mostBlocked = Math.max(mostBlocked, blocked.length);
  }
  assertEquals(blocked, []);
  const order = [...lists.keys()].sort((a, b) => a - b);
  return { lists: order.map((id) => lists.get(id)!), mostBlocked };
}

corpusTest(
  qpackEncodings,
  "every section of six encoders decodes to its fields",
  ({ cases }) => {
    const { lists } = qpackLists.read();
    let blocked = 0;
    for (const { encoder, qif, table, wire, blocked: allowed } of cases) {
      const decoded = decodeAll(chunksOf(wire), table);
      assertEquals(decoded.lists, lists[qif] as FieldPairs[], encoder);
      assert(decoded.mostBlocked <= allowed);
      if (decoded.mostBlocked > 0) blocked++;
    }
    assertEquals(cases.length, 90);
    assert(blocked > 0, "some were blocked");
  },
);

corpusTest(
  qpackErrors,
  "what must fail does, or stays incomplete",
  ({ cases }) => {
    for (const { id, wire } of cases) {
      const decoder = new QpackDecoder({
        ...NO_LIMITS,
        maxTableCapacity: 4096,
      });
      decoder.setCapacity(4096);
      const result = outcome(() => {
        for (const chunk of chunksOf(wire)) {
          if (chunk.streamId === 0) decoder.receive(chunk.bytes);
          else return decoder.decode(chunk.bytes)?.fields;
        }
      });
      assert(
        result === undefined || typeof result === "string",
        `${id} gave fields`,
      );
    }
  },
);

corpusTest(
  qpackEncodings,
  "a section that is cut or changed gives fields, or the one error",
  ({ cases }) => {
    const sections = cases.filter(({ table }) => table === 0)
      .flatMap(({ wire }) => [...chunksOf(wire)].slice(0, 5));
    for (const { bytes } of sections) {
      for (let end = 0; end < bytes.length; end++) {
        const decoder = new QpackDecoder(NO_LIMITS);
        outcome(() => decoder.decode(bytes.subarray(0, end)));
        const changed = bytes.slice();
        changed[end] ^= 1 << end % 8;
        outcome(() => decoder.decode(changed));
      }
    }
  },
);

corpusTest(
  qpackLists,
  "what is encoded here decodes to the same",
  ({ lists }) => {
    const decoder = new QpackDecoder(NO_LIMITS);
    for (const list of Object.values(lists).flat()) {
      assertEquals(decoder.decode(encodeSection(list))!.fields, [...list]);
    }
  },
);
