// The table of an encoder: fields are found by name and value while they are in
// it, and not when they have left.

import { assertEquals } from "@std/assert";
import { EncoderTable } from "../../../src/http2/hpack/encoder_table.ts";
import { fieldSize } from "../../../src/http/field_list.ts";
import { Random } from "../../_feeding.ts";

Deno.test("fields are found by name and value, names by their newest field", () => {
  const table = new EncoderTable(4096);
  table.add("a", "1");
  table.add("b", "1");
  table.add("a", "2");
  assertEquals([table.find("a", "2"), table.find("a", "1")], [62, 64]);
  assertEquals([table.findName("a"), table.findName("b")], [62, 63]);
  assertEquals([table.find("a", "3"), table.findName("c")], [0, 0]);
});

Deno.test("what has left the table is not found", () => {
  const table = new EncoderTable(2 * fieldSize("a", "1"));
  table.add("a", "1");
  table.add("a", "2");
  table.add("b", "1");
  assertEquals([table.find("a", "1"), table.find("a", "2")], [0, 63]);
  table.add("b", "2");
  assertEquals([table.findName("a"), table.findName("b")], [0, 62]);
  table.resize(0);
  assertEquals([table.findName("b"), table.size], [0, 0]);
});

Deno.test("a field that evicts the others of its name is found", () => {
  const table = new EncoderTable(40);
  table.add("name", "1");
  table.add("name", "2");
  assertEquals([table.find("name", "1"), table.find("name", "2")], [0, 62]);
  table.add("name", "larger than it");
  assertEquals([table.findName("name"), table.size], [0, 0]);
});

Deno.test("a table finds what a list that is cut holds, whatever comes", () => {
  const random = new Random(62);
  const table = new EncoderTable(300);
  let model: string[][] = [];
  for (let i = 0; i < 20_000; i++) {
    const [name, value] = [random.pick(["a", "b", "c"]), `${random.below(9)}`];
    const at = model.findIndex(([n, v]) => n === name && v === value);
    assertEquals(table.find(name, value), at < 0 ? 0 : 62 + at);
    const named = model.findIndex(([n]) => n === name);
    assertEquals(table.findName(name), named < 0 ? 0 : 62 + named);
    table.add(name, value);
    model = [[name, value], ...model].slice(0, Math.floor(300 / 34));
  }
});
