// Huffman strings: whatever is encoded is decoded again; and of the many ways in
// which the last byte may be filled, one alone is accepted.

import { assert, assertEquals } from "@std/assert";
import {
  decodeHuffman,
  encodeHuffmanInto,
  huffmanLength,
} from "../../src/http/huffman.ts";
import { CODE_BITS, CODES, EOS } from "../../src/http/huffman_code.ts";
import { Random } from "../_feeding.ts";

const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte);

/** A byte string in the Huffman code. */
function encode(text: string): Uint8Array {
  const target = new Uint8Array(huffmanLength(text));
  assertEquals(encodeHuffmanInto(text, target, 0), target.length);
  return target;
}

/** What all of some bytes decode to. */
function decode(bytes: Uint8Array): string | undefined {
  return decodeHuffman(bytes, 0, bytes.length);
}

/** Bytes of binary digits, the last one filled with `padding`. */
function bits(digits: string, padding = "1"): Uint8Array {
  const full = digits.padEnd(Math.ceil(digits.length / 8) * 8, padding);
  const bytes = full.match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => parseInt(byte, 2));
}

/** The code of a symbol, in binary digits. */
function code(symbol: number): string {
  return CODES[symbol].toString(2).padStart(CODE_BITS[symbol], "0");
}

/** The code of a text, in binary digits. */
function codeOf(text: string): string {
  return [...text].map((character) => code(character.charCodeAt(0))).join("");
}

Deno.test("Huffman strings of RFC 7541, appendix C.4 and C.6, in both directions", () => {
  const samples: [string, string][] = [
    ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
    ["no-cache", "a8eb10649cbf"],
    ["custom-key", "25a849e95ba97d7f"],
    [
      "Mon, 21 Oct 2013 20:13:21 GMT",
      "d07abe941054d444a8200595040b8166e082a62d1bff",
    ],
    ["302", "6402"],
    ["", ""],
  ];
  for (const [text, wire] of samples) {
    assertEquals(encode(text).toHex(), wire);
    assertEquals(decode(Uint8Array.fromHex(wire)), text);
  }
});

Deno.test("every pair of bytes comes back from the Huffman code", () => {
  for (const first of ALL_BYTES) {
    for (const second of ALL_BYTES) {
      const text = String.fromCharCode(first, second);
      const wire = encode(text);
      if (decode(wire) !== text) assertEquals(decode(wire), text);
    }
  }
});

Deno.test("random byte strings come back from the Huffman code", () => {
  const random = new Random(7541);
  for (let i = 0; i < 3000; i++) {
    const text = random.bytes(random.pick([1, 5, 40, 300]));
    assertEquals(decode(encode(text)), text);
  }
});

Deno.test("strings that are longer than what is kept for them come back", () => {
  for (const length of [2557, 2558, 2559, 2560, 4096, 100_000]) {
    for (const text of ["0".repeat(length), "\xff\n0".repeat(length)]) {
      assert(decode(encode(text)) === text, `${length} characters`);
    }
  }
});

Deno.test("encodeHuffmanInto() pads with ones", () => {
  const random = new Random(52);
  for (let i = 0; i < 300; i++) {
    const text = random.bytes(12);
    assertEquals(encode(text), bits(codeOf(text)));
  }
});

Deno.test("decodeHuffman() reads the bytes of its string alone", () => {
  for (const text of ["a", "ab", "no-cache", "\xff", "x\n", ""]) {
    const wire = encode(text);
    for (const other of [0x00, 0x55, 0xff]) {
      const bytes = new Uint8Array(wire.length + 8).fill(other);
      bytes.set(wire, 4);
      assertEquals(decodeHuffman(bytes, 4, 4 + wire.length), text);
    }
  }
});

Deno.test("decodeHuffman() accepts up to seven ones as padding, and no more", () => {
  for (
    const text of ["", "0", "00", "0000", "a:", "/", "no-cache", "\0", "\x80"]
  ) {
    const digits = codeOf(text);
    const wire = bits(digits);
    assertEquals(decode(wire), text);
    const longer = Uint8Array.of(...wire, 0xff);
    assertEquals(decode(longer), undefined, `${text} and a byte of padding`);
  }
});

Deno.test("decodeHuffman() refuses padding that holds a zero", () => {
  for (const byte of ALL_BYTES) {
    const digits = code(byte);
    const missing = (8 - digits.length % 8) % 8;
    for (let padding = 0; padding < (1 << missing) - 1; padding++) {
      const tail = padding.toString(2).padStart(missing, "0");
      const text = decode(bits(digits + tail));
      // A short code may fit into that tail: then it is one more symbol.
      const valid = ALL_BYTES.some((other) =>
        tail === code(other).padEnd(missing, "1")
      );
      assertEquals(text !== undefined, valid, digits + tail);
    }
  }
});

Deno.test("decodeHuffman() refuses EOS, wherever it is", () => {
  for (const text of ["", "a", "ab", "no-cache", "\xff\n"]) {
    const digits = codeOf(text) + code(EOS);
    assertEquals(decode(bits(digits)), undefined, text);
    assertEquals(decode(bits(digits + codeOf("a"))), undefined, text);
  }
});

Deno.test("decodeHuffman() makes the beginning of a text, or nothing, of a cut code", () => {
  const random = new Random(11);
  for (let i = 0; i < 200; i++) {
    const text = random.bytes(20);
    const wire = encode(text);
    for (let end = 0; end < wire.length; end++) {
      const cut = decodeHuffman(wire, 0, end);
      assert(cut === undefined || text.startsWith(cut));
    }
  }
});

Deno.test("any bytes are a Huffman string that is encoded to them, or none", () => {
  const random = new Random(99);
  for (let i = 0; i < 20_000; i++) {
    const wire = Uint8Array.from(
      { length: random.below(7) },
      () => random.oneIn(3) ? 0xff : random.below(256),
    );
    const text = decode(wire);
    if (text !== undefined) assertEquals(encode(text), wire);
  }
});

Deno.test("huffmanLength() is no number for what is no byte string", () => {
  assertEquals(huffmanLength("a\xff"), 4);
  for (const text of ["\u0100", "ab\u{1F600}"]) {
    assertEquals(huffmanLength(text), NaN);
  }
});
