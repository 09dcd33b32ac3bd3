// A proxy that a test configures itself, in a process and a folder of its own.

import { createCertificate } from "../e2e/_certificates.ts";
import { freePort } from "../_ports.ts";
import { endProgram, startProgram } from "./_program.ts";

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
    const process = await startProgram(
      program.name,
      program.args(folder),
      { port: setup.port },
    );
    return new ProxyProcess(setup, cert, process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endProgram(this.#process, "SIGKILL");
    await Deno.remove(this.#folder, { recursive: true });
  }
}
