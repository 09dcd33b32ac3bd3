// The suite for all wires over HTTP/3, in a process that has the flag for it.

import { assertEquals } from "@std/assert";
import { granted } from "../e2e/_testing.ts";
import { TestProcess } from "../_process.ts";
import { OVER_HTTP3 } from "./_wires.ts";

const SUITE_TIMEOUT_MS = 180_000;
const RUNS = granted("run");

if (!OVER_HTTP3) {
  Deno.test({
    name: "the suite for all wires over HTTP/3, in a process" +
      (RUNS ? "" : " (not run: it needs permission to run Deno)"),
    ignore: !RUNS,
    async fn() {
      await using process = new TestProcess([
        ...[Deno.execPath(), "test", "--allow-all", "--unstable-net"],
        ...["--no-check", import.meta.dirname!, "--", "http3"],
      ]);
      const { code, stdout, stderr } = await process.end(SUITE_TIMEOUT_MS);
      assertEquals(code, 0, `The suite has failed:\n${stdout}${stderr}`);
    },
  });
}
