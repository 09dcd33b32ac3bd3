// The static table: as many entries as the specification lists, at its indexes.

import { assertEquals } from "@std/assert";
import {
  FIRST_DYNAMIC_INDEX,
  STATIC_TABLE,
} from "../../../src/http2/hpack/static_table.ts";

Deno.test("the static table has its entries at their indexes", () => {
  const samples: [number, string, string][] = [
    [1, ":authority", ""],
    [2, ":method", "GET"],
    [8, ":status", "200"],
    [14, ":status", "500"],
    [16, "accept-encoding", "gzip, deflate"],
    [28, "content-length", ""],
    [31, "content-type", ""],
    [33, "date", ""],
    [38, "host", ""],
    [54, "server", ""],
    [61, "www-authenticate", ""],
  ];
  for (const [index, name, value] of samples) {
    assertEquals([...STATIC_TABLE[index - 1]], [name, value]);
  }
  assertEquals(STATIC_TABLE.length, FIRST_DYNAMIC_INDEX - 1);
});

Deno.test("regular names of the static table are in the order of the alphabet", () => {
  const names = STATIC_TABLE.map(([name]) => name).slice(14);
  const exception = names.indexOf("accept");
  assertEquals(names.splice(exception, 1), ["accept"]);
  assertEquals(names, names.toSorted());
  assertEquals(new Set(names).size, names.length);
});
