// Tests of what needs Deno's flag --unstable-net. Where this process has it, they
// are declared as they are; else one test runs their file once more, in a process
// that has the flag.

import { assertEquals } from "@std/assert";
import { granted } from "./e2e/_testing.ts";
import { TestProcess } from "./_process.ts";

const FILE_TIMEOUT_MS = 120_000;

/** Whether this process can use QUIC. */
export const HAS_UNSTABLE_NET: boolean = "QuicEndpoint" in Deno;

/**
 * Declares the tests of a file, whose URL is `file`; `lacks` says why they cannot
 * run here.
 */
export function withUnstableNet(
  file: string,
  declare: () => void,
  lacks?: string,
): void {
  if (HAS_UNSTABLE_NET) return declare();
  const name = file.replace(/.*\/tests\//, "");
  const reason = granted("run") ? lacks : "it needs permission to run Deno";
  Deno.test({
    name: `${name}, in a process with --unstable-net` +
      (reason === undefined ? "" : ` (not run: ${reason})`),
    ignore: reason !== undefined,
    fn: () => runAgain(file),
  });
}

async function runAgain(file: string): Promise<void> {
  await using process = new TestProcess([
    Deno.execPath(),
    "test",
    "--allow-all",
    "--unstable-net",
    // Some tests collect garbage.
    "--v8-flags=--expose-gc",
    "--no-check",
    file,
  ]);
  const { code, stdout, stderr } = await process.end(FILE_TIMEOUT_MS);
  assertEquals(code, 0, `The tests have failed:\n${stdout}${stderr}`);
}
