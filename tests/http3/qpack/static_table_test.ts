import { assertEquals } from "@std/assert";
import {
  STATIC_NAMES,
  STATIC_TABLE,
} from "../../../src/http3/qpack/static_table.ts";

Deno.test("the static table has 99 entries, from index 0 on", () => {
  assertEquals(STATIC_TABLE.length, 99);
  const samples: [number, string, string][] = [
    [0, ":authority", ""],
    [17, ":method", "GET"],
    [25, ":status", "200"],
    [71, ":status", "500"],
    [98, "x-frame-options", "sameorigin"],
  ];
  for (const [index, name, value] of samples) {
    assertEquals(STATIC_TABLE[index], [name, value]);
    assertEquals(STATIC_NAMES.get(name)!.values.get(value), index);
  }
});

Deno.test("a name is known by its first entry", () => {
  assertEquals(STATIC_NAMES.get(":status")!.index, 24);
  assertEquals(STATIC_NAMES.get("x-frame-options")!.index, 97);
});
