// The rules that no type checker sees: which layer knows which, who may touch
// Deno, and that serving needs nothing from outside this repository. Modules
// are read as text; comments (and strings, where a rule is about code) are
// blanked first.

import { assertEquals, assertMatch } from "@std/assert";

const ROOT = new URL("..", import.meta.url);

/**
 * What each folder of `src/` may import besides itself, from the bottom of the
 * house to its top. A new one must find its place here.
 */
const LAYERS: Record<string, readonly string[] | "all"> = {
  "streams": [],
  "net": ["streams"],
  "http": ["streams"],
  "http1": ["http", "streams"],
  "http2": ["http", "streams"],
  "http3": ["http", "streams"],
  "websocket": ["http", "streams"],
  "asgi": ["http", "streams"],
  "logs": ["asgi"],
  "metrics": ["asgi"],
  "middleware": ["asgi", "http", "net", "streams"],
  "fetch": ["asgi", "http", "streams"],
  "testing": ["asgi", "http", "streams"],
  "server": "all",
  "cli": "all",
  // The command, published under this path.
  "cli.ts": "all",
};

/** The parts of `src/` that `tests/` mirrors, module by module. */
const MIRRORED = [
  "asgi",
  "cli",
  "cli.ts",
  "http",
  "http1",
  "http2",
  "http3",
  "logs",
  "metrics",
  "middleware",
  "net",
  "server",
  "streams",
  "websocket",
];

/** The most lines of a module. */
const MAX_LINES = 400;
/** The most lines of a function. */
const MAX_FUNCTION_LINES = 40;

/** Those of `src/` that may use the global `Deno`, and `@std/cli`. */
const KNOW_DENO = ["net", "server", "cli.ts", "cli"];
const KNOW_STD_CLI = ["cli.ts", "cli"];

/** An import as it is written, and where it leads: a path, or null. */
interface Import {
  readonly specifier: string;
  readonly target: string | null;
}

/** Declares a test that reads the repository, and is ignored where it cannot. */
function architectureTest(name: string, fn: () => void | Promise<void>): void {
  const { state } = Deno.permissions.querySync({ name: "read", path: ROOT });
  Deno.test({ name: `architecture: ${name}`, ignore: state !== "granted", fn });
}

architectureTest("only the outer layers use Deno", () => {
  const offenders = modulesIn("src")
    .filter((path) => !KNOW_DENO.includes(layerOf(path)))
    .filter((path) => /\bDeno\b/.test(readCode(path)));
  assertEquals(offenders, []);
});

architectureTest("library code does not print", () => {
  const offenders = modulesIn("src")
    .filter((path) => /\bconsole\b/.test(readCode(path)));
  assertEquals(offenders, []);
});

architectureTest("bytes are copied by copyBytes() alone", () => {
  // That of a Buffer, which is a Uint8Array, makes a view.
  const offenders = modulesIn("src")
    .filter((path) => /\.slice\(\)/.test(readCode(path)));
  assertEquals(offenders, []);
});

architectureTest("each layer imports only those below it", () => {
  const offenders = modulesIn("src").flatMap((path) =>
    importsOf(path)
      .filter(({ target }) => target !== null && !mayImport(path, target))
      .map(({ specifier }) => `${path} imports ${specifier}`)
  );
  assertEquals(offenders, []);
});

architectureTest(
  "no module imports itself, not by way of others either",
  () => {
    const circle = findCircle(["mod.ts", ...modulesIn("src")]);
    assertEquals(circle, []);
  },
);

architectureTest("every part of src has its place in the layers", () => {
  const parts = new Set(modulesIn("src").map(layerOf));
  assertEquals([...parts].filter((part) => !Object.hasOwn(LAYERS, part)), []);
});

architectureTest("the design page shows these layers", () => {
  const page = Deno.readTextFileSync(new URL("docs/design.md", ROOT));
  const rows = [...page.matchAll(/^\| `(\w+)\/` +\|.*\| (.+?) +\|$/gm)];
  const shown = rows.map(([, folder, knows]) => [folder, knows]);
  const enforced = Object.entries(LAYERS)
    .filter(([part]) => !part.endsWith(".ts"))
    .map(([part, known]) => [part, inWords(known)]);
  assertEquals(shown, enforced);
});

architectureTest("the diagrams of the design page name what there is", () => {
  const page = Deno.readTextFileSync(new URL("docs/design.md", ROOT));
  const named = [...page.matchAll(/participant \w+ as (\w+): (\w+)/g)];
  const missing = named.filter(([, folder, name]) => {
    const declared = new RegExp(`^export (?:class|function) ${name}\\b`, "m");
    return !modulesIn(`src/${folder}`).some((path) =>
      declared.test(readSource(path))
    );
  });
  assertEquals(missing.map(([participant]) => participant), []);
  assertMatch(page, /participant/);
});

