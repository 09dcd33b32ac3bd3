// Finds promises that float: neither awaited, nor returned, nor handled. Such a
// promise that rejects ends the process, and one in front of which `void` stands
// does, too. Deno's linter knows no types; typescript-eslint does. Its versions
// are pinned in `eslint/`; npm installs them into the user's cache.
//
//     deno run -A tools/promises.ts             # everything
//     deno run -A tools/promises.ts src/http1   # some files or folders
//
// The exit code is 1 if there are such promises, 2 if it could not be looked.

import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = new URL("..", import.meta.url);
const PINNED = new URL("eslint/", import.meta.url);
const PINNED_FILES = ["package.json", "package-lock.json"];
/** A file with a promise that has to be found. */
const PROBE = "tools/_floating.ts";
const EVERYTHING = ["mod.ts", "src", "tests", "examples", "tools", "bench"];

/** What eslint reports of one file. */
interface FileReport {
  readonly filePath: string;
  readonly messages: readonly {
    readonly line: number;
    readonly column: number;
    readonly message: string;
  }[];
}

/** The folder with eslint in its `node_modules`; installs it if it is not there. */
async function install(): Promise<URL> {
  const texts = await Promise.all(
    PINNED_FILES.map((name) => Deno.readTextFile(new URL(name, PINNED))),
  );
  const folder = new URL(`x-asgi/eslint-${await hash(texts.join())}/`, cache());
  if (await exists(folder)) return folder;
  // Others may be installing it, too: it appears in its place when it is whole.
  const parent = new URL("..", folder);
  await Deno.mkdir(parent, { recursive: true });
  const staging = await Deno.makeTempDir({ dir: fileURLToPath(parent) });
  try {
    for (const name of PINNED_FILES) {
      await Deno.copyFile(new URL(name, PINNED), `${staging}/${name}`);
    }
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: staging,
      failure:
        "Cannot install eslint: is npm there, and does its registry answer?",
    });
    await Deno.rename(staging, folder);
  } catch (error) {
    await Deno.remove(staging, { recursive: true });
    if (!await exists(folder)) throw error;
  }
  return folder;
}

