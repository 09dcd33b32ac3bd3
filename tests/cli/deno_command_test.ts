import { assertEquals } from "@std/assert";
import {
  configFlags,
  parseCommandLine,
  workerArguments,
} from "../../src/cli/deno_command.ts";

Deno.test("parseCommandLine finds flags and module before the arguments", () => {
  const line = "/bin/deno run -A --config x.json jsr:@x/asgi/cli main.ts -p 0";
  assertEquals(
    parseCommandLine(line.split(" "), ["main.ts", "-p", "0"]),
    { flags: ["-A", "--config", "x.json"], module: "jsr:@x/asgi/cli" },
  );
});

Deno.test("parseCommandLine knows deno without a subcommand", () => {
  assertEquals(
    parseCommandLine(["deno", "-A", "cli.ts", "main.ts"], ["main.ts"]),
    { flags: ["-A"], module: "cli.ts" },
  );
});

Deno.test("parseCommandLine gives nothing for what is no deno run, or has other arguments", () => {
  const lines = [
    [],
    ["deno"],
    ["deno", "test", "-A", "cli.ts", "main.ts"],
    ["deno", "run", "-", "main.ts"],
    ["deno", "run", "cli.ts", "other.ts"],
  ];
  for (const line of lines) {
    assertEquals(parseCommandLine(line, ["main.ts"]), undefined, `${line}`);
  }
});

Deno.test("workerArguments pass the flags on, but not those for one process alone", () => {
  const flags = [
    "--allow-net",
    "--reload",
    "-r",
    "--watch=x",
    "--inspect-brk",
    "--unstable-net",
    "--allow-read=/",
  ];
  assertEquals(
    workerArguments({ flags, module: "cli.ts" }, ["main.ts", "--reload"]),
    [
      "run",
      "--allow-net",
      "--allow-read=/",
      "--unstable-net",
      "cli.ts",
      "main.ts",
      "--reload",
    ],
  );
});

Deno.test("configFlags are those that say how modules are resolved", () => {
  const flags = ["-A", "-c", "x.json", "--import-map=y.json", "--no-prompt"];
  assertEquals(configFlags(flags), ["-c", "x.json", "--import-map=y.json"]);
});
