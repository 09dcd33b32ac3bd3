/**
 * A certificate and its key: PEM text, or paths of files of it, which are read
 * again when the certificate is reloaded.
 *
 * @module
 */

import type { createPrivateKey } from "node:crypto";

/** Where a certificate and its key come from. */
export interface KeySource {
  /** PEM text, or the path of a file of it. */
  readonly cert: string;
  /** PEM text, or the path of a file of it. */
  readonly key: string;
  /** What the key is encrypted with, if it is. */
  readonly passphrase?: string | undefined;
}

/** A certificate and its key, which is not encrypted, as PEM text. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads a certificate and its key, where they are files, and checks that they
 * are of use.
 *
 * @throws {Deno.errors.NotFound | Deno.errors.PermissionDenied} If a file
 * cannot be read; the message says which.
 * @throws {TypeError} If the certificate or its key is of no use.
 */
export function readCertifiedKey(source: KeySource): CertifiedKey {
  const certifiedKey = {
    cert: readPem("certificate", source.cert),
    key: decrypt(readPem("key", source.key), source),
  };
  check(certifiedKey, source);
  return certifiedKey;
}

function readPem(what: "certificate" | "key", source: string): string {
  if (isPem(source)) return source;
  try {
    return Deno.readTextFileSync(source);
  } catch (error) {
    throw restate(error, (reason) => `Cannot read ${what} file: ${reason}`);
  }
}

/** Whether it is PEM text, and not the path of a file of it. */
export function isPem(source: string): boolean {
  return source.includes("-----BEGIN");
}

/** Decrypts a key; one that is not encrypted stays as it is. */
function decrypt(key: string, source: KeySource): string {
  if (!key.includes("ENCRYPTED")) return key;
  const { passphrase } = source;
  const name = nameOf("key", source.key);
  if (passphrase === undefined) {
    throw new TypeError(`Cannot use ${name}: it needs a passphrase`);
  }
  try {
    return nodeCrypto().createPrivateKey({ key, passphrase })
      .export({ type: "pkcs8", format: "pem" }).toString();
  } catch (cause) {
    const fault = `Cannot use ${name}: the passphrase does not decrypt it`;
    throw new TypeError(fault, { cause });
  }
}

/** Takes some milliseconds to load, and few keys are encrypted. */
function nodeCrypto(): { createPrivateKey: typeof createPrivateKey } {
  // deno-lint-ignore no-explicit-any -- The global of Node has no type here.
  return (globalThis as any).process.getBuiltinModule("node:crypto");
}

/** A client checks them as a listener does, but needs no address. */
function check(certifiedKey: CertifiedKey, source: KeySource): void {
  try {
    Deno.createHttpClient({ ...certifiedKey }).close();
  } catch (error) {
    const fault = faultOf((error as Error).message, source);
    throw new TypeError(fault, { cause: error });
  }
}

function faultOf(reason: string, source: KeySource): string {
  const cert = nameOf("certificate", source.cert);
  const key = nameOf("key", source.key);
  if (reason.includes("KeyMismatch")) {
    return `Cannot use ${key}: it does not fit the ${cert}`;
  }
  if (/no keys|key data|private key/i.test(reason)) {
    return `Cannot use ${key}: it holds no private key in PEM that can be read`;
  }
  if (/certificate/i.test(reason)) {
    return `Cannot use ${cert}: it holds no certificate in PEM that can be read`;
  }
  return `Cannot use ${cert}: ${reason}`;
}

function nameOf(what: string, source: string): string {
  return isPem(source) ? what : `${what} ${JSON.stringify(source)}`;
}

/** An error of the same class, whose message says more. */
export function restate(
  error: unknown,
  describe: (reason: string) => string,
): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof Deno.errors.NotCapable) return error;
  const ErrorClass = error.constructor as new (
    message: string,
    options: ErrorOptions,
  ) => Error;
  return new ErrorClass(describe(error.message), { cause: error });
}
