// Writing to stdout, in a process whose stdout is a pipe.

import { assertEquals } from "@std/assert";
import { netTest } from "../e2e/_testing.ts";
import { TestProcess } from "../_process.ts";

const src = (path: string) =>
  JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

for (const shared of [false, true]) {
  netTest(
    `Stdout writes lines of any length, in their order, ${
      shared ? "beside other processes" : "alone"
    }`,
    async () => {
      const script = `
        import { Stdout } from ${src("cli/stdout.ts")};
        import { writeAll } from ${src("logs/write_all.ts")};
        const stdout = new Stdout(${shared});
        const lines = Array.from({ length: 500 }, (_, i) => i + "x".repeat(i));
        for (const text of [...lines, lines.join("\\n")]) {
          await writeAll(stdout, new TextEncoder().encode(text + "\\n"));
        }`;
      await using process = new TestProcess([Deno.execPath(), "eval", script]);
      const { code, stdout, stderr } = await process.end();
      const lines = Array.from({ length: 500 }, (_, i) => i + "x".repeat(i));
      assertEquals([code, stderr], [0, ""]);
      assertEquals(stdout, `${[...lines, ...lines].join("\n")}\n`);
    },
    { permissions: ["read", "run"] },
  );
}
