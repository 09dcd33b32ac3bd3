/**
 * The servers that are compared: how each is started, and what it needs. All of
 * them run in one process that does the work, with their access log off and no
 * compression of messages, unless their name says otherwise; and all keep an
 * idle connection for a minute at least, so that many of them can be counted.
 *
 * @module
 */

import type { Tools } from "./tools.ts";

/** Where a server is to serve. */
export interface Place {
  readonly port: number;
  /** Whether over TLS. */
  readonly tls: boolean;
}

/** A program, its arguments and its environment. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that can be compared. */
export interface ServerKind {
  /** What it is called in the table. */
  readonly name: string;
  /** What it is. */
  readonly title: string;
  /** Whether it is asked over HTTP/1 where others are asked over HTTP/2. */
  readonly http1?: boolean;
  /** What it lacks here; `undefined` if nothing. */
  missing(tools: Tools): string | undefined;
  /** How to start it. */
  command(place: Place, tools: Tools): Command;
}

const FOLDER = new URL("apps/", import.meta.url);
const COMMAND = new URL("../../src/cli.ts", import.meta.url).pathname;
const KEEP_ALIVE_SECONDS = "75";

/** All servers, x-asgi first. */
export const SERVERS: readonly ServerKind[] = [
  onDeno("x-asgi", "this package, serve() with its defaults", "x_asgi.ts"),
  onDeno("x-asgi-log", "the same, with the access log on", "x_asgi.ts", {
    ACCESS_LOG: "combined",
  }),
  {
    ...onDeno("x-asgi-http1", "this package, asked over HTTP/1", "x_asgi.ts"),
    http1: true,
  },
  ourCommand("x-asgi-1-worker", "the command, one process", 1),
  ourCommand("x-asgi-2-workers", "the command, two workers", 2),
  onDeno("bare", "a loop that neither parses nor checks", "bare_listen.ts"),
  onDeno("deno-serve", "Deno.serve", "deno_serve.ts"),
  onNode("node-http", "node:http", "node_http.mjs"),
  onNode("node-http2", "node:http2, its core API", "node_http2.mjs"),
  onNode(
    "node-http2-compat",
    "node:http2, its API of requests and responses",
    "node_http2.mjs",
    { COMPAT: "1" },
  ),
  {
    name: "go",
    title: "net/http of Go, on one core",
    missing: ({ go }) => go === undefined ? "Go 1.24 is not there" : undefined,
    command: (place, tools) => ({
      program: tools.go!.server,
      args: [],
      env: { ...environment(place, tools), GOMAXPROCS: "1" },
    }),
  },
  onNode("ws", "the npm package ws, on Node", "ws.mjs"),
  inPython(
    "uvicorn-httptools",
    "uvicorn with httptools and uvloop",
    ["uvicorn", "httptools", "uvloop"],
    (place, tools) => uvicorn("httptools", "uvloop", place, tools),
  ),
  inPython(
    "uvicorn-h11",
    "uvicorn with h11, on asyncio",
    ["uvicorn", "h11"],
    (place, tools) => uvicorn("h11", "asyncio", place, tools),
  ),
  inPython("hypercorn", "hypercorn", ["hypercorn"], hypercorn),
  inPython("daphne", "daphne", ["daphne"], ({ port }) => [
    ...["daphne", "-v", "0", "-b", "127.0.0.1", "-p", `${port}`, "app:app"],
  ]),
  inPython("granian", "granian", ["granian"], granian),
];

/** This package as it is in another checkout, such as that of an earlier commit. */
export function before(checkout: string): ServerKind {
  const app = `${checkout}/bench/compare/apps/x_asgi.ts`;
  return onDeno("x-asgi-before", "this package in another checkout", app);
}

/** `file` is in the folder of applications, or the path of one elsewhere. */
function onDeno(
  name: string,
  title: string,
  file: string,
  env?: Record<string, string>,
): ServerKind {
  return {
    name,
    title,
    missing: () => undefined,
    command: (place, tools) => ({
      program: Deno.execPath(),
      args: ["run", "-A", "--no-check", new URL(file, FOLDER).pathname],
      env: { ...environment(place, tools), ...env },
    }),
  };
}

