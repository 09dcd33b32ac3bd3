// Decoding: the representations, each rule whose breach ends the connection, and
// the limits past which fields are counted and no longer kept.

import { assertEquals, assertThrows } from "@std/assert";
import { HpackDecoder, HpackError } from "../../../src/http2/hpack/mod.ts";
import { corpusTest, type FieldPairs, hpackExamples } from "../../_corpora.ts";
import {
  block,
  decodeOne,
  indexed,
  NO_LIMITS,
  plain,
  sizeUpdate,
} from "./_blocks.ts";

function assertBroken(wire: string, message: string, decoder?: HpackDecoder) {
  const error = assertThrows(
    () => (decoder ?? new HpackDecoder()).decode(block(wire)),
    HpackError,
    `Cannot decode header block: ${message}`,
  );
  assertEquals(error.code, 0x9, "COMPRESSION_ERROR");
}

/** A decoder whose table holds one field, a: b. */
function decoderWithEntry(): HpackDecoder {
  const decoder = new HpackDecoder();
  decoder.decode(block(indexed("a", "b")));
  return decoder;
}

Deno.test("decode() reads each representation (RFC 7541, appendix C.2)", () => {
  const samples: [string, string, string][] = [
    [
      "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
      "custom-key",
      "custom-header",
    ],
    ["040c2f73616d706c652f70617468", ":path", "/sample/path"],
    ["100870617373776f726406736563726574", "password", "secret"],
    ["82", ":method", "GET"],
  ];
  for (const [wire, name, value] of samples) {
    assertEquals(decodeOne(wire), [[name, value]]);
  }
});

Deno.test("decode() refers to what earlier blocks have added (appendix C.4)", () => {
  const decoder = new HpackDecoder();
  const first: FieldPairs = [[":method", "GET"], [":scheme", "http"], [
    ":path",
    "/",
  ], [
    ":authority",
    "www.example.com",
  ]];
  const list = decoder.decode(block("828684418cf1e3c2e5f23a6ba0ab90f4ff"));
  assertEquals(list.fields, first);
  assertEquals(
    decoder.decode(block("828684be5886a8eb10649cbf")).fields,
    [...first, ["cache-control", "no-cache"]],
  );
  assertEquals(decoder.tableSize, 110);
});

corpusTest(
  hpackExamples,
  "decode() decodes the examples of RFC 7541, with their tables",
  ({ examples }) => {
    for (const { section, tableSize, blocks } of examples) {
      const decoder = new HpackDecoder();
      const update = tableSize === 4096 ? "" : sizeUpdate(tableSize);
      for (const [i, { wire, headers, ...table }] of blocks.entries()) {
        const bytes = block(i === 0 ? update : "", wire);
        assertEquals(decoder.decode(bytes).fields, headers, section);
        assertEquals(decoder.tableSize, table.tableSize, section);
        const indexes = table.table.map((_, age) => 0x80 + 62 + age);
        const entries = decoder.decode(Uint8Array.from(indexes));
        assertEquals(entries.fields, table.table, section);
      }
    }
  },
);

Deno.test("an empty block is an empty list", () => {
  const { fields, size, count, tooLarge } = new HpackDecoder().decode(block());
  assertEquals([fields, size, count, tooLarge], [[], 0, 0, false]);
});

Deno.test("fields that are not indexed stay out of the table", () => {
  const decoder = new HpackDecoder();
  decoder.decode(
    block("00", plain("a"), plain("b"), "10", plain("c"), plain("d")),
  );
  assertEquals(decoder.tableSize, 0);
  assertBroken("be", "no table has an entry 62", decoder);
});

Deno.test("decode() refuses an index that no table has", () => {
  assertBroken("80", "no table has an entry 0");
  assertBroken("be", "no table has an entry 62");
  assertBroken("bf", "no table has an entry 63", decoderWithEntry());
  assertBroken("7f00 0161", "no table has an entry 63");
  assertBroken("0f30 0161", "no table has an entry 63");
  assertBroken("ffffffff7f", "no table has an entry");
});

