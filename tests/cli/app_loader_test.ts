// Loading applications: which export is taken, and what is said, in one line,
// of those that cannot be loaded.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadApp } from "../../src/cli/app_loader.ts";
import { AppLoadError } from "../../src/cli/errors.ts";
import type { AsgiApp } from "../../src/asgi/types.ts";
import { granted } from "../e2e/_testing.ts";
import { folder } from "./_command.ts";

/** What each test's folder holds. */
const FILES = {
  "app.ts": `
export default function main(): string { return "main"; }
export const app = () => "app";
export const answer = 42;
export const nothing = null;
export const create = () => () => "created";
export const createLater = () => Promise.resolve(() => "created later");
export const createNothing = () => ({});
export function failing() {
  throw new RangeError("no database\\nat all");
}
export const failingLater = () => Promise.reject("no reason");
`,
  "helpers.ts": "export const one = 1;",
  "syntax.ts": "export default 1;\nconst x = ;\n",
  "imports_syntax.ts": 'import "./syntax.ts";',
  "throws.ts": 'export default 1;\n\n  throw new Error("at load");\n',
  "throws_text.ts": 'throw "a text";',
  "imports_missing.ts": 'import "./gone.ts";',
  "imports_wrong_name.ts": 'import { two } from "./helpers.ts";\ntwo;',
};

/** Declares a test of loading from a folder with these files. */
function loadTest(name: string, fn: (path: string) => Promise<void>): void {
  Deno.test({
    name: `loadApp() ${name}`,
    ignore: !granted("read") || !granted("write"),
    async fn() {
      await using files = await folder(FILES);
      await fn(files.path);
    },
  });
}

function load(module: string, name: string, factory = false): Promise<AsgiApp> {
  return loadApp({ module, name, factory });
}

/** What an application gives when it is called with nothing. */
function callBare(app: AsgiApp): unknown {
  return (app as unknown as () => unknown)();
}

/** Asserts that loading fails, and with which line after "Cannot load …". */
async function assertFails(
  path: string,
  [module, name = "default", factory = false]: [string, string?, boolean?],
  message: string,
): Promise<void> {
  const error = await assertRejects(
    () => load(`${path}/${module}`, name, factory),
    AppLoadError,
  );
  assertEquals(
    error.message.replaceAll(`${path}/`, ""),
    `Cannot load application: ${message}`,
  );
}

loadTest("takes the default export, or another", async (path) => {
  assertEquals(callBare(await load(`${path}/app.ts`, "default")), "main");
  assertEquals(callBare(await load(`${path}/app.ts`, "app")), "app");
});

loadTest("takes a URL", async (path) => {
  assertEquals(callBare(await load(`file://${path}/app.ts`, "app")), "app");
});

loadTest("takes what a factory gives, at once or later", async (path) => {
  const app = await load(`${path}/app.ts`, "create", true);
  assertEquals(callBare(app), "created");
  const later = await load(`${path}/app.ts`, "createLater", true);
  assertEquals(callBare(later), "created later");
});

loadTest("says that there is no such module", async (path) => {
  await assertFails(path, ["none.ts"], 'there is no module "none.ts"');
});

loadTest("says which functions a module exports instead", async (path) => {
  const choices = [
    ..."app create createLater createNothing failing failingLater".split(" "),
  ].map((name) => `app.ts:${name}`).join(", ");
  await assertFails(
    path,
    ["app.ts", "ap"],
    `"app.ts" has no export "ap"; choose from app.ts, ${choices}`,
  );
  await assertFails(
    path,
    ["app.ts", "answer"],
    `"app.ts:answer" is a number, not a function; choose from app.ts, ${choices}`,
  );
  await assertFails(
    path,
    ["app.ts", "nothing"],
    `"app.ts:nothing" is null, not a function; choose from app.ts, ${choices}`,
  );
});

loadTest("says that a module exports no function", async (path) => {
  await assertFails(
    path,
    ["helpers.ts"],
    '"helpers.ts" has no default export; it exports no function',
  );
});

loadTest("takes no inherited name for an export", async (path) => {
  await assertFails(
    path,
    ["helpers.ts", "toString"],
    '"helpers.ts" has no export "toString"; it exports no function',
  );
});

loadTest("says where a syntax error is", async (path) => {
  const message = "SyntaxError: Expression expected (syntax.ts:2:11)";
  await assertFails(path, ["syntax.ts"], message);
  await assertFails(path, ["imports_syntax.ts"], message);
});

loadTest("says what a module throws, and where", async (path) => {
  await assertFails(path, ["throws.ts"], "Error: at load (throws.ts:3:9)");
  await assertFails(path, ["throws_text.ts"], "it threw a text");
});

loadTest("says which import is wrong, and where", async (path) => {
  await assertFails(
    path,
    ["imports_missing.ts"],
    'Module not found "file://gone.ts" (imports_missing.ts:1:8)',
  );
  await assertFails(
    path,
    ["imports_wrong_name.ts"],
    "SyntaxError: The requested module './helpers.ts' does not provide an " +
      "export named 'two' (imports_wrong_name.ts:1:10)",
  );
});

loadTest("says how a factory fails", async (path) => {
  await assertFails(
    path,
    ["app.ts", "failing", true],
    '"app.ts:failing" failed: RangeError: no database (app.ts:10:9)',
  );
  await assertFails(
    path,
    ["app.ts", "failingLater", true],
    '"app.ts:failingLater" failed: it threw no reason',
  );
  await assertFails(
    path,
    ["app.ts", "createNothing", true],
    '"app.ts:createNothing" returned an object, not an application',
  );
});

loadTest("keeps what was thrown as the cause", async (path) => {
  const error = await assertRejects(() => load(`${path}/throws.ts`, "default"));
  assert(error instanceof AppLoadError && error.cause instanceof Error);
  assertEquals(error.cause.message, "at load");
});
