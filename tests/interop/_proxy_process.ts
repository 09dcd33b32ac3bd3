// A proxy that a test configures itself, in a process and a folder of its own.

import { createCertificate } from "../e2e/_certificates.ts";
import { bounded, granted, pause, until } from "../e2e/_testing.ts";
import { unawaited } from "../_unawaited.ts";

const START_TIMEOUT_MS = 10_000;

/** What a configuration is written with. */
export interface ProxySetup {
  /** The folder, with `cert.pem`, `key.pem` and `both.pem`. */
  readonly folder: string;
  /** A free port. */
  readonly port: number;
}

/** A program that is started with a configuration. */
export interface ProxyProgram {
  /** Its name. */
  readonly name: string;
  /** The text of its configuration. */
  config(setup: ProxySetup): string;
  /** Its arguments; the configuration is in `config` in the folder. */
  args(folder: string): string[];
}

/** Why a program cannot be started here; `undefined` if it can. */
export function lacksProgram(name: string): string | undefined {
  if (!granted("run")) return undefined; // Ignored for that.
  try {
    new Deno.Command(name, { args: ["-v"], stdout: "null", stderr: "null" })
      .outputSync();
    return undefined;
  } catch {
    return `${name} is not installed`;
  }
}

/** A proxy that runs. */
export class ProxyProcess implements AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
  /** The certificate that clients must trust. */
  readonly cert: string;
  readonly #folder: string;
  readonly #process: Deno.ChildProcess;

  private constructor(
    { folder, port }: ProxySetup,
    cert: string,
    process: Deno.ChildProcess,
  ) {
    this.port = port;
    this.cert = cert;
    this.#folder = folder;
    this.#process = process;
  }

  /** Starts one, and waits until it listens. */
  static async start(program: ProxyProgram): Promise<ProxyProcess> {
    const folder = await Deno.makeTempDir();
    const setup = { folder, port: freePort() };
    const { cert, key } = await createCertificate();
    await Deno.writeTextFile(`${folder}/cert.pem`, cert);
    await Deno.writeTextFile(`${folder}/key.pem`, key);
    await Deno.writeTextFile(`${folder}/both.pem`, cert + key);
    await Deno.writeTextFile(`${folder}/config`, program.config(setup));
    const process = new Deno.Command(program.name, {
      args: program.args(folder),
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const proxy = new ProxyProcess(setup, cert, process);
    try {
      await proxy.#listens(program.name);
      return proxy;
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #listens(name: string): Promise<void> {
    let ended = false;
    unawaited(this.#process.status.then(() => ended = true));
    const listening = until(async () => ended || await answers(this.port));
    await bounded(listening, `${name} to listen`, START_TIMEOUT_MS);
    if (ended) throw new Error(`Cannot start ${name}: see its output`);
  }
}

/** A port that was free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    await pause(20);
    return false;
  }
}
