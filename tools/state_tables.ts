// Writes the state tables of the code into docs/design.md, between two marks.
// A table is any export of a module in `src/` that leads from states by events
// to states: `{ open: { close: "closed" }, closed: {} }`. With `--check`, it
// fails if the page differs, and writes nothing.

const ROOT = new URL("..", import.meta.url);
const PAGE = new URL("docs/design.md", ROOT);
const BEGIN = "<!-- state tables: begin -->\n";
const END = "<!-- state tables: end -->\n";
/** The command and its modules have no protocol, and may not be imported. */
const LEFT_OUT = /^src\/cli\b/;

/** From each state, the events that it allows, and the states after them. */
export type StateTable = Readonly<
  Record<string, Readonly<Record<string, string>>>
>;

/** A table and where it was found. */
export interface FoundTable {
  /** The path of its module. */
  readonly path: string;
  /** What the module says of itself: its first sentence. */
  readonly summary: string;
  /** The table. */
  readonly table: StateTable;
}

/** Whether a value is a table: each event of each state leads to a state. */
export function isStateTable(value: unknown): value is StateTable {
  if (!isObject(value)) return false;
  const states = Object.keys(value);
  const steps = Object.values(value)
    .map((events) => isObject(events) ? Object.values(events) : [undefined]);
  return steps.flat().length > 0 &&
    steps.flat().every((next) => states.includes(next as string));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A table as Markdown, one row for each state. */
export function formatTable(table: StateTable): string {
  const rows = Object.entries(table).map(([state, events]) => {
    const steps = Object.entries(events)
      .map(([event, next]) => `${event} → **${next}**`);
    return `| **${state}** | ${steps.join("; ") || "nothing"} |\n`;
  });
  return `| state | what may follow → the state after it |\n|-|-|\n${
    rows.join("")
  }`;
}

/** All tables of `src/`, in the order of their paths. */
export async function findTables(): Promise<FoundTable[]> {
  const found: FoundTable[] = [];
  for (const path of modulesIn("src")) {
    const url = new URL(path, ROOT);
    const exported = Object.values(await import(url.href));
    for (const table of exported.filter(isStateTable)) {
      const summary = summaryOf(await Deno.readTextFile(url));
      found.push({ path, summary, table });
    }
  }
  return found;
}

/** The first sentence of a module's comment, in one line. */
function summaryOf(source: string): string {
  const [, comment] = /^\/\*\*(.*?)\*\//s.exec(source) ?? ["", ""];
  const text = comment.replaceAll(/\s*\n \*\s?/g, " ").trim();
  return /^.*?[.:](?= |$)/.exec(text)?.[0].replace(/[.:]$/, "") ?? "";
}

/** The modules of a folder that have no command in them, sorted. */
function modulesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (LEFT_OUT.test(path)) return [];
    if (entry.isDirectory) return modulesIn(path);
    return path.endsWith(".ts") ? [path] : [];
  }).sort();
}

/** A page with these tables between its marks. */
export function withTables(
  page: string,
  tables: readonly FoundTable[],
): string {
  const [before, rest = ""] = page.split(BEGIN);
  const [, after] = rest.split(END);
  if (after === undefined) throw new Error("Cannot find the marks in the page");
  const sections = tables.map(({ path, summary, table }) =>
    `${summary} ([${path}](../${path})):\n\n${formatTable(table)}\n`
  );
  return `${before}${BEGIN}\n${sections.join("")}${END}${after}`;
}

/** Markdown as `deno fmt` leaves it. */
async function formatted(markdown: string): Promise<string> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = process.output();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  return new TextDecoder().decode((await output).stdout);
}

/** The page as it is, and as it should be. */
export async function comparePage(): Promise<[page: string, wanted: string]> {
  const page = await Deno.readTextFile(PAGE);
  return [page, await formatted(withTables(page, await findTables()))];
}

async function main(args: readonly string[]): Promise<number> {
  const [page, wanted] = await comparePage();
  if (wanted === page) return 0;
  if (!args.includes("--check")) {
    await Deno.writeTextFile(PAGE, wanted);
    return 0;
  }
  console.error(
    "docs/design.md differs from the code: run `deno run -A tools/state_tables.ts`",
  );
  return 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
