/**
 * What the comparison needs besides Deno, and where it comes from: `wrk` and
 * `taskset` must be there; Node, the npm package `ws` and servers in Python are
 * used where they are. Packages are fetched into a folder outside the
 * repository, once.
 *
 * @module
 */

import { createCertificate } from "../../tests/e2e/_certificates.ts";
import { firstLine, outputOf } from "./machine.ts";
import type { Settings } from "./settings.ts";

/** Packages that the virtual environment gets. */
const PYTHON_PACKAGES = [
  "uvicorn",
  "httptools",
  "uvloop",
  "h11",
  "websockets",
  "wsproto",
  "hypercorn",
  "daphne",
  "granian",
];
/** Where Debian's packages are, besides whatever is first on the path. */
const PYTHONS = ["/usr/bin/python3", "python3"];
const INSTALL_TIMEOUT_MS = 5 * 60_000;

/** An interpreter, and the versions of those packages that it has. */
export interface Python {
  readonly program: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** What there is to run servers with. */
export interface Tools {
  readonly python: Python | undefined;
  /** The version of Node. */
  readonly node: string | undefined;
  /** The folder with the npm package `ws`, and its version. */
  readonly ws:
    | { readonly folder: string; readonly version: string }
    | undefined;
  /** The version of Go, and the server that was built with it. */
  readonly go:
    | { readonly version: string; readonly server: string }
    | undefined;
  /** The version of `h2load`, without which nothing is asked over HTTP/2. */
  readonly h2load: string | undefined;
  /** Files with a certificate for 127.0.0.1, and its key. */
  readonly certificate: string;
  readonly key: string;
  /** A program's name, and its version. */
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Finds the tools that are installed, and fetches those that may be fetched.
 *
 * @throws {Error} If something is missing without which nothing can be measured.
 */
export async function findTools(settings: Settings): Promise<Tools> {
  await requireProgram("wrk", "-v");
  await requireProgram("taskset", "--version");
  const cache = cacheFolder();
  await Deno.mkdir(cache, { recursive: true });
  const node = await firstLine("node", "--version");
  const found = {
    node,
    python: await findPython(settings, cache),
    go: await buildGoServer(cache),
    h2load: (await firstLine("h2load", "--version"))?.split("/")[1],
    ws: node === undefined ? undefined : await findWs(settings, cache),
    ...await writeCertificate(cache),
  };
  return { ...found, versions: await versionsOf(found) };
}

async function requireProgram(name: string, flag: string): Promise<void> {
  if (await outputOf(name, flag) !== undefined) return;
  const debian = name === "taskset" ? "util-linux" : name;
  throw new Error(
    `Cannot compare: "${name}" is missing (Debian: apt-get install ${debian})`,
  );
}

/** Where all that is fetched or made is kept, outside the repository. */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  return `${XDG_CACHE_HOME ?? `${HOME ?? "/tmp"}/.cache`}/x-asgi-bench`;
}

/** The virtual environment if there is one or it can be made, else Debian's. */
async function findPython(
  { venv, install }: Settings,
  cache: string,
): Promise<Python | undefined> {
  const folder = venv ?? `${cache}/venv`;
  const program = `${folder}/bin/python`;
  if (install && !await hasServers(program)) await makeVenv(folder);
  for (const candidate of [program, ...PYTHONS]) {
    if (!await hasServers(candidate)) continue;
    return { program: candidate, versions: await pythonVersions(candidate) };
  }
  return undefined;
}

async function hasServers(program: string): Promise<boolean> {
  const versions = await pythonVersions(program);
  return ["uvicorn", "hypercorn", "daphne", "granian"]
    .some((name) => Object.hasOwn(versions, name));
}

async function makeVenv(folder: string): Promise<void> {
  console.error(`Making a virtual environment in ${folder}`);
  const made = await run("python3", "-m", "venv", folder) &&
    await run(
      `${folder}/bin/python`,
      ...["-m", "pip", "install", "--quiet", ...PYTHON_PACKAGES],
    );
  if (!made) console.error("Cannot install servers in Python from a registry");
}

/** The versions of those packages that an interpreter has. */
async function pythonVersions(
  program: string,
): Promise<Record<string, string>> {
  const script = `import importlib.metadata as m, sys
print("python", sys.version.split()[0])
for name in sys.argv[1:]:
    try: print(name, m.version(name))
    except m.PackageNotFoundError: pass`;
  const text = await outputOf(program, "-c", script, ...PYTHON_PACKAGES) ?? "";
  const pairs = text.trim().split("\n").filter((line) => line !== "")
    .map((line) => line.split(" "));
  return Object.fromEntries(pairs);
}

async function findWs(
  { install }: Settings,
  cache: string,
): Promise<Tools["ws"]> {
  const folder = `${cache}/node`;
  const version = await wsVersion(folder);
  if (version !== undefined) return { folder, version };
  if (!install) return undefined;
  await Deno.mkdir(folder, { recursive: true });
  const flags = ["--silent", "--no-audit", "--no-fund", "--prefix", folder];
  if (!await run("npm", "install", ...flags, "ws")) {
    console.error("Cannot install the npm package ws from a registry");
  }
  const installed = await wsVersion(folder);
  return installed === undefined ? undefined : { folder, version: installed };
}

async function wsVersion(folder: string): Promise<string | undefined> {
  try {
    const path = `${folder}/node_modules/ws/package.json`;
    return JSON.parse(await Deno.readTextFile(path)).version;
  } catch {
    return undefined;
  }
}

/** Builds the server in Go, which needs nothing but Go's own packages. */
async function buildGoServer(cache: string): Promise<Tools["go"]> {
  const version = /go([0-9.]+)/.exec(await firstLine("go", "version") ?? "");
  if (version === null) return undefined;
  const source = new URL("apps/go_http.go", import.meta.url).pathname;
  const server = `${cache}/go_http`;
  if (!await run("go", "build", "-o", server, source)) return undefined;
  return { version: version[1], server };
}

async function writeCertificate(
  cache: string,
): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [`${cache}/cert.pem`, `${cache}/key.pem`];
  const made = await createCertificate("benchmark");
  await Deno.writeTextFile(certificate, made.cert);
  await Deno.writeTextFile(key, made.key, { mode: 0o600 });
  return { certificate, key };
}

async function versionsOf(
  { node, python, ws, go, h2load }: Omit<Tools, "versions">,
): Promise<Record<string, string>> {
  const config = new URL("../../deno.json", import.meta.url);
  const { version } = JSON.parse(await Deno.readTextFile(config));
  const wrk = await firstLine("wrk", "-v");
  const found: Record<string, string | undefined> = {
    "@x/asgi": version,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    node: node?.replace("v", ""),
    ws: ws?.version,
    ...python?.versions,
    go: go?.version,
    h2load,
    wrk: /wrk (?:debian\/)?(\S+)/.exec(wrk ?? "")?.[1],
  };
  const known = Object.entries(found).filter(([, text]) => text !== undefined);
  return Object.fromEntries(known) as Record<string, string>;
}

/** Runs a program; whether it succeeded in time. */
async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      signal: AbortSignal.timeout(INSTALL_TIMEOUT_MS),
    }).output();
    return success;
  } catch {
    return false;
  }
}
