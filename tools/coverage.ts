// Holds the tests' coverage of `src/` against thresholds, and lists the files
// below them. With a folder as argument it evaluates what a test run has left
// there; without one it runs the tests first. A file that no test loads does
// not count: `tests/architecture_test.ts` loads every one.

const MIN_LINES = 95;
const MIN_BRANCHES = 90;
const ROOT = new URL("..", import.meta.url);

/** What counts of one source file, from its record in an lcov report. */
interface FileCoverage {
  readonly path: string;
  readonly lines: Ratio;
  readonly branches: Ratio;
}

/** How many were found, and how many of those were hit. */
interface Ratio {
  readonly found: number;
  readonly hit: number;
}

/** Runs the tests with coverage, and returns the folder with the profiles. */
async function collect(): Promise<string> {
  const folder = "coverage/";
  await Deno.remove(new URL(folder, ROOT), { recursive: true }).catch(() => {});
  const { success } = await deno([
    ...["task", "test", `--coverage=${folder}`, "--coverage-raw-data-only"],
  ]).spawn().status;
  if (!success) Deno.exit(1);
  return folder;
}

/** The coverage of every file of `src/`, from the profiles in a folder. */
async function evaluate(folder: string): Promise<FileCoverage[]> {
  const src = new URL("src/", ROOT).href;
  await dropCutShort(folder);
  const { success, stdout, stderr } = await deno(
    ["coverage", "--lcov", `--include=^${RegExp.escape(src)}`, folder],
  ).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout)
    .split("end_of_record")
    .filter((record) => record.includes("SF:"))
    .map(readRecord);
}

/** A process that a test has killed may have left its profile half written. */
async function dropCutShort(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
    if (!name.endsWith(".json")) continue;
    const path = new URL(`${folder}${name}`, ROOT);
    const text = await Deno.readTextFile(path);
    if (!text.trimEnd().endsWith("}")) await Deno.remove(path);
  }
}

function readRecord(record: string): FileCoverage {
  const field = (name: string) =>
    new RegExp(`^${name}:(.*)$`, "m").exec(record)?.[1] ?? "0";
  const ratio = (found: string, hit: string): Ratio => (
    { found: Number(field(found)), hit: Number(field(hit)) }
  );
  return {
    path: field("SF").split("/src/").at(-1)!,
    lines: ratio("LF", "LH"),
    branches: ratio("BRF", "BRH"),
  };
}

function sum(ratios: Ratio[]): Ratio {
  return ratios.reduce((a, b) => ({
    found: a.found + b.found,
    hit: a.hit + b.hit,
  }), { found: 0, hit: 0 });
}

function percent({ found, hit }: Ratio): number {
  return found === 0 ? 100 : 100 * hit / found;
}

/** One line of the table: `  91.5%   80.0%  src/http1/grammar.ts`. */
function row(name: string, lines: Ratio, branches: Ratio): string {
  const [left, right] = [lines, branches].map((ratio) =>
    `${percent(ratio).toFixed(1)}%`.padStart(8)
  );
  return `${left}${right}  ${name}`;
}

function isBelow(lines: Ratio, branches: Ratio): boolean {
  return percent(lines) < MIN_LINES || percent(branches) < MIN_BRANCHES;
}

function deno(args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
}

const files = await evaluate(Deno.args[0] ?? await collect());
const lines = sum(files.map((file) => file.lines));
const branches = sum(files.map((file) => file.branches));

console.log("   lines  branch");
for (const file of files) {
  if (!isBelow(file.lines, file.branches)) continue;
  console.log(row(`src/${file.path}`, file.lines, file.branches));
}
console.log(row("all of src/", lines, branches));
if (isBelow(lines, branches)) {
  console.log(`Wanted: ${MIN_LINES}% of lines, ${MIN_BRANCHES}% of branches`);
  Deno.exit(1);
}