Deno.test("decode() refuses an integer that is cut or too large", () => {
  for (
    const wire of [
      "ff",
      "ff80",
      "ffffffffff01",
      "ff8080808000",
      "7f",
      "3f",
      "0f",
    ]
  ) {
    assertBroken(wire, "an integer is cut or too large");
  }
});

Deno.test("decode() refuses a string that is cut", () => {
  for (
    const wire of ["40", "4001", "400161", "40016101", "4002 61", "41", "417f"]
  ) {
    assertBroken(wire, "a string is cut, or its Huffman code is broken");
  }
});

Deno.test("decode() refuses a broken Huffman code", () => {
  const broken = {
    "EOS": "84ffffffff",
    "EOS after a symbol": "851fffffffff",
    "eight bits of padding": "82 1fff",
    "padding with a zero": "8118",
    "padding alone": "81ff",
  };
  for (const wire of Object.values(broken)) {
    assertBroken(`00 0161 ${wire}`, "a string is cut, or its Huffman code");
    assertBroken(`00 ${wire} 0161`, "a string is cut, or its Huffman code");
  }
});

Deno.test("a name may be that of the entry that its field evicts", () => {
  const decoder = new HpackDecoder();
  decoder.decode(block(sizeUpdate(40), indexed("name", "")));
  const list = decoder.decode(block("7e", plain("x"), "7e", plain("other")));
  assertEquals(list.fields, [["name", "x"], ["name", "other"]]);
  assertEquals(decoder.tableSize, 0, "the last one is larger than the table");
});

Deno.test("a field that is larger than the table empties it", () => {
  const decoder = decoderWithEntry();
  const { fields } = decoder.decode(block(indexed("c", "d".repeat(4096))));
  assertEquals(fields, [["c", "d".repeat(4096)]]);
  assertEquals(decoder.tableSize, 0);
});

Deno.test("size updates are accepted at the start of a block, two at most", () => {
  const decoder = decoderWithEntry();
  assertEquals(decoder.decode(block(sizeUpdate(100), "be")).fields.length, 1);
  decoder.decode(block(sizeUpdate(0), sizeUpdate(4096)));
  assertEquals(decoder.tableSize, 0);
  const message =
    "a table size update is not at its start, or is the third one";
  assertBroken("202020", message);
  assertBroken("8220", message);
});

Deno.test("decode() refuses a size update above the setting", () => {
  assertBroken(
    sizeUpdate(4097),
    "a table size update to 4097 is above the setting",
  );
  const decoder = new HpackDecoder();
  decoder.setMaxTableSize(8192);
  decoder.decode(block(sizeUpdate(8192)));
  assertBroken(sizeUpdate(8193), "a table size update to 8193", decoder);
});

Deno.test("a setting below the table's size demands a size update", () => {
  const message = "it must begin with a table size update to at most 100";
  for (const wire of ["82", ""]) {
    const decoder = new HpackDecoder();
    decoder.setMaxTableSize(100);
    assertBroken(wire, message, decoder);
  }
  const decoder = new HpackDecoder();
  decoder.setMaxTableSize(100);
  decoder.decode(block(sizeUpdate(100), "82"));
  decoder.decode(block("82"));
});

Deno.test("a setting that was lowered and raised demands the smaller size", () => {
  function lowerAndRaise(): HpackDecoder {
    const decoder = decoderWithEntry();
    decoder.setMaxTableSize(50);
    decoder.setMaxTableSize(4096);
    return decoder;
  }
  const message = "it must begin with a table size update to at most 50";
  assertBroken("82", message, lowerAndRaise());
  assertBroken(sizeUpdate(4096), message, lowerAndRaise());
  const updates = block(sizeUpdate(50), sizeUpdate(4096), "be");
  assertEquals(lowerAndRaise().decode(updates).fields, [["a", "b"]]);
});

