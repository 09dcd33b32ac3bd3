// The rules that no type checker sees: which layer knows which, who may touch
// Deno, and that serving needs nothing from outside this repository. Modules
// are read as text; comments (and strings, where a rule is about code) are
// blanked first.

import { assertEquals, assertMatch } from "@std/assert";

const ROOT = new URL("..", import.meta.url);

/**
 * What each folder or module right in `src/` may import besides itself. A new
 * one must find its place here.
 */
const LAYERS: Record<string, readonly string[] | "all"> = {
  "addresses.ts": [],
  "fields.ts": [],
  "user_code.ts": [],
  "net": ["streams", "addresses.ts"],
  "streams": [],
  "http1": ["streams", "fields.ts"],
  "websocket": ["streams", "fields.ts"],
  "asgi": ["streams", "fields.ts", "user_code.ts"],
  "testing": ["streams", "asgi", "fields.ts", "user_code.ts"],
  "fetch": ["asgi", "streams", "fields.ts", "user_code.ts"],
  "middleware": [
    "streams",
    "asgi",
    "fields.ts",
    "addresses.ts",
    "user_code.ts",
  ],
  "logs": ["user_code.ts"],
  "listen_options.ts": ["addresses.ts"],
  "metrics": ["asgi"],
  "options.ts": [
    "http1",
    "websocket",
    "asgi",
    "logs",
    "middleware",
    "metrics",
    "fields.ts",
    "listen_options.ts",
  ],
  "websocket_upgrade.ts": [
    "http1",
    "websocket",
    "streams",
    "asgi",
    "fields.ts",
  ],
  "websocket_dispatcher.ts": [
    "http1",
    "websocket",
    "streams",
    "asgi",
    "logs",
    "metrics",
    "options.ts",
    "websocket_upgrade.ts",
  ],
  "dispatcher.ts": [
    "http1",
    "asgi",
    "logs",
    "middleware",
    "metrics",
    "options.ts",
    "user_code.ts",
    "websocket_dispatcher.ts",
  ],
  "connections.ts": [
    "http1",
    "asgi",
    "metrics",
    "net",
    "options.ts",
    "dispatcher.ts",
    "room.ts",
  ],
  "room.ts": [],
  "stderr_log.ts": ["logs"],
  "server.ts": "all",
  "cli.ts": "all",
  "cli": "all",
};

/** Those of `src/` that may use the global `Deno`, and `@std/cli`. */
const KNOW_DENO = ["net", "stderr_log.ts", "server.ts", "cli.ts", "cli"];
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

architectureTest("each layer imports only those below it", () => {
  const offenders = modulesIn("src").flatMap((path) =>
    importsOf(path)
      .filter(({ target }) => target !== null && !mayImport(path, target))
      .map(({ specifier }) => `${path} imports ${specifier}`)
  );
  assertEquals(offenders, []);
});

architectureTest("every part of src has its place in the layers", () => {
  const parts = new Set(modulesIn("src").map(layerOf));
  assertEquals([...parts].filter((part) => !Object.hasOwn(LAYERS, part)), []);
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

architectureTest("mod.ts only re-exports", () => {
  const code = readSource("mod.ts").trim();
  assertMatch(code, /^(export [^;]*? from "[^"]+";\s*)+$/);
});

architectureTest("every module loads on its own", async () => {
  for (const path of modulesIn("src")) await import(new URL(path, ROOT).href);
});

/** Whether a module of `src/` may import another file of the repository. */
function mayImport(path: string, target: string): boolean {
  const [own, other] = [layerOf(path), layerOf(target)];
  const allowed = LAYERS[own];
  return target.startsWith("src/") &&
    (own === other || allowed === "all" || !!allowed?.includes(other));
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

function isBuiltIn(specifier: string): boolean {
  return specifier.startsWith("node:");
}

/** The imports and re-exports of a module, dynamic and type-only ones too. */
function importsOf(path: string): Import[] {
  const pattern = /\b(?:from|import)\s*\(?\s*(["'])(.+?)\1/g;
  return [...readSource(path).matchAll(pattern)].map(([, , specifier]) => ({
    specifier,
    target: targetOf(specifier, path),
  }));
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
