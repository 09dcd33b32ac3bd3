// Where `serve` logs by default: to stderr, which holds up nothing when nobody
// reads it.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { bounded, netTest } from "../e2e/_testing.ts";

const SCRIPT = `
import { serve } from "${new URL("../../mod.ts", import.meta.url)}";
const server = serve((scope) => {
  if (scope.type === "http") throw new Error("failed ".repeat(3000));
}, { port: 0 });
for (let i = 0; i < 500; i++) {
  const response = await fetch(server.url);
  await response.body?.cancel();
  if (response.status !== 500) throw new Error("It answers " + response.status);
}
await server.shutdown();
Deno.writeTextFileSync(Deno.args[0], "finished");
`;

netTest("serve goes on and ends although nobody reads stderr", async () => {
  const done = await Deno.makeTempFile();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", SCRIPT, done],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    await bounded(finished(done), "the end", 20_000);
    // What was written by then is kept; reading lets the process end.
    const [{ code }, stderr] = await Promise.all([
      process.status,
      new Response(process.stderr).text(),
    ]);
    assertEquals(code, 0);
    assertStringIncludes(stderr, "info  Listening on ");
  } finally {
    kill(process);
    await Deno.remove(done);
  }
}, { permissions: ["read", "write", "run"] });

async function finished(path: string): Promise<void> {
  while (await Deno.readTextFile(path) !== "finished") {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function kill(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}