Deno.test("a setting above the table's size demands nothing", () => {
  const decoder = new HpackDecoder();
  decoder.decode(block(sizeUpdate(64)));
  decoder.setMaxTableSize(64);
  decoder.decode(block("82"));
});

Deno.test("a list that is too large is decoded to its end", () => {
  const decoder = new HpackDecoder({ maxListSize: 100 });
  const wire = block(indexed("a", "b"), indexed("c", "d"), indexed("e", "f"));
  const list = decoder.decode(wire);
  assertEquals(list.fields, [["a", "b"], ["c", "d"]]);
  assertEquals([list.tooLarge, list.size, list.count], [true, 102, 3]);
  const next = decoder.decode(block("be c0"));
  assertEquals(next.fields, [["e", "f"], ["a", "b"]]);
  assertEquals(next.tooLarge, false);
});

Deno.test("a list of exactly the limits is not too large", () => {
  const decoder = new HpackDecoder({ maxListSize: 68, maxFields: 2 });
  const wire = [indexed("a", "b"), indexed("c", "d")];
  assertEquals(decoder.decode(block(...wire)).tooLarge, false);
  assertEquals(decoder.decode(block(...wire, "be")).tooLarge, true);
});

Deno.test("what is broken past the limits is refused all the same", () => {
  const decoder = new HpackDecoder({ maxFields: 1 });
  assertBroken("8282 be", "no table has an entry 62", decoder);
});

Deno.test("references to a large entry are counted, and not kept", () => {
  const decoder = new HpackDecoder();
  decoder.decode(block(indexed("a", "b".repeat(4000))));
  const bomb = new Uint8Array(60_000).fill(0xbe);
  const { fields, count, size } = decoder.decode(bomb);
  assertEquals(fields.length, Math.floor(64 * 1024 / 4033));
  assertEquals([count, size], [60_000, 60_000 * 4033]);
});

Deno.test("small fields are kept up to their number", () => {
  const decoder = new HpackDecoder({ maxListSize: Infinity });
  const { fields, count } = decoder.decode(new Uint8Array(60_000).fill(0x90));
  assertEquals([fields.length, count], [128, 60_000]);
});

Deno.test("each list has arrays of its own, also of fields in a table", () => {
  const decoder = decoderWithEntry();
  const [first, second] = [block("82be"), block("82be")]
    .map((wire) => decoder.decode(wire).fields as [string, string][]);
  for (const field of first) field[1] = "changed";
  assertEquals(second, [[":method", "GET"], ["a", "b"]]);
  assertEquals(decodeOne("82"), [[":method", "GET"]]);
});

Deno.test("what was decoded does not depend on the block's memory", () => {
  const decoder = new HpackDecoder();
  const wire = block(indexed("name", "x".repeat(60)));
  const { fields } = decoder.decode(wire);
  wire.fill(0);
  assertEquals(fields, [["name", "x".repeat(60)]]);
  assertEquals(decoder.decode(block("be")).fields, fields);
});

Deno.test("a field is sorted once, when it gets into a table", () => {
  const sorted: string[] = [];
  function classify(name: string, value: string): number {
    sorted.push(name);
    return name.startsWith(":") ? 1 : value === "" ? 2 : 3;
  }
  const decoder = new HpackDecoder({ ...NO_LIMITS, classify });
  new HpackDecoder({ classify });
  assertEquals(sorted.length, 61, "the static table, once for all decoders");
  sorted.length = 0;
  const { kinds } = decoder.decode(block("82", indexed("a", "b"), "be be 90"));
  assertEquals(kinds, [1, 3, 3, 3, 3]);
  assertEquals(sorted, ["a"]);
});

Deno.test("without a function that sorts, all fields are of one kind", () => {
  assertEquals(decoderWithEntry().decode(block("82be")).kinds, [0, 0]);
});
