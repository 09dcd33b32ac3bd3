// Raw clients over what is no plain TCP, and the file names that they need.

import type { TestCertificate } from "./_certificates.ts";
import { RawClient } from "./_raw_client.ts";

/** Connects over TLS; `trusted` is the one certificate that is accepted. */
export async function connectTls(
  port: number,
  trusted: TestCertificate,
  alpnProtocols?: string[],
): Promise<RawClient> {
  const conn = await Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [trusted.cert],
    alpnProtocols,
  });
  try {
    await conn.handshake();
  } catch (error) {
    conn[Symbol.dispose]();
    throw error;
  }
  return asClient(conn);
}

/** Connects to a unix socket. */
export async function connectUnix(path: string): Promise<RawClient> {
  return asClient(await Deno.connect({ transport: "unix", path }));
}

/** A raw client needs no more of a connection than all of them have. */
function asClient(conn: Deno.Conn): RawClient {
  return new RawClient(conn as Deno.TcpConn);
}

/** A folder of its own for a test, which is removed with all that it holds. */
export class TestFolder implements Disposable {
  /** Its path. */
  readonly path: string = Deno.makeTempDirSync({ prefix: "asgi_" });

  /** The path of a file in it, which is written if there is text for it. */
  file(name: string, text?: string): string {
    const path = `${this.path}/${name}`;
    if (text !== undefined) Deno.writeTextFileSync(path, text);
    return path;
  }

  /** Removes it. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Whether a file is there. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
