// Every gate that CI runs, one after the other: all of them run even when one
// fails. A gate that passes takes one line, one that fails shows its output.
// The test run is the README's, `deno task test`; it also collects the coverage
// that a later gate evaluates. The last line is `tests: N passed, N failed`.

import { pathToFileURL } from "node:url";
import { chooseJsr } from "./_jsr.ts";

const ROOT = new URL("..", import.meta.url);
const COVERAGE = "coverage/";

/** A command of `deno` that must succeed. */
interface Gate {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
}

/** What one run of the tests came to. */
interface TestResult {
  readonly success: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly ignored: readonly string[];
}

/** The gates other than the tests, over what the repository holds by now. */
async function listGates(): Promise<Gate[]> {
  const pages = await existing(["README.md", ...await pagesIn("docs/")]);
  const code = await existing([
    "mod.ts",
    "src",
    "tests",
    "examples",
    "tools",
    "bench",
  ]);
  const snippets = await runnableSnippets(["mod.ts", ...pages]);
  return [
    { name: "coverage", args: ["run", "-A", "tools/coverage.ts", COVERAGE] },
    // What `deno test` alone runs: tests that need a permission are ignored.
    {
      name: "tests without permissions",
      args: ["test", "--no-prompt", "--reporter=dot"],
    },
    { name: "format", args: ["fmt", "--check"] },
    { name: "lint", args: ["lint"] },
    // Examples and tools may print, the library may not.
    {
      name: "no console",
      args: ["lint", "--rules-include=no-console", "mod.ts", "src"],
    },
    { name: "types", args: ["check", ...code] },
    { name: "documentation", args: ["doc", "--lint", ...await entryPoints()] },
    // All snippets are type-checked. Only those that assert something are run:
    // the others may serve for ever.
    {
      name: "types of snippets",
      args: ["check", "--doc-only", "mod.ts", "src", ...pages],
    },
    {
      name: "runs of snippets",
      args: [
        ...["test", "-A", "--doc", "--permit-no-files", "--reporter=dot"],
        ...[`--filter=${snippets}`, "mod.ts", "src", ...pages],
      ],
    },
    // Checks slow types, the list of files, and that no import leaves it.
    {
      name: "publish",
      args: ["publish", "--dry-run", "--allow-dirty"],
      env: await jsrEnvOutside(),
    },
    {
      name: "stand-in registry",
      args: ["run", "-A", "tools/jsr/update.ts", "--check"],
    },
  ];
}

async function existing(paths: string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(async (path) => {
    const info = await Deno.stat(new URL(path, ROOT)).catch(() => null);
    return info === null ? [] : [path];
  }));
  return found.flat();
}

async function pagesIn(folder: string): Promise<string[]> {
  const pages = (await filesIn(folder)).filter((path) => path.endsWith(".md"));
  return pages.sort();
}

async function filesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  if ((await existing([folder])).length === 0) return paths;
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}${entry.name}`;
    paths.push(...entry.isDirectory ? await filesIn(`${path}/`) : [path]);
  }
  return paths;
}

/** The modules that `deno.json` exports. */
async function entryPoints(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("deno.json", ROOT));
  return Object.values(JSON.parse(text).exports);
}

/**
 * A filter for `deno test --doc` that matches the snippets with an assertion:
 * their tests are named `file:///…/path#first-last.ts`, `first` being the line
 * of the opening fence.
 */
async function runnableSnippets(paths: string[]): Promise<string> {
  const names: string[] = [];
  for (const path of [...paths, ...await filesIn("src/")]) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    for (const match of text.matchAll(/^[ *]*```ts\n(.*?)^[ *]*```$/gms)) {
      if (!match[1].includes("@std/assert")) continue;
      const line = text.slice(0, match.index).split("\n").length;
      names.push(`/${RegExp.escape(path)}#${line}-`);
    }
  }
  return `/(${names.join("|") || "none"})/`;
}

/**
 * `JSR_URL` by a link outside the repository: `deno publish` takes modules of
 * the stand-in for files that the package imports but leaves out.
 */
async function jsrEnvOutside(): Promise<Record<string, string>> {
  const url = Deno.env.get("JSR_URL");
  if (!url?.startsWith(ROOT.href)) return {};
  const temporary = await Deno.makeTempDir();
  addEventListener(
    "unload",
    () => Deno.removeSync(temporary, { recursive: true }),
  );
  const folder = pathToFileURL(temporary);
  await Deno.symlink(new URL(url), new URL(`${folder}/jsr`));
  return { JSR_URL: `${folder}/jsr/` };
}

/** Runs the tests, showing all lines but those of passed tests. */
async function runTests(): Promise<TestResult> {
  await Deno.remove(new URL(COVERAGE, ROOT), { recursive: true })
    .catch(() => {});
  const child = deno([
    ...["task", "test", `--coverage=${COVERAGE}`, "--coverage-raw-data-only"],
  ]).spawn();
  const output: string[] = [];
  await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => {
      for await (const line of linesOf(stream)) {
        output.push(line);
        if (!isRoutine(line)) console.log(line);
      }
    }),
  );
  const { success } = await child.status;
  const summary = output.findLast((line) => /^(ok|FAILED) \| /.test(line));
  const count = (word: string) =>
    Number(new RegExp(`\\| (\\d+) ${word}`).exec(summary ?? "")?.[1] ?? 0);
  return {
    success: success && count("passed") > 0,
    passed: count("passed"),
    failed: count("failed"),
    ignored: output.filter((line) => /\.\.\. ignored /.test(line)),
  };
}

/** Lines that say nothing but that all is well. */
function isRoutine(line: string): boolean {
  return /^\s*$|\.\.\. ok \(|^running \d+ tests? from |^(Check|Task) /
    .test(line);
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  yield rest;
}

/** Runs a gate; on failure prints its output. */
async function pass(gate: Gate): Promise<boolean> {
  const started = performance.now();
  const { success, stdout, stderr } = await deno(gate.args, gate.env).output();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${success ? "ok    " : "FAILED"} ${gate.name} (${seconds} s)`);
  if (!success) {
    console.log(`$ deno ${gate.args.join(" ")}`);
    for (const bytes of [stdout, stderr]) {
      console.log(new TextDecoder().decode(bytes).trimEnd());
    }
  }
  return success;
}

function deno(
  args: readonly string[],
  env: Record<string, string> = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

await chooseJsr();
const tests = await runTests();
const failed = tests.success ? [] : ["tests"];
for (const gate of await listGates()) {
  if (!await pass(gate)) failed.push(gate.name);
}
if (tests.ignored.length > 0) console.log("Ignored although run with -A:");
for (const line of tests.ignored) console.log(line);
console.log(
  failed.length === 0 ? "All gates pass" : `Failed: ${failed.join(", ")}`,
);
console.log(`tests: ${tests.passed} passed, ${tests.failed} failed`);
if (failed.length > 0) Deno.exitCode = 1;
