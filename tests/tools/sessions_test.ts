// What the gates of CI run on: the output without colours, line by line, and
// the processes that a command leaves.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { runDeno, type RunResult } from "../../tools/_sessions.ts";
import { netTest } from "../e2e/_testing.ts";

const CWD = new URL(".", import.meta.url);

function sessionTest(name: string, fn: () => Promise<void>): void {
  netTest(`runDeno() ${name}`, fn, {
    permissions: ["read", "write", "run", "env"],
    lacks: Deno.build.os === "linux" ? undefined : "there is no /proc",
  });
}

/** Runs a program of these lines. */
function runProgram(lines: string[], onLine?: (line: string) => void) {
  const env = { ...Deno.env.toObject(), FORCE_COLOR: "1" };
  return runDeno(["eval", lines.join("\n")], { cwd: CWD, env, onLine });
}

sessionTest("gives whole lines without colours", async () => {
  const seen: string[] = [];
  const program = [
    'await Deno.stdout.write(new TextEncoder().encode("\\x1b[3"));',
    "await new Promise((resolve) => setTimeout(resolve, 50));",
    'console.log("1mred\\x1b[0m");',
    "Deno.exit(3);",
  ];
  const result = await runProgram(program, (line) => void seen.push(line));
  assert(!result.success);
  assertEquals(result.left, []);
  assert(result.lines.includes("red"), `${result.lines}`);
  assertEquals(seen, result.lines);
});

sessionTest("finds and ends a process that was left", async () => {
  const program = [
    'const command = new Deno.Command("sleep", { args: ["600"] });',
    "const child = command.spawn();",
    "console.log(child.pid);",
    "Deno.exit();",
  ];
  const { success, lines, left }: RunResult = await runProgram(program);
  assert(success);
  const [pid] = lines;
  assertEquals(left.length, 1);
  assertMatch(left[0], new RegExp(`^${pid} .*sleep 600$`));
});