architectureTest("only the command imports @std/cli", () => {
  const offenders = modulesIn("src").flatMap((path) =>
    importsOf(path)
      .filter(({ target, specifier }) =>
        target === null && !isBuiltIn(specifier) &&
        !(specifier === "@std/cli" && KNOW_STD_CLI.includes(layerOf(path)))
      )
      .map(({ specifier }) => `${path} imports ${specifier}`)
  );
  assertEquals(offenders, []);
});

architectureTest("serving needs no registry", () => {
  for (const entry of ["mod.ts", ...modulesIn("examples")]) {
    const allowed =
      entry.startsWith("examples/") && entry !== "examples/echo.ts"
        ? ["@std/streams"]
        : [];
    const outside = outsideImports(entry)
      .filter((specifier) => !allowed.includes(specifier));
    assertEquals(
      outside,
      [],
      `The module graph of ${entry} leaves the project`,
    );
  }
});

architectureTest("a server loads no more than it needs to start", () => {
  const lazy = loadedWith("mod.ts").filter((path) =>
    path.startsWith("src/http2/") || path.startsWith("src/http3/") ||
    path.startsWith("src/metrics/") ||
    path.startsWith("src/net/quic") || path.endsWith("/http3_service.ts") ||
    path.endsWith("/websocket_dispatcher.ts")
  );
  assertEquals(lazy, []);
});

