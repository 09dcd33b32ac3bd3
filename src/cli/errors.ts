/**
 * The ways in which the command fails: each has its exit code, and one line
 * that says why.
 *
 * @module
 */

/** The command's exit codes. */
export const EXIT_CODES = {
  /** It did what it was asked to, or was shut down. */
  ok: 0,
  /** The server failed: a taken port, a missing permission, a bad certificate. */
  failed: 1,
  /** A flag, an argument or an environment variable was wrong. */
  usage: 2,
  /** The application could not be loaded, or failed to start. */
  app: 3,
} as const;

/** Thrown when flags, arguments or environment variables are wrong. */
export class UsageError extends Error {
  /** The name of the class. */
  override readonly name = "UsageError";
}

/** Thrown when the application cannot be loaded. */
export class AppLoadError extends Error {
  /** The name of the class. */
  override readonly name = "AppLoadError";
}

/** Thrown when the command lacks a permission; the message names the flag. */
export class MissingPermissionError extends Error {
  /** The name of the class. */
  override readonly name = "MissingPermissionError";
}
