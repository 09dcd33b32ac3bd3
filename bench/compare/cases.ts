/**
 * The cases in which servers are compared: who takes part, what they are asked,
 * and what is measured.
 *
 * @module
 */

import { idleConnectionBytes } from "../idle_connections.ts";
import type { Case, Check } from "./case.ts";
import { HTTP2_CASES } from "./http2_cases.ts";
import { type HttpLoad, loadHttp, loadWith } from "./load.ts";
import type { Figures } from "./results.ts";
import type { RunningServer } from "./running_server.ts";
import type { Settings } from "./settings.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const TRANSFER_MEBIBYTES = 100;
const WEB_SOCKETS = 64;
const SETTLE_MS = 1_000;

const PYTHON = [
  "uvicorn-httptools",
  "uvicorn-h11",
  "hypercorn",
  "daphne",
  "granian",
];
const ALL = ["x-asgi", "deno-serve", "node-http", ...PYTHON];
const HELLO = { path: "/", length: 13 };

/** All cases. */
export const CASES: readonly Case[] = [
  http("hello-1", "hello GET, 1 connection", ["bare"], HELLO, {
    connections: 1,
  }),
  http(
    "hello-32",
    "hello GET, 32 connections",
    ["x-asgi-log", "bare"],
    HELLO,
    {},
  ),
  http("hello-256", "hello GET, 256 connections", ["bare"], HELLO, {
    connections: 256,
  }),
  http(
    "get-10k",
    "GET of 10 KiB",
    [],
    { path: "/10k", length: 10 * KIBIBYTE },
    {},
  ),
  echo("echo-1k", "echo POST of 1 KiB", KIBIBYTE),
  echo("echo-10k", "echo POST of 10 KiB", 10 * KIBIBYTE),
  http(
    "stream",
    "64 KiB streamed in 16 pieces",
    [],
    { path: "/stream", length: 64 * KIBIBYTE },
    {},
  ),
  http(
    "browser",
    "GET with the 30 fields of a browser",
    ["x-asgi-log", "bare"],
    HELLO,
    { browser: true },
  ),
  http("pipelined", "hello GET, pipelined 16 deep", [], HELLO, { depth: 16 }),
  http("new-connection", "a new connection for every GET", [], HELLO, {
    close: true,
  }),
  {
    ...http("tls", "hello GET over TLS", [], HELLO, {}),
    servers: ["x-asgi", "deno-serve", "node-http", "uvicorn-httptools"],
    tls: true,
  },
  transfer("upload", "upload of 100 MiB", {
    path: "/upload",
    body: 10,
    length: 2,
  }),
  transfer("download", "download of 100 MiB", {
    path: "/download",
    length: TRANSFER_MEBIBYTES * MEBIBYTE,
  }),
  messages("text"),
  messages("binary"),
  {
    name: "workers",
    title: "hello GET, two workers on two cores",
    unit: "requests/s",
    better: "higher",
    servers: ["x-asgi-1-worker", "x-asgi-2-workers"],
    check: HELLO,
    cores: workerCores,
    measure: measureWorkers,
  },
  {
    name: "memory-idle",
    title: "resident memory after the first answer",
    unit: "MiB",
    better: "lower",
    servers: ALL,
    fresh: true,
    measure: measureMemory,
  },
  {
    name: "memory-loaded",
    title: "resident memory after load from 32 connections",
    unit: "MiB",
    better: "lower",
    servers: ALL,
    fresh: true,
    measure: async (server, settings) => {
      await loadHttp(server, {}, settings.seconds);
      return await measureMemory(server);
    },
  },
  {
    name: "idle-connections",
    title: "resident memory of each idle keep-alive connection",
    unit: "KiB",
    better: "lower",
    servers: ALL,
    fresh: true,
    measure: async (server, { connections }) => ({
      value: await idleConnectionBytes(server, connections) / KIBIBYTE,
    }),
  },
  {
    name: "startup",
    title: "start of the process to the first answer",
    unit: "ms",
    better: "lower",
    servers: ALL,
    fresh: true,
    measure: ({ startupTime }) => Promise.resolve({ value: startupTime }),
  },
  ...HTTP2_CASES,
];

function http(
  name: string,
  title: string,
  others: readonly string[],
  check: Check,
  load: HttpLoad,
): Case {
  const [ours, ...rest] = ALL;
  return {
    name,
    title,
    unit: "requests/s",
    better: "higher",
    servers: [ours, ...others, ...rest],
    check,
    measure: (server, { seconds }) =>
      loadHttp(server, { path: check.path, ...load }, seconds),
  };
}

function echo(name: string, title: string, body: number): Case {
  const check = { path: "/echo", body, length: body };
  return http(name, title, [], check, { body });
}

function transfer(
  name: "upload" | "download",
  title: string,
  check: Check,
): Case {
  return {
    name,
    title,
    unit: "MiB/s",
    better: "higher",
    servers: ALL,
    check,
    measure: async (server, { seconds }) => {
      const figures = await loadWith("transfers.ts", server, seconds, name);
      return { ...figures, value: figures.value * TRANSFER_MEBIBYTES };
    },
  };
}

function messages(kind: "text" | "binary"): Case {
  const args = [kind, String(WEB_SOCKETS), String(KIBIBYTE)];
  return {
    name: `websocket-${kind}`,
    title: `WebSocket echo of 1 KiB, ${kind}, ${WEB_SOCKETS} clients`,
    unit: "messages/s",
    better: "higher",
    servers: [
      ...["x-asgi", "deno-serve", "ws", "uvicorn-httptools"],
      ...["hypercorn", "daphne", "granian"],
    ],
    measure: (server, { seconds }) =>
      loadWith("messages.ts", server, seconds, ...args),
  };
}

async function measureMemory(server: RunningServer): Promise<Figures> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return { value: server.residentBytes() / MEBIBYTE };
}

/** Two workers get a second core, that of the load if there is no other. */
function workerCores(
  server: string,
  { serverCore, loadCore }: Settings,
): readonly number[] {
  if (server === "x-asgi-1-worker") return [serverCore];
  const cores = Array.from(
    { length: navigator.hardwareConcurrency },
    (_, core) => core,
  );
  const free = cores.find((core) => core !== serverCore && core !== loadCore);
  return [serverCore, free ?? loadCore];
}

/**
 * Where the load must share the cores of two workers, the value is what they
 * would do in the time that it took from them.
 */
async function measureWorkers(
  server: RunningServer,
  settings: Settings,
): Promise<Figures> {
  // Of few connections, one worker may get many more than the other.
  const figures = await loadHttp(
    server,
    { connections: 128 },
    settings.seconds,
  );
  const cores = workerCores(server.name, settings);
  if (!cores.includes(settings.loadCore)) return figures;
  const { value, loadCores = 0 } = figures;
  const left = cores.length - loadCores;
  return { ...figures, value: value * cores.length / left, seen: value };
}
