// Stories of 14 encoders, which lie beside the repository: every block of theirs
// decodes to the fields that it was made of; cut or changed, to those or to the
// one error; and the encoder here takes about as few bytes as the best of them.

import { assert, assertEquals } from "@std/assert";
import {
  HpackDecoder,
  HpackEncoder,
  HpackError,
} from "../../../src/http2/hpack/mod.ts";
import {
  corpusTest,
  type FieldPairs,
  hpackExamples,
  type HpackStories,
  hpackStories,
} from "../../_corpora.ts";
import { Random } from "../../_feeding.ts";
import { block, NO_LIMITS, sizeUpdate, tryDecode } from "./_blocks.ts";

/** Made by encoders that share one table, and the fields of each block. */
interface Story {
  readonly name: string;
  readonly lists: readonly FieldPairs[];
  readonly blocks: readonly {
    readonly bytes: Uint8Array;
    /** The limit of the table that was set just before. */
    readonly tableSize?: number;
  }[];
}

function storiesOf({ headers, encoders }: HpackStories): Story[] {
  return Object.entries(encoders).flatMap(([encoder, { stories }]) =>
    Object.entries(stories).map(([number, blocks]) => ({
      name: `${encoder}, story ${number}`,
      lists: headers[number],
      blocks: blocks.map((one) => {
        const [wire, tableSize] = typeof one === "string" ? [one] : one;
        return { bytes: block(wire), tableSize };
      }),
    }))
  );
}

/** A decoder that is ready for the first block. */
function decoderFor({ blocks: [{ tableSize }] }: Story): HpackDecoder {
  const decoder = new HpackDecoder(NO_LIMITS);
  if (tableSize !== undefined) decoder.setMaxTableSize(tableSize);
  return decoder;
}

function sizeOf(bytes: readonly { readonly length: number }[]): number {
  return bytes.reduce((sum, { length }) => sum + length, 0);
}

corpusTest(
  hpackStories,
  "every block of 14 encoders decodes to its fields",
  (data) => {
    let blocks = 0;
    for (const story of storiesOf(data)) {
      const decoder = decoderFor(story);
      for (const [i, { bytes, tableSize }] of story.blocks.entries()) {
        if (tableSize !== undefined) decoder.setMaxTableSize(tableSize);
        assertEquals(
          decoder.decode(bytes).fields,
          story.lists[i],
          `${story.name}, block ${i}`,
        );
        blocks++;
      }
    }
    assert(blocks > 0);
  },
);

corpusTest(
  hpackStories,
  "every first block, cut anywhere, gives some of its fields or the error",
  (data) => {
    for (const story of storiesOf(data)) {
      const [{ bytes }, [fields]] = [story.blocks[0], story.lists];
      for (let end = 0; end < bytes.length; end++) {
        const result = tryDecode(decoderFor(story), bytes.subarray(0, end));
        if (result instanceof HpackError) continue;
        assertEquals(result, fields.slice(0, result.length), story.name);
      }
    }
  },
);

corpusTest(
  hpackExamples,
  "every block of RFC 7541, cut anywhere, gives some of its fields or the error",
  ({ examples }) => {
    for (const { blocks, tableSize } of examples) {
      for (const [i, { wire, headers }] of blocks.entries()) {
        const bytes = block(wire);
        for (let end = 0; end < bytes.length; end++) {
          const decoder = new HpackDecoder();
          decoder.decode(block(sizeUpdate(tableSize)));
          for (const before of blocks.slice(0, i)) {
            decoder.decode(
              block(before.wire),
            );
          }
          const result = tryDecode(decoder, bytes.subarray(0, end));
          if (result instanceof HpackError) continue;
          assertEquals(result, headers.slice(0, result.length));
        }
      }
    }
  },
);

corpusTest(
  hpackStories,
  "stories with changed bytes decode, or give the one error",
  (data) => {
    const random = new Random(47_142);
    for (const story of storiesOf(data)) {
      const decoder = decoderFor(story);
      for (const { bytes } of story.blocks) {
        const changed = bytes.slice();
        if (random.oneIn(3)) {
          changed[random.below(bytes.length)] = random
            .below(256);
        }
        if (tryDecode(decoder, changed) instanceof HpackError) break;
        assert(decoder.tableSize <= 65_536);
      }
    }
  },
);

corpusTest(
  hpackStories,
  "encoded again, all lists decode to themselves, in about as few bytes",
  ({ headers, encoders }) => {
    let own = 0;
    for (const lists of Object.values(headers)) {
      const [encoder, decoder] = [
        new HpackEncoder(),
        new HpackDecoder(NO_LIMITS),
      ];
      for (const fields of lists) {
        const bytes = encoder.encode(fields);
        assertEquals(decoder.decode(bytes).fields, fields);
        own += bytes.length;
      }
    }
    const best = Object.values(encoders["nghttp2"].stories)
      .flat().map((wire) => block(String(wire)));
    assert(own < 1.02 * sizeOf(best), `${own} bytes, nghttp2 ${sizeOf(best)}`);
  },
);