function ourCommand(name: string, title: string, workers: number): ServerKind {
  const app = new URL("x_asgi.ts", FOLDER).pathname;
  return {
    name,
    title,
    missing: () => undefined,
    command: ({ port }) => ({
      program: Deno.execPath(),
      args: [
        ...["run", "-A", "--no-check", "--unstable-net", COMMAND],
        ...[`${app}:app`, `--port=${port}`, `--workers=${workers}`],
        ...["--access-log=off", "--log-level=error"],
      ],
    }),
  };
}

function onNode(
  name: string,
  title: string,
  file: string,
  env?: Record<string, string>,
): ServerKind {
  return {
    name,
    title,
    missing: ({ node, ws }) => {
      if (node === undefined) return "Node is not installed";
      if (name !== "ws" || ws !== undefined) return undefined;
      return "the npm package ws is not installed";
    },
    command: (place, tools) => ({
      program: "node",
      args: [new URL(file, FOLDER).pathname],
      env: { ...environment(place, tools), ...env },
    }),
  };
}

function inPython(
  name: string,
  title: string,
  packages: readonly string[],
  args: (place: Place, tools: Tools) => readonly string[],
): ServerKind {
  return {
    name,
    title,
    missing: ({ python }) => {
      const lacks = packages
        .filter((name) => python?.versions[name] === undefined);
      return lacks.length === 0
        ? undefined
        : `${lacks.join(", ")} not installed for Python`;
    },
    command: (place, tools) => ({
      program: tools.python!.program,
      args: ["-m", ...args(place, tools)],
      env: { PYTHONPATH: FOLDER.pathname, PYTHONDONTWRITEBYTECODE: "1" },
    }),
  };
}

function uvicorn(
  http: string,
  loop: string,
  { port, tls }: Place,
  { certificate, key }: Tools,
): string[] {
  return [
    ...["uvicorn", "--host=127.0.0.1", `--port=${port}`],
    ...[`--http=${http}`, `--loop=${loop}`, "--ws-per-message-deflate=false"],
    ...["--no-access-log", "--log-level=error"],
    `--timeout-keep-alive=${KEEP_ALIVE_SECONDS}`,
    ...tls ? [`--ssl-certfile=${certificate}`, `--ssl-keyfile=${key}`] : [],
    "app:app",
  ];
}

function hypercorn(
  { port, tls }: Place,
  { certificate, key }: Tools,
): string[] {
  return [
    ...["hypercorn", `--bind=127.0.0.1:${port}`, "--workers=1"],
    ...["--config", new URL("hypercorn.toml", FOLDER).pathname],
    ...[`--keep-alive=${KEEP_ALIVE_SECONDS}`, "--log-level=error"],
    ...tls ? ["--certfile", certificate, "--keyfile", key] : [],
    "app:app",
  ];
}

function granian(
  { port, tls }: Place,
  { certificate, key }: Tools,
): string[] {
  return [
    ...["granian", "--interface", "asgi", "--host", "127.0.0.1"],
    ...["--port", `${port}`, "--workers", "1", "--no-access-log"],
    // Its own limits on idle connections, and on how many there may be.
    ...["--http1-header-read-timeout", "60000", "--backpressure", "65535"],
    ...tls ? ["--ssl-certificate", certificate, "--ssl-keyfile", key] : [],
    ...["--log-level", "error", "app:app"],
  ];
}

/** The environment of the programs in `apps/`. */
function environment(
  { port, tls }: Place,
  { certificate, key, ws }: Tools,
): Record<string, string> {
  return {
    PORT: String(port),
    ...tls ? { CERT: certificate, KEY: key } : {},
    ...ws === undefined ? {} : { WS_FOLDER: ws.folder },
  };
}
