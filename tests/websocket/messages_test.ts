// Messages from the parts of their frames: text and bytes, limits, and what is
// counted while they arrive. With a whole connection this is tested elsewhere.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { BufferBudget } from "../../src/websocket/buffer_budget.ts";
import type { DataPart } from "../../src/websocket/frames.ts";
import { MessageAssembler, sizeOf } from "../../src/websocket/messages.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import { utf8 } from "./_frames.ts";

/** A whole uncompressed message of text, unless the test says otherwise. */
function part(payload: Uint8Array, given: Partial<DataPart> = {}): DataPart {
  return {
    type: "data",
    text: true,
    compressed: false,
    first: true,
    fin: true,
    remaining: 0,
    payload,
    ...given,
  };
}

function createAssembler(maxBytes = 1_000_000) {
  const budget = new BufferBudget(Infinity);
  return { budget, assembler: new MessageAssembler({ maxBytes, budget }) };
}

function codeOf(run: () => unknown): number {
  return assertThrows(run, WebSocketError).code;
}

Deno.test("A message in one part is made at once, of memory of its own", () => {
  const { assembler } = createAssembler();
  assertEquals(assembler.add(part(utf8("Héllo"))), {
    type: "message",
    data: "Héllo",
  });
  const payload = new Uint8Array([1, 2]);
  const message = assembler.add(part(payload, { text: false }));
  payload[0] = 9;
  assertEquals(message, { type: "message", data: new Uint8Array([1, 2]) });
});

Deno.test("Parts are joined, and a character may lie in two of them", () => {
  const { assembler } = createAssembler();
  const bytes = utf8("a€b");
  const first = part(bytes.subarray(0, 2), { fin: false });
  assertEquals(assembler.add(first), undefined);
  const rest = { first: false, fin: false };
  assertEquals(assembler.add(part(bytes.subarray(2, 3), rest)), undefined);
  assertEquals(assembler.add(part(bytes.subarray(3), { first: false })), {
    type: "message",
    data: "a€b",
  });
});

Deno.test("A message of more than maxBytes is refused before its bytes have come", () => {
  const { assembler } = createAssembler(10);
  const announced = part(new Uint8Array(1), { remaining: 10, text: false });
  assertEquals(codeOf(() => assembler.add(announced)), 1009);
  const half = part(new Uint8Array(6), { fin: false, text: false });
  assertEquals(assembler.add(half), undefined);
  assertEquals(codeOf(() => assembler.add({ ...half, first: false })), 1009);
});

Deno.test("Text that is not UTF-8 fails at its first bad byte", () => {
  const { assembler } = createAssembler();
  const bad = new Uint8Array([0x61, 0xff]);
  assertEquals(codeOf(() => assembler.add(part(bad))), 1007);
  assertEquals(codeOf(() => assembler.add(part(bad, { fin: false }))), 1007);
  const cut = createAssembler().assembler;
  const begin = part(utf8("€").subarray(0, 2), { fin: false });
  assertEquals(cut.add(begin), undefined);
  const end = part(new Uint8Array(0), { first: false });
  assertEquals(codeOf(() => cut.add(end)), 1007);
});

Deno.test("What has arrived is counted, and given back when it is dropped", () => {
  const { assembler, budget } = createAssembler();
  const begin = part(new Uint8Array(100_000), { fin: false, text: false });
  assertEquals(assembler.add(begin), undefined);
  assert(budget.used >= 100_000 && budget.used <= 200_000);
  assembler.close();
  assertEquals(budget.used, 0);
});

Deno.test("A text counts for two bytes a unit", () => {
  assertEquals(sizeOf({ type: "message", data: "abc" }), 6);
  assertEquals(sizeOf({ type: "message", data: new Uint8Array(3) }), 3);
});
