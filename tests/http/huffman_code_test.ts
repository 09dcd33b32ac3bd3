// The Huffman code that its lengths define: complete, without a code that begins
// another one, and that of the specification.

import { assert, assertEquals } from "@std/assert";
import {
  CODE_BITS,
  CODE_GROUPS,
  CODES,
  EOS,
  MAX_CODE_BITS,
} from "../../src/http/huffman_code.ts";
import { corpusTest, hpackExamples } from "../_corpora.ts";

/** The code of a symbol, in binary digits. */
function digits(symbol: number): string {
  return CODES[symbol].toString(2).padStart(CODE_BITS[symbol], "0");
}

Deno.test("the Huffman code has the codes that the specification shows", () => {
  const codes: [number | string, string][] = [
    ["0", "00000"],
    ["a", "00011"],
    [" ", "010100"],
    [":", "1011100"],
    ["!", "1111111000"],
    ["\\", "1111111111111110000"],
    [0, "1111111111000"],
    [10, "111111111111111111111111111100"],
    [EOS, "1".repeat(MAX_CODE_BITS)],
  ];
  for (const [symbol, code] of codes) {
    const number = typeof symbol === "string" ? symbol.charCodeAt(0) : symbol;
    assertEquals(digits(number), code, `symbol ${number}`);
  }
});

Deno.test("no Huffman code begins another one, and none is missing", () => {
  const codes = [...CODES.keys()].map(digits).sort();
  for (const [i, code] of codes.slice(1).entries()) {
    assert(!code.startsWith(codes[i]), `${codes[i]} begins ${code}`);
  }
  const share = codes.reduce((sum, code) => sum + 2 ** -code.length, 0);
  assertEquals(share, 1);
});

Deno.test("the groups hold each symbol under the length of its code", () => {
  for (const [bits, { first, symbols }] of CODE_GROUPS.entries()) {
    for (const [i, symbol] of symbols.entries()) {
      assertEquals([CODES[symbol], CODE_BITS[symbol]], [first + i, bits]);
    }
  }
  assertEquals(CODE_GROUPS.flatMap(({ symbols }) => symbols).length, EOS + 1);
});

corpusTest(
  hpackExamples,
  "the Huffman code is that of RFC 7541, appendix B",
  ({ huffman }) => {
    const own = [...CODES].map((code, symbol) => [code, CODE_BITS[symbol]]);
    assertEquals(own, huffman.map(([code, bits]) => [code, bits]));
  },
);
