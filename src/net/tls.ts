/**
 * Certificates and handshakes. A certificate and its key are PEM text, or paths
 * of files of it, which are read again when the certificate is reloaded.
 *
 * @module
 */

/** Where a certificate comes from, and what is offered with it. */
export interface TlsSettings {
  /** PEM text, or the path of a file of it. */
  readonly cert: string;
  /** PEM text, or the path of a file of it. */
  readonly key: string;
  /** The protocols to offer. */
  readonly alpn: readonly string[];
}

/** A certificate and its key, as PEM text. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

/** What binds a TCP address. */
export interface TcpSocketOptions {
  readonly hostname: string;
  readonly port: number;
  readonly tcpBacklog: number;
  readonly reusePort: boolean;
}

/**
 * Reads a certificate and its key, where they are files.
 *
 * @throws {Deno.errors.NotFound | Deno.errors.PermissionDenied} If a file
 * cannot be read; the message says which.
 */
export function readCertifiedKey({ cert, key }: TlsSettings): CertifiedKey {
  return {
    cert: readPem("certificate", cert),
    key: readPem("key", key),
  };
}

function readPem(what: "certificate" | "key", source: string): string {
  if (isPem(source)) return source;
  try {
    return Deno.readTextFileSync(source);
  } catch (error) {
    throw restate(error, (reason) => `Cannot read ${what} file: ${reason}`);
  }
}

function isPem(source: string): boolean {
  return source.includes("-----BEGIN");
}

/**
 * Binds a TCP address for TLS at once.
 *
 * @throws {TypeError} If the certificate or its key is of no use.
 */
export function listenTls(
  socket: TcpSocketOptions,
  { cert, key }: CertifiedKey,
  settings: TlsSettings,
): Deno.TlsListener {
  try {
    return Deno.listenTls({
      ...socket,
      cert,
      key,
      alpnProtocols: [...settings.alpn],
    });
  } catch (error) {
    const fault = faultOf(error, settings);
    if (fault === undefined) throw error;
    throw new TypeError(fault, { cause: error });
  }
}

/**
 * Tries a certificate out, on a port that nobody knows.
 *
 * @throws {TypeError} If the certificate or its key is of no use.
 */
export function tryCertifiedKey(
  socket: TcpSocketOptions,
  certifiedKey: CertifiedKey,
  settings: TlsSettings,
): void {
  try {
    listenTls({ ...socket, port: 0 }, certifiedKey, settings).close();
  } catch (error) {
    // That one port is granted does not mean that another is.
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}

/** What is wrong with a certificate, or `undefined` if the address is. */
function faultOf(error: unknown, settings: TlsSettings): string | undefined {
  const { message } = error as Error;
  const cert = nameOf("certificate", settings.cert);
  const key = nameOf("key", settings.key);
  if (message.includes("KeyMismatch")) {
    return `Cannot use ${key}: it does not fit the ${cert}`;
  }
  if (/no keys|key data|private key/i.test(message)) {
    return `Cannot use ${key}: it holds no private key in PEM that can be read`;
  }
  if (/certificate/i.test(message)) {
    return `Cannot use ${cert}: it holds no certificate in PEM that can be read`;
  }
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

/** The handshake of a connection that a listener for TLS accepted. */
export async function handshakeTls(conn: Deno.Conn): Promise<Deno.Conn> {
  await (conn as Deno.TlsConn).handshake();
  return conn;
}
