// What supervisors have in common. That they supervise is tested with processes.

import { assertEquals } from "@std/assert";
import { netTest } from "../e2e/_testing.ts";
import { TestProcess } from "../_process.ts";

const MODULE = new URL("../../src/cli/supervision.ts", import.meta.url).href;

netTest("onSignals() calls handlers until it is disposed of", async () => {
  const script = `
    import { onSignals } from ${JSON.stringify(MODULE)};
    const keepsAlive = setInterval(() => {}, 60_000);
    const listening = onSignals({
      SIGHUP: () => console.log("hang up"),
      SIGTERM: () => {
        listening[Symbol.dispose]();
        clearInterval(keepsAlive);
      },
    });
    console.log("listens");`;
  await using process = new TestProcess([Deno.execPath(), "eval", script]);
  await process.printed(/listens/);
  process.kill("SIGHUP");
  await process.printed(/hang up/);
  process.kill("SIGTERM");
  assertEquals((await process.end()).code, 0);
}, {
  permissions: ["read", "run"],
  lacks: Deno.build.os === "windows"
    ? "processes cannot be interrupted by others here"
    : undefined,
});
