// The state tables of docs/design.md are those of the code.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { granted } from "../e2e/_testing.ts";
import {
  comparePage,
  formatTable,
  isStateTable,
  withTables,
} from "../../tools/state_tables.ts";

const DOOR = {
  open: { close: "closed" },
  closed: { open: "open", lock: "locked" },
  locked: {},
};

Deno.test("isStateTable() accepts what leads from states to states", () => {
  assert(isStateTable(DOOR));
});

Deno.test("isStateTable() refuses everything else", () => {
  const others = [
    null,
    {},
    [],
    { a: {} },
    { a: 1 },
    { a: "a" },
    { a: { b: "c" } },
    { a: { b: 1 } },
    { a: { b: "a" }, c: 1 },
    ["a"],
    () => {},
  ];
  assertEquals(others.filter(isStateTable), []);
});

Deno.test("formatTable() has a row for each state", () => {
  assertEquals(
    formatTable(DOOR),
    `| state | what may follow → the state after it |
|-|-|
| **open** | close → **closed** |
| **closed** | open → **open**; lock → **locked** |
| **locked** | nothing |
`,
  );
});

Deno.test("withTables() replaces what is between the marks", () => {
  const page = (text: string) =>
    `a\n<!-- state tables: begin -->\n${text}<!-- state tables: end -->\nb\n`;
  const tables = [{ path: "src/door.ts", summary: "A door", table: DOOR }];
  const text = `\nA door ([src/door.ts](../src/door.ts)):\n\n${
    formatTable(DOOR)
  }\n`;
  assertEquals(withTables(page("old\n"), tables), page(text));
  assertThrows(() => withTables("a\n", tables), Error, "Cannot find the marks");
});

Deno.test({
  name: "docs/design.md shows the state tables of the code",
  ignore: !granted("read") || !granted("run"),
  async fn() {
    const [page, wanted] = await comparePage();
    assertEquals(
      page,
      wanted,
      "Run `deno run -A tools/state_tables.ts` to update the page",
    );
  },
});
