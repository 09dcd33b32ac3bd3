// The signals that stop a server, and the one that makes it reload, in a process
// of their own.

import { assertEquals } from "@std/assert";
import { netTest } from "../e2e/_testing.ts";
import { TestProcess } from "../_process.ts";

const MODULE = new URL("../../src/net/signals.ts", import.meta.url).href;
/** Listens, and stops listening at the second signal to stop. */
const SCRIPT = `
  import { listenToSignals } from ${JSON.stringify(MODULE)};
  const keepsAlive = setInterval(() => {}, 60_000);
  const listening = listenToSignals({
    onStop(signal, again) {
      console.log(signal, again);
      if (!again) return;
      listening[Symbol.dispose]();
      clearInterval(keepsAlive);
    },
    onReload: () => console.log("reload"),
  });
  console.log("listens");
`;

function signalsTest(name: string, fn: () => Promise<void>): void {
  netTest(`listenToSignals() ${name}`, fn, {
    permissions: ["read", "run"],
    lacks: Deno.build.os === "windows"
      ? "processes cannot be interrupted by others here"
      : undefined,
  });
}

async function start(): Promise<TestProcess> {
  const process = new TestProcess([Deno.execPath(), "eval", SCRIPT]);
  await process.printed(/listens/);
  return process;
}

signalsTest(
  "reports the first signal to stop, and those after it",
  async () => {
    await using process = await start();
    process.kill("SIGTERM");
    await process.printed(/SIGTERM false/);
    process.kill("SIGINT");
    await process.printed(/SIGINT true/);
    assertEquals((await process.end()).code, 0);
  },
);

signalsTest("reports SIGHUP as often as it comes", async () => {
  await using process = await start();
  process.kill("SIGHUP");
  await process.printed(/reload/);
  process.kill("SIGHUP");
  await process.printed(/reload\nreload/);
});
