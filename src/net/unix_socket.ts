/**
 * Unix sockets. Binding one makes a file, which outlives a process that is
 * killed. A socket's file that no server listens on is replaced; any other file
 * is not touched.
 *
 * @module
 */

const PRIVATE_UMASK = 0o177;
const PROBE_TIMEOUT_MS = 2000;

/** Where to bind a unix socket. */
export interface UnixSocketOptions {
  /** The path of its file. */
  readonly path: string;
  /** The permissions of the file; `undefined` for what the umask leaves. */
  readonly mode: number | undefined;
}

/**
 * Binds a unix socket at once, and replaces the file of a server that is dead.
 *
 * @throws {Deno.errors.AddrInUse} If a server listens there.
 * @throws {Deno.errors.AlreadyExists} If the file is no socket.
 */
export function listenUnix(options: UnixSocketOptions): Deno.UnixListener {
  removeStale(options.path);
  return options.mode === undefined
    ? bind(options.path)
    : bindWithMode(options.path, options.mode);
}

function bind(path: string): Deno.UnixListener {
  return Deno.listen({ transport: "unix", path });
}

/**
 * Nobody but the owner can connect before the file has its mode. The umask is
 * that of the whole process, so it is changed to a strict one, and not for long.
 */
function bindWithMode(path: string, mode: number): Deno.UnixListener {
  const umask = Deno.umask(PRIVATE_UMASK);
  let listener: Deno.UnixListener;
  try {
    listener = bind(path);
  } finally {
    Deno.umask(umask);
  }
  try {
    Deno.chmodSync(path, mode);
    return listener;
  } catch (error) {
    listener.close();
    throw error;
  }
}

function removeStale(path: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!info.isSocket) {
    throw new Deno.errors.AlreadyExists("there is a file that is no socket");
  }
  if (!refuses(path)) {
    throw new Deno.errors.AddrInUse("a server listens there");
  }
  Deno.removeSync(path);
}

/**
 * Whether connections to a socket's file are refused. Deno connects without
 * waiting only, so that another thread does it while this one waits.
 */
function refuses(path: string): boolean {
  const answer = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `data:text/javascript,${encodeURIComponent(`(${PROBE})()`)}`,
    { type: "module" },
  );
  try {
    worker.postMessage([path, answer]);
    Atomics.wait(answer, 0, 0, PROBE_TIMEOUT_MS);
    return answer[0] === REFUSED;
  } finally {
    worker.terminate();
  }
}

const REFUSED = 2;
/** What runs in the other thread; in doubt, somebody listens. */
const PROBE = `() => {
  onmessage = async ({ data: [path, answer] }) => {
    let result = 1;
    try {
      (await Deno.connect({ transport: "unix", path })).close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) result = ${REFUSED};
    }
    Atomics.store(answer, 0, result);
    Atomics.notify(answer, 0);
  };
}`;
