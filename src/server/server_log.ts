/**
 * What a server says: to the option `log`, or to stderr. What clients can repeat
 * at will is a warning now and then, else a detail.
 *
 * @module
 */

import { callUser } from "../asgi/user_code.ts";
import type { LogLevel, LogRecord } from "../logs/records.ts";
import { RecurringWarning } from "../logs/recurring_warning.ts";
import { ProxyHeaderError } from "../net/proxy_protocol.ts";
import { logToStderr } from "./stderr_log.ts";

/** The log of one server; it never fails. */
export class ServerLog {
  /** Takes a record; what the user's function fails to log goes to stderr. */
  readonly write: (record: LogRecord) => void;

  readonly #acceptFailures = new RecurringWarning();
  readonly #proxyFaults = new RecurringWarning();

  /** Writes to `log`. */
  constructor(log: (record: LogRecord) => void = logToStderr) {
    this.write = guarded(log);
  }

  /** Writes a record. */
  say(level: LogLevel, message: string, error?: unknown): void {
    this.write({ level, message, error });
  }

  /**
   * Says that nothing can be accepted for a while. It does so without the error
   * itself: where no file can be opened any more, to look at its stack for the
   * first time would end the process.
   */
  acceptFailed(error: unknown, retryMs: number): void {
    const message = `Cannot accept, retry in ${retryMs} ms: ${error}`;
    this.#warn(this.#acceptFailures, message);
  }

  /**
   * Says what a connection was lost by. A proxy that sends no header is
   * misconfigured: that must be found out.
   */
  connectionLost(error: unknown): void {
    const message = "Connection lost";
    if (error instanceof ProxyHeaderError) {
      this.#warn(this.#proxyFaults, message, error);
    } else {
      this.say("debug", message, error);
    }
  }

  #warn(warning: RecurringWarning, message: string, error?: unknown): void {
    const repeated = warning.occur();
    if (repeated === undefined) this.say("debug", message, error);
    else this.say("warn", message + repeated, error);
  }
}

function guarded(
  log: (record: LogRecord) => void,
): (record: LogRecord) => void {
  return (record) =>
    callUser(() => log(record), (error) => {
      if (record.level === "debug") return;
      logToStderr({ level: "error", message: "The log failed", error });
      logToStderr(record);
    });
}
