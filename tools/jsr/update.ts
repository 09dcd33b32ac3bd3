// Keeper of the stand-in registry beside this file, which serves `@std` through
// `JSR_URL=file:///…/tools/jsr/` where JSR is out of reach.
//
// The rule of its packages: one module each, over Deno's own `node:` modules,
// holding only what this project imports, with the signatures and behaviour of
// the originals. The whole suite passes with either; whoever needs another
// function adds it here first.
//
// After an edit run `deno run -A tools/jsr/update.ts`: it writes each package's
// `meta.json` and `<version>_meta.json` (sizes and checksums). With `--check` it
// writes nothing, and fails when one of them is stale.
//
// Deno 2.9.6 reads `file:` registries afresh each time, so that an edit shows at
// once. Should another version ever show an old state, pass `--reload=jsr:`.

import { createHash } from "node:crypto";

const STD_URL = new URL("./@std/", import.meta.url);

/** The registry's JSON files as they should be: their texts by URL. */
async function* expectedFiles(): AsyncGenerator<[URL, string]> {
  for (const name of namesIn(STD_URL)) {
    const packageUrl = new URL(`${name}/`, STD_URL);
    const versions = namesIn(packageUrl);
    const latest = versions.at(-1);
    yield [
      new URL("meta.json", packageUrl),
      toJson({
        scope: "std",
        name,
        latest,
        versions: Object.fromEntries(versions.map((version) => [version, {}])),
      }),
    ];
    for (const version of versions) {
      const source = await Deno.readFile(
        new URL(`${version}/mod.ts`, packageUrl),
      );
      yield [
        new URL(`${version}_meta.json`, packageUrl),
        toJson({
          manifest: {
            "/mod.ts": { size: source.length, checksum: checksum(source) },
          },
          exports: { ".": "./mod.ts" },
        }),
      ];
    }
  }
}

/** The folders in a folder, sorted. */
function namesIn(folder: URL): string[] {
  return [...Deno.readDirSync(folder)]
    .filter((entry) => entry.isDirectory)
    .map((entry) => entry.name)
    .sort();
}

function checksum(bytes: Uint8Array): string {
  return `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
}

function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

async function readIfThere(url: URL): Promise<string> {
  return await Deno.readTextFile(url).catch(() => "");
}

const checkOnly = Deno.args.includes("--check");
for await (const [url, text] of expectedFiles()) {
  if (await readIfThere(url) === text) continue;
  if (checkOnly) {
    console.error(`Stale: ${url.pathname.slice(STD_URL.pathname.length)}`);
    Deno.exitCode = 1;
  } else {
    await Deno.writeTextFile(url, text);
  }
}
if (Deno.exitCode) console.error("Run `deno run -A tools/jsr/update.ts`");
