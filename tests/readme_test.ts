// What the README says of options and examples is what there is: its table of
// options agrees with the defaults that hold, with their documentation in
// `src/server/options.ts`, and with what `serve` accepts.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  DEFAULT_OPTIONS,
  resolveOptions,
  type ServeOptions,
} from "../src/server/options.ts";
import { granted } from "./e2e/_testing.ts";

const ROOT = new URL("..", import.meta.url);
const UNITS: Record<string, number> = { s: 1000, KiB: 1024, MiB: 1024 * 1024 };
const ROW = /^\| `(\w+)` +\| (.+?) +\| (.+?) +\|$/gm;

/** Declares a test that reads the repository. */
function readmeTest(name: string, fn: () => void): void {
  Deno.test({ name: `README: ${name}`, ignore: !granted("read"), fn });
}

readmeTest("the table has the options that are documented, in order", () => {
  assertEquals([...tableOptions()], [...documentedOptions()]);
});

readmeTest("the table has the defaults that hold", () => {
  const inTable = tableOptions();
  for (const [name, value] of Object.entries(DEFAULT_OPTIONS)) {
    const text = inTable.get(name);
    assert(text !== undefined, `The option "${name}" is missing`);
    assertEquals(valueOf(text), value, `The default of "${name}"`);
  }
});

readmeTest("the table has no option that serve does not know", () => {
  for (const name of tableOptions().keys()) {
    const options = { [name]: Symbol("no value of any option") };
    assertThrows(
      () => resolveOptions(options as unknown as ServeOptions),
      TypeError,
      `option "${name}" must be`,
    );
  }
});

readmeTest("the examples that it lists are those that there are", () => {
  const listed = [...read("README.md").matchAll(/\]\(examples\/(.+?)\)/g)]
    .map(([, name]) => name);
  const there = [...Deno.readDirSync(new URL("examples/", ROOT))]
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".ts") && !name.startsWith("_"));
  assertEquals(listed.sort(), there.sort());
});

readmeTest("its links within the repository lead somewhere", () => {
  const links = [...read("README.md").matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link.replace(/#.*$/, ""))
    .filter((link) => link !== "" && !/^\w+:/.test(link));
  assert(links.length > 0);
  for (const link of links) Deno.statSync(new URL(link, ROOT));
});

readmeTest("the links of the pages in docs/ lead somewhere", () => {
  const folder = new URL("docs/", ROOT);
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".md")) continue;
    const page = read(`docs/${name}`);
    for (const [, link] of page.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
      if (!/^\w+:/.test(link)) Deno.statSync(new URL(link, folder));
    }
  }
});

/** The options of the README's table, with their defaults. */
function tableOptions(): Map<string, string> {
  const [, section] = read("README.md").split(/^## Options$/m);
  const [table] = section.split(/^##/m);
  const options = new Map<string, string>();
  for (const [, name, text] of table.matchAll(ROW)) {
    assert(!options.has(name), `The option "${name}" stands there twice`);
    options.set(name, text);
  }
  return options;
}

/** The options that `ServeOptions` declares, with their documented defaults. */
function documentedOptions(): Map<string, string> {
  const [, rest] = read("src/server/options.ts").split(
    "interface ServeOptions {",
  );
  const [members] = rest.split(/^}$/m);
  const options = new Map<string, string>();
  for (const [, comment, name] of members.matchAll(MEMBER)) {
    const words = comment.replaceAll(/\n +\*/g, "").trim();
    options.set(name, / Default: (.+)\.$/.exec(words)?.[1] ?? "undocumented");
  }
  return options;
}

const MEMBER = /\/\*\*((?:(?!\*\/).)*)\*\/\s+(\w+)\?:/gs;

/** The value that a default is written for. */
function valueOf(text: string): unknown {
  if (text === "none") return Infinity;
  const [, count, unit] = /^(\d+) (s|KiB|MiB)$/.exec(text) ?? [];
  if (unit !== undefined) return Number(count) * UNITS[unit];
  return JSON.parse(text);
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}
