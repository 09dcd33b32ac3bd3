// Every gate that CI runs, one after the other: all of them run even when one
// fails. A gate that passes takes one line, one that fails shows its output.
// The test run is the README's, `deno task test`, in a newcomer's shell; it also
// collects the coverage that a later gate evaluates. A gate fails, too, if it
// leaves a process. The last line is `tests: N passed, N failed`.

import { pathToFileURL } from "node:url";
import { chooseJsr } from "./_jsr.ts";
import { runDeno } from "./_sessions.ts";

const ROOT = new URL("..", import.meta.url);
const COVERAGE = "coverage/";

/** A command of `deno` that must succeed. */
interface Gate {
  readonly name: string;
  readonly args: readonly string[];
  /** All variables of its environment. Default: those of this process. */
  readonly env?: Record<string, string>;
}

/** What one run of the tests came to. */
interface TestResult {
  readonly success: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly ignored: readonly string[];
}

/**
 * The gates other than the tests, over what the repository holds by now.
 * `testEnv` is the environment in which the tests ran.
 */
async function listGates(testEnv: Record<string, string>): Promise<Gate[]> {
  return [
    // It reads what Deno has cached of the source files when the tests ran.
    {
      name: "coverage",
      args: ["run", "-A", "tools/coverage.ts", COVERAGE],
      env: testEnv,
    },
    // What `deno test` alone runs: tests that need a permission are ignored.
    {
      name: "tests without permissions",
      args: ["test", "--no-prompt", "--reporter=dot"],
    },
    ...await codeGates(),
    ...await documentationGates(),
    // Checks slow types, the list of files, and that no import leaves it.
    {
      name: "publish",
      args: ["publish", "--dry-run", "--allow-dirty"],
      env: { ...Deno.env.toObject(), ...await jsrEnvOutside() },
    },
    {
      name: "soak",
      args: ["run", "-A", "tests/soak/soak.ts", "--minutes=2"],
    },
    {
      name: "stand-in registry",
      args: ["run", "-A", "tools/jsr/update.ts", "--check"],
    },
  ];
}

/** The form and the types of the code. */
async function codeGates(): Promise<Gate[]> {
  const folders = ["src", "tests", "examples", "tools", "bench"];
  const code = await existing(["mod.ts", ...folders]);
  return [
    { name: "format", args: ["fmt", "--check"] },
    { name: "lint", args: ["lint"] },
    // Examples and tools may print, the library may not.
    {
      name: "no console",
      args: ["lint", "--rules-include=no-console", "mod.ts", "src"],
    },
    { name: "types", args: ["check", ...code] },
    // What Deno's linter cannot see, for it knows no types. Needs npm.
    { name: "floating promises", args: ["run", "-A", "tools/promises.ts"] },
  ];
}

/** The documentation of the code, and the snippets in it and in the pages. */
async function documentationGates(): Promise<Gate[]> {
  const pages = await existing(["README.md", ...await pagesIn("docs/")]);
  const snippets = await runnableSnippets(["mod.ts", ...pages]);
  return [
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
async function runTests(env: Record<string, string>): Promise<TestResult> {
  await Deno.remove(new URL(COVERAGE, ROOT), { recursive: true })
    .catch(() => {});
  const args = ["task", "test", `--coverage=${COVERAGE}`];
  const { success, lines, left } = await runDeno(
    [...args, "--coverage-raw-data-only"],
    {
      cwd: ROOT,
      env,
      onLine: (line) => void (isRoutine(line) || console.log(line)),
    },
  );
  showLeft(left);
  const summary = lines.findLast((line) => /^(ok|FAILED) \| /.test(line));
  const count = (word: string) =>
    Number(new RegExp(`\\| (\\d+) ${word}`).exec(summary ?? "")?.[1] ?? 0);
  return {
    success: success && count("passed") > 0 && left.length === 0,
    passed: count("passed"),
    failed: count("failed"),
    ignored: lines.filter((line) => /\.\.\. ignored /.test(line)),
  };
}

/**
 * The variables of someone who has just cloned the repository: an empty home,
 * and none that hides what Deno does by default, such as colours in messages.
 */
function newcomersEnv(home: string): Record<string, string> {
  const personal = /^(NO_COLOR|FORCE_COLOR|DENO_DIR|XDG_.*|ASGI_.*|HOME)$/;
  const env = Object.entries(Deno.env.toObject())
    .filter(([name]) => !personal.test(name));
  return { ...Object.fromEntries(env), HOME: home };
}

/** Lines that say nothing but that all is well. */
function isRoutine(line: string): boolean {
  return /^\s*$|\.\.\. ok \(|^running \d+ tests? from |^(Check|Task|Download) /
    .test(line);
}

/** Runs a gate; on failure prints its output. */
async function pass({ name, args, env }: Gate): Promise<boolean> {
  const started = performance.now();
  const { success, lines, left } = await runDeno(args, {
    cwd: ROOT,
    env: { ...env ?? Deno.env.toObject(), NO_COLOR: "1" },
  });
  const passed = success && left.length === 0;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${passed ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (!success) {
    console.log(`$ deno ${args.join(" ")}`);
    for (const line of lines) console.log(line);
  }
  showLeft(left);
  return passed;
}

function showLeft(commands: readonly string[]): void {
  for (const command of commands) console.log(`Left a process: ${command}`);
}

await chooseJsr();
const home = await Deno.makeTempDir();
const testEnv = newcomersEnv(home);
const tests = await runTests(testEnv);
const failed = tests.success ? [] : ["tests"];
for (const gate of await listGates(testEnv)) {
  if (!await pass(gate)) failed.push(gate.name);
}
await Deno.remove(home, { recursive: true });
if (tests.ignored.length > 0) console.log("Ignored although run with -A:");
for (const line of tests.ignored) console.log(line);
console.log(
  failed.length === 0 ? "All gates pass" : `Failed: ${failed.join(", ")}`,
);
console.log(`tests: ${tests.passed} passed, ${tests.failed} failed`);
if (failed.length > 0) Deno.exitCode = 1;
