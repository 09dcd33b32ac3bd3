/**
 * The permissions that the command needs, which it looks up before it starts:
 * a server must not stop to ask.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ListenerTarget } from "../net/binding.ts";
import { isPem } from "../net/certified_key.ts";
import { formatAuthority } from "../net/listener_address.ts";
import { listenTargets } from "../server/listen_options.ts";
import type { ServeOptions } from "../server/options.ts";
import { isUrl } from "./app_reference.ts";
import { MissingPermissionError } from "./errors.ts";
import type { Endpoint } from "./listen_address.ts";
import type { Settings } from "./settings.ts";

/** A permission, and what grants it. */
interface Need {
  readonly descriptor: Deno.PermissionDescriptor;
  /** The flag of `deno run`, and the value that it takes, if one. */
  readonly flag: string;
  readonly value?: string;
}

/**
 * Makes sure that an application can be loaded and served, by this process or
 * by others that it starts.
 *
 * @throws {MissingPermissionError} If a permission is missing; the message
 * names the flags that grant them.
 */
export function requirePermissions(
  { app, serve, metrics }: Settings,
  by: "this process" | "workers" = "this process",
): void {
  const missing = [
    ...listenTargets(serve).flatMap(listenNeeds),
    ...metrics === null ? [] : [netNeed(addressOf(metrics))],
    ...appNeeds(app.module),
    ...by === "workers" ? workerNeeds() : [],
  ].filter(({ descriptor }) => !isGranted(descriptor));
  if (missing.length === 0) return;
  const flags = [...Map.groupBy(missing, ({ flag }) => flag)]
    .map(([flag, needs]) => withValues(flag, needs));
  throw new MissingPermissionError(
    `Cannot serve without a permission: run again with ${flags.join(" ")}`,
  );
}

/** A flag of `deno run` with all values that are needed. */
function withValues(flag: string, needs: readonly Need[]): string {
  const values = new Set(needs.flatMap(({ value }) => value ?? []));
  return values.size === 0 ? flag : `${flag}=${[...values].join(",")}`;
}

/**
 * Makes sure that a port can be shared: without that flag, Deno ends the
 * process when it is tried.
 *
 * @throws {MissingPermissionError} If the flag is missing.
 */
export function requirePortSharing(): void {
  requireUnstableNet("share a port");
}

/**
 * Makes sure that HTTP/3 can be served, if it is to be.
 *
 * @throws {MissingPermissionError} If the flag for it is missing.
 */
export function requireQuic(serve: ServeOptions): void {
  const isServed = listenTargets(serve).some((target) =>
    target.transport === "tcp" && target.http3 !== undefined
  );
  if (isServed) requireUnstableNet("serve HTTP/3");
}

function requireUnstableNet(purpose: string): void {
  if ("QuicEndpoint" in Deno) return;
  throw new MissingPermissionError(
    `Cannot ${purpose}: run again with --unstable-net`,
  );
}

/** Whether a permission is granted, without asking for it. */
export function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  try {
    return Deno.permissions.querySync(descriptor).state === "granted";
  } catch {
    // An address that Deno cannot read; listening there says what is wrong.
    return true;
  }
}

function listenNeeds(target: ListenerTarget): Need[] {
  if (target.transport === "unix") {
    const path = resolve(target.path);
    const needs = [netNeed(`unix:${path}`), readNeed(path), writeNeed(path)];
    return target.mode === undefined ? needs : [...needs, umaskNeed()];
  }
  const { hostname, port, tls } = target;
  const files = tls === undefined
    ? []
    : [tls.cert, tls.key].filter((source) => !isPem(source));
  return [
    netNeed(formatAuthority(hostname, port)),
    ...files.map((path) => readNeed(path)),
  ];
}

/** What the module imports is mostly beside it. */
function appNeeds(module: string): Need[] {
  if (!isUrl(module)) return [readNeed(module, dirname(module))];
  if (!module.startsWith("file:")) return [];
  const path = fileURLToPath(module);
  return [readNeed(path, dirname(path))];
}

/** They are started with the environment of their supervisor. */
function workerNeeds(): Need[] {
  const command = Deno.execPath();
  return [
    {
      descriptor: { name: "run", command },
      flag: "--allow-run",
      value: command,
    },
    { descriptor: { name: "env" }, flag: "--allow-env" },
  ];
}

function addressOf({ hostname, port }: Endpoint): string {
  return formatAuthority(hostname, port);
}

function netNeed(host: string): Need {
  const descriptor = { name: "net", host } as const;
  return { descriptor, flag: "--allow-net", value: host };
}

function readNeed(path: string, value: string = path): Need {
  const descriptor = { name: "read", path } as const;
  return { descriptor, flag: "--allow-read", value };
}

/** Deno 2.9 knows the permission, but no value of the flag that grants it. */
function umaskNeed(): Need {
  return { descriptor: { name: "sys", kind: "umask" }, flag: "--allow-sys" };
}

function writeNeed(path: string): Need {
  const descriptor = { name: "write", path } as const;
  return { descriptor, flag: "--allow-write", value: path };
}
