/**
 * Listening and accepting. `for await` over a listener ends at the first error
 * of accept, such as too many open files; here accepting goes on, with back-off.
 *
 * @module
 */

const MIN_BACK_OFF_MS = 5;
const MAX_BACK_OFF_MS = 1000;
/** A longer timer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Where to listen. */
export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/**
 * Binds a TCP address at once.
 *
 * @throws {Deno.errors.AddrInUse} If the port is taken; the message says which.
 * @throws {Deno.errors.AddrNotAvailable | Deno.errors.PermissionDenied} As the
 * operating system says, with the address in the message.
 */
export function listen({ hostname, port }: ListenAddress): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port, transport: "tcp" });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) {
      throw error;
    }
    const reason = error instanceof Deno.errors.AddrInUse
      ? "the address is already in use"
      : error.message;
    const ErrorClass = error.constructor as new (
      message: string,
      options: ErrorOptions,
    ) => Error;
    throw new ErrorClass(
      `Cannot listen on ${formatAddress(hostname, port)}: ${reason}`,
      { cause: error },
    );
  }
}

/** What an accept loop tells of. */
export interface AcceptEvents {
  /** A connection was accepted; accepting goes on when this resolves. */
  onConnection(conn: Deno.Conn): Promise<void> | void;
  /** Accepting failed, and is tried again in `retryMs` milliseconds. */
  onAcceptError(error: unknown, retryMs: number): void;
}

/** Accepts connections until the listener is closed; `signal` cuts waits short. */
export async function acceptAll(
  listener: Deno.Listener,
  { onConnection, onAcceptError }: AcceptEvents,
  signal: AbortSignal,
): Promise<void> {
  let backOffMs = MIN_BACK_OFF_MS;
  while (!signal.aborted) {
    let conn: Deno.Conn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (signal.aborted) return;
      onAcceptError(error, backOffMs);
      await delay(backOffMs, signal);
      backOffMs = Math.min(2 * backOffMs, MAX_BACK_OFF_MS);
      continue;
    }
    backOffMs = MIN_BACK_OFF_MS;
    await onConnection(conn);
  }
}

/** Waits `ms` milliseconds (24 days at most), or until the signal is aborted. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.min(ms, MAX_TIMER_MS));
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}

/** An address as it stands in a URL. */
export function formatAddress(hostname: string, port: number): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