architectureTest("mod.ts only re-exports", () => {
  const code = readSource("mod.ts").trim();
  assertMatch(code, /^(export [^;]*? from "[^"]+";\s*)+$/);
});

architectureTest("every module loads on its own", async () => {
  for (const path of modulesIn("src")) await import(new URL(path, ROOT).href);
});

architectureTest("each module with behaviour has a test at its path", () => {
  const tests = new Set(modulesIn("tests"));
  const untested = modulesIn("src")
    .filter((path) => MIRRORED.includes(layerOf(path)) && behaves(path))
    .filter((path) =>
      !tests.has(testOf(path)) && !isTestedInParts(path, tests)
    );
  assertEquals(untested, []);
});

architectureTest("no module of src is longer than a reader can hold", () => {
  const long = modulesIn("src").filter((path) => lengthOf(path) > MAX_LINES);
  assertEquals(long, []);
});

architectureTest("no function of src is longer than a screen", () => {
  const long = modulesIn("src").flatMap((path) =>
    functionsIn(path)
      .filter(({ lines }) => lines > MAX_FUNCTION_LINES)
      .map(({ line, lines }) => `${path}:${line} has ${lines} lines`)
  );
  assertEquals(long, []);
});

architectureTest("only the command needs Deno in order to load", async () => {
  const { ["./cli"]: _command, ...entries } = readExports();
  const urls = Object.values(entries).map((path) => new URL(path, ROOT).href);
  assertEquals(await failuresWithoutDeno(urls), []);
});

/** Whether a module of `src/` may import another file of the repository. */
function mayImport(path: string, target: string): boolean {
  const [own, other] = [layerOf(path), layerOf(target)];
  const allowed = LAYERS[own];
  return target.startsWith("src/") &&
    (own === other || allowed === "all" || !!allowed?.includes(other));
}

/** Whether a module does anything: others hold types, constants, re-exports. */
function behaves(path: string): boolean {
  return /\bfunction\b|^ +(?:async )?[#\w]+\(.*\{$/m.test(readCode(path));
}

/**
 * Where the functions and methods of a module begin, and their numbers of lines.
 * The formatter puts the end of each under its beginning.
 */
function functionsIn(path: string): { line: number; lines: number }[] {
  const lines = Deno.readTextFileSync(new URL(path, ROOT)).split("\n");
  return lines.flatMap((text, start) => {
    const [, indent] = FUNCTION.exec(text) ?? METHOD.exec(text) ?? [];
    if (indent === undefined) return [];
    const body = lines.findIndex((text, index) =>
      index >= start && !/[,(]$/.test(text)
    );
    if (!/(?<!=>) \{$/.test(lines[body])) return [];
    const end = lines.indexOf(`${indent}}`, body);
    return [{ line: start + 1, lines: end - start + 1 }];
  });
}

const FUNCTION = /^()(?:export )?(?:default )?(?:async )?function\b/;
const METHOD =
  /^( {2})(?:(?:static|override|async|get|set) )*\*?(?:#?\w+|\[[\w.]+\])(?:<.+>)?\(/;

function lengthOf(path: string): number {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  return text.split("\n").length - 1;
}

/** The path of a module's test. */
function testOf(path: string): string {
  return path.replace(/^src\//, "tests/").replace(/\/_/, "/")
    .replace(/\.ts$/, "_test.ts");
}

/** Whether the tests of a module are in several files, named after it. */
function isTestedInParts(path: string, tests: ReadonlySet<string>): boolean {
  const start = testOf(path).replace(/test\.ts$/, "");
  return [...tests].some((test) =>
    test.startsWith(start) && test.endsWith("_test.ts")
  );
}

/** Folders as the design page lists them. */
function inWords(folders: readonly string[] | "all"): string {
  if (folders === "all") return "all";
  return folders.map((name) => `\`${name}\``).join(", ") || "nothing";
}

/** A circle of modules that import one another, if there is one. */
function findCircle(paths: readonly string[]): string[] {
  const done = new Set<string>();
  function visit(path: string, importers: readonly string[]): string[] {
    if (importers.includes(path)) {
      return [...importers.slice(importers.indexOf(path)), path];
    }
    if (done.has(path)) return [];
    for (const { target } of importsOf(path)) {
      const circle = target === null ? [] : visit(target, [...importers, path]);
      if (circle.length > 0) return circle;
    }
    done.add(path);
    return [];
  }
  return paths.map((path) => visit(path, [])).find((found) =>
    found.length > 0
  ) ??
    [];
}

/** The folder of `src/` that a path is in, or the module right in `src/`. */
function layerOf(path: string): string {
  return path.split("/")[1];
}

/** What the modules reached from `entry` import from outside the repository. */
function outsideImports(entry: string): string[] {
  const [queue, outside] = [new Set([entry]), new Set<string>()];
  for (const path of queue) {
    for (const { specifier, target } of importsOf(path)) {
      if (target !== null) queue.add(target);
      else if (!isBuiltIn(specifier)) outside.add(specifier);
    }
  }
  return [...outside];
}

/** What is loaded with a module, before anything of it is called. */
function loadedWith(entry: string): string[] {
  const loaded = new Set([entry]);
  const pattern =
    /^(?:import|export)\b(?! type\b)[^;"]*?\bfrom\s+"(.+?)"|^import\s+"(.+?)"/gm;
  for (const path of loaded) {
    for (const [, named, bare] of readSource(path).matchAll(pattern)) {
      const target = targetOf(named ?? bare, path);
      if (target !== null) loaded.add(target);
    }
  }
  return [...loaded];
}

function isBuiltIn(specifier: string): boolean {
  return specifier.startsWith("node:");
}

/** The imports and re-exports of a module, dynamic and type-only ones too. */
function importsOf(path: string): Import[] {
  const pattern =
    /^(?:import|export)\b[^;"]*?\bfrom\s+"(.+?)"|\bimport\s*\(?\s*"(.+?)"/gm;
  return [...readSource(path).matchAll(pattern)].map(([, named, bare]) => {
    const specifier = named ?? bare;
    return { specifier, target: targetOf(specifier, path) };
  });
}

/** Loads modules where there is no `Deno`; resolves with what fails then. */
async function failuresWithoutDeno(urls: readonly string[]): Promise<string[]> {
  const url = new URL("./_without_deno.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => reject(new Error(event.message));
  worker.postMessage(urls);
  try {
    return await promise;
  } finally {
    worker.terminate();
  }
}

/** The path a specifier leads to, or null where it leaves the repository. */
function targetOf(specifier: string, importer: string): string | null {
  const [, entry] = /^(?:jsr:)?@x\/asgi(.*)$/.exec(specifier) ?? [];
  if (entry !== undefined) return readExports()[`.${entry}`].slice("./".length);
  if (!/^\.\.?\//.test(specifier)) return null;
  const { href } = new URL(specifier, new URL(importer, ROOT));
  return href.startsWith(ROOT.href) ? href.slice(ROOT.href.length) : null;
}

function readExports(): Record<string, string> {
  return JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))).exports;
}

/** The TypeScript modules below a folder, sorted. */
function modulesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return modulesIn(path);
    return path.endsWith(".ts") ? [path] : [];
  }).sort();
}

/** A module without its comments. */
function readSource(path: string): string {
  return blank(path, (token) => token.startsWith("/"));
}

/** A module without comments and strings; templates stay, they hold code. */
function readCode(path: string): string {
  return blank(path, (token) => !token.startsWith("`"));
}

/** A module with those of its comments, strings and templates blanked. */
function blank(path: string, isBlanked: (token: string) => boolean): string {
  const token =
    /\/\*.*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/gs;
  return Deno.readTextFileSync(new URL(path, ROOT))
    .replaceAll(token, (text) => isBlanked(text) ? " " : text);
}