function cache(): URL {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ??
    fileURLToPath(ROOT);
  const folder = Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`;
  return pathToFileURL(`${folder}/`);
}

async function hash(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex().slice(0, 16);
}

async function exists(url: URL): Promise<boolean> {
  return await Deno.stat(url).then(() => true, () => false);
}

/** Runs a program; what it has printed to stdout. */
async function run(
  program: string,
  args: readonly string[],
  { cwd, failure, codes = [0] }: {
    cwd: string | URL;
    failure: string;
    codes?: readonly number[];
  },
): Promise<string> {
  const command = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { code, stdout, stderr } = await outputOf(command, failure);
  const [printed, complaint] = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes).trim());
  if (codes.includes(code)) return printed;
  throw new Error(failure, { cause: complaint || printed });
}

async function outputOf(
  command: Deno.Command,
  failure: string,
): Promise<Deno.CommandOutput> {
  try {
    return await command.output();
  } catch (cause) {
    throw new Error(failure, { cause });
  }
}

/** Puts into a folder what eslint has to know of this repository. */
async function prepare(folder: URL, installed: URL): Promise<void> {
  await Deno.symlink(
    new URL("node_modules", installed),
    new URL("node_modules", folder),
  );
  const types = await run(Deno.execPath(), ["types"], {
    cwd: ROOT,
    failure: "Cannot find Deno's types",
  });
  await Deno.writeTextFile(new URL("deno.d.ts", folder), types);
  const tsconfig = fileURLToPath(new URL("tsconfig.json", folder));
  await Deno.writeTextFile(tsconfig, JSON.stringify(await typeOptions()));
  await Deno.writeTextFile(
    new URL("eslint.config.mjs", folder),
    eslintConfig(tsconfig),
  );
}

/** How TypeScript sees what `deno.json` says. */
async function typeOptions(): Promise<unknown> {
  const path = (file: string) => fileURLToPath(new URL(file, ROOT));
  return {
    compilerOptions: {
      target: "esnext",
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["esnext"],
      types: ["node"],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      paths: Object.fromEntries(
        (await aliases()).map(([name, file]) => [name, [path(file)]]),
      ),
    },
    files: ["deno.d.ts"],
    include: EVERYTHING.map(path),
  };
}

/** Names by which modules are imported, and their files. */
async function aliases(): Promise<[name: string, file: string][]> {
  const text = await Deno.readTextFile(new URL("deno.json", ROOT));
  const { name, imports, exports } = JSON.parse(text);
  return [
    ...Object.keys(imports).map((name): [string, string] => [
      name,
      `tools/jsr/${name}/1.0.0/mod.ts`,
    ]),
    ...Object.entries<string>(exports).map((
      [entry, file],
    ): [string, string] => [
      `jsr:${name}${entry.slice(".".length)}`,
      file,
    ]),
  ];
}

/** What types do not show: ways to drop a promise silently. */
const SYNTAX = [
  {
    selector:
      "ExpressionStatement > CallExpression[callee.property.name='catch']" +
      " > ArrowFunctionExpression[body.body.length=0]",
    message:
      "A rejection that says nothing new goes to handled(), with a reason.",
  },
  {
    selector:
      "ReturnStatement > UnaryExpression[operator='void'] > CallExpression",
    message: "A call's promise must be returned or awaited.",
  },
];

/**
 * The rules: no way out but to await, to return, or to handle. In tests an
 * application's `send` may be left alone, as the contract allows.
 */
function eslintConfig(tsconfig: string): string {
  const config = { languageOptions: { parserOptions: { project: tsconfig } } };
  return `import { parser, plugin } from "typescript-eslint";
const config = ${JSON.stringify(config)};
config.languageOptions.parser = parser;
config.plugins = { "@typescript-eslint": plugin };
config.linterOptions = { noInlineConfig: true };
export default [
  { ...config, files: ["**/*.ts"], rules: ${rules("handled")} },
  { files: ["src/**/*.ts"], rules: ${
    JSON.stringify({ "no-restricted-syntax": ["error", ...SYNTAX] })
  } },
  { files: ["tests/**/*.ts"], rules: ${rules("handled", "Send")} },
];
`;
}

/** The rules; calls of these functions may be left alone. */
function rules(...safe: string[]): string {
  const allowForKnownSafeCalls = safe.map((name) => ({ from: "file", name }));
  return JSON.stringify({
    "@typescript-eslint/no-floating-promises": [
      "error",
      { ignoreVoid: false, allowForKnownSafeCalls },
    ],
    "@typescript-eslint/no-misused-promises": "error",
  });
}

async function lint(folder: URL, paths: string[]): Promise<FileReport[]> {
  const file = (name: string) => fileURLToPath(new URL(name, folder));
  const json = await run("node", [
    ...[file("node_modules/eslint/bin/eslint.js"), "--no-config-lookup"],
    ...["--config", file("eslint.config.mjs"), "--format=json", ...paths],
  ], { cwd: ROOT, failure: "Cannot run eslint", codes: [0, 1] });
  return JSON.parse(json);
}

/** Finds such promises. */
async function find(paths: string[]): Promise<FileReport[]> {
  const installed = await install();
  const folder = pathToFileURL(`${await Deno.makeTempDir()}/`);
  try {
    await prepare(folder, installed);
    return withoutProbe(await lint(folder, [...paths, PROBE]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function withoutProbe(reports: FileReport[]): FileReport[] {
  const probe = fileURLToPath(new URL(PROBE, ROOT));
  const found = reports.find(({ filePath }) => filePath === probe);
  if (found?.messages.length !== 1) {
    throw new Error("Cannot find promises", {
      cause: `The one in ${PROBE} was overlooked`,
    });
  }
  return reports.filter((report) => report !== found);
}

/** Prints what was found; whether that is nothing. */
function show(reports: readonly FileReport[]): boolean {
  for (const { filePath, messages } of reports) {
    const path = relative(fileURLToPath(ROOT), filePath);
    for (const { line, column, message } of messages) {
      console.log(`${path}:${line}:${column}: ${message}`);
    }
  }
  return reports.every(({ messages }) => messages.length === 0);
}

try {
  const paths = Deno.args.length > 0 ? Deno.args : EVERYTHING;
  Deno.exitCode = show(await find(paths)) ? 0 : 1;
} catch (error) {
  const { message, cause } = error as Error;
  console.error(`${message}\n${cause}`);
  Deno.exitCode = 2;
}
