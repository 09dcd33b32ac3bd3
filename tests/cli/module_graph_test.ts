import { assertEquals } from "@std/assert";
import { parseModuleGraph } from "../../src/cli/module_graph.ts";

Deno.test("parseModuleGraph gives the local files, also those that are missing", () => {
  const json = JSON.stringify({
    modules: [
      { specifier: "file:///app/a%20b.ts", local: "/app/a b.ts" },
      { specifier: "https://example.com/mod.ts", error: "Unreachable" },
      { specifier: "node:fs" },
      { specifier: "file:///app/c.ts", error: 'Module not found "c.ts".' },
    ],
  });
  assertEquals(parseModuleGraph(json), {
    files: ["/app/a b.ts", "/app/c.ts"],
    errors: ['Module not found "c.ts".'],
  });
});

Deno.test("parseModuleGraph puts the place of a syntax error first", () => {
  const error = "SyntaxError: Expression expected\n  |\n2 | a = = 2\n" +
    "  |     ~\n    at file:///app/a.ts:2:5";
  const json = JSON.stringify({
    modules: [{ specifier: "file:///app/a.ts", error }],
  });
  assertEquals(parseModuleGraph(json).errors, [
    "/app/a.ts:2:5: SyntaxError: Expression expected\n  |\n2 | a = = 2\n" +
    "  |     ~",
  ]);
});
