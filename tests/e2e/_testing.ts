// What every end-to-end test stands on: it is ignored where its permissions
// are not granted, bounded in time, and talks to a server of its own, which
// listens on a free port of the loopback interface and keeps what it logs.

import {
  type AsgiApp,
  type LogRecord,
  serve,
  type ServeOptions,
  type Server,
  type TcpAddress,
} from "../../mod.ts";
import { RawClient } from "./_raw_client.ts";

const TEST_TIMEOUT_MS = 30_000;

/** What a test needs besides the net, and how long it may take. */
export interface NetTestOptions {
  /** Further permissions, by their names. */
  readonly permissions?: readonly ("read" | "write" | "run" | "env")[];
  /** Why the test cannot run here; it is ignored, and says so. */
  readonly lacks?: string | undefined;
  /** How long the test may take, in milliseconds. */
  readonly timeoutMs?: number;
}

/** Declares a test that opens sockets. */
export function netTest(
  name: string,
  fn: () => Promise<void> | void,
  { permissions = [], lacks, timeoutMs = TEST_TIMEOUT_MS }: NetTestOptions = {},
): void {
  Deno.test({
    name: lacks === undefined ? name : `${name} (not run: ${lacks})`,
    ignore: lacks !== undefined || !["net" as const, ...permissions]
      .every((permission) => granted(permission)),
    fn: () => bounded(Promise.resolve(fn()), `the test "${name}"`, timeoutMs),
  });
}

/** Whether a permission is granted, without asking for it. */
export function granted(name: Deno.PermissionDescriptor["name"]): boolean {
  const descriptor = { name } as Deno.PermissionDescriptor;
  return Deno.permissions.querySync(descriptor).state === "granted";
}

/** Rejects if a promise takes longer than a test should. */
export async function bounded<T>(
  promise: Promise<T>,
  what: string,
  timeoutMs = TEST_TIMEOUT_MS,
): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    expired.reject(new Error(`Cannot wait any longer for ${what}`));
  }, timeoutMs);
  try {
    return await Promise.race([promise, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits a few milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until a condition holds; the test's own bound ends a wait in vain. */
export async function until(
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  while (!await condition()) await pause(5);
}

/** A server for one test. */
export interface TestServer extends AsyncDisposable {
  /** The server itself. */
  readonly server: Server<TcpAddress>;
  /** The URL of its root. */
  readonly url: string;
  /** The port that it listens on. */
  readonly port: number;
  /** What it has logged so far. */
  readonly records: LogRecord[];
  /** What it has logged as errors so far. */
  readonly errors: unknown[];
  /** Connects a client to it. */
  connect(): Promise<RawClient>;
}

/** Starts a server on TCP; what is left of it at the end of its scope is cut. */
export function start(app: AsgiApp, options: ServeOptions = {}): TestServer {
  const records: LogRecord[] = [];
  const server = serve(app, {
    port: 0,
    onListen: () => {},
    log: (record) => records.push(record),
    ...options,
  }) as Server<TcpAddress>;
  const { port } = server.addr;
  return {
    server,
    url: server.url,
    port,
    records,
    get errors() {
      return records.filter(({ level }) => level === "error")
        .map(({ error }) => error);
    },
    connect: () => RawClient.connect(port),
    [Symbol.asyncDispose]: () => server.shutdown({ timeout: 0 }),
  };
}
