// What hostile clients attack: a server in a process of its own (`_server.ts`),
// whose memory and descriptors are watched, and honest clients beside.

import { assertEquals } from "@std/assert";
import type { ServeOptions } from "../../mod.ts";
import type { TestCertificate } from "../e2e/_certificates.ts";
import { connectTls } from "../e2e/_other_clients.ts";
import { RawClient, webSocketRequest } from "../e2e/_raw_client.ts";
import { lacksProc, ServerProcess } from "../e2e/_server_process.ts";
import { bounded, pause } from "../e2e/_testing.ts";
import { HostileClient } from "./_client.ts";
import type { State } from "./_states.ts";

const SCRIPT = new URL("./_server.ts", import.meta.url);
/** Bounds that a server meets by far, unless it is held up. */
const ANSWER_MS = 10_000;
const RECOVERY_MS = 15_000;

/** How a client connects: in clear, or over TLS in one way or the other. */
export type Security = "clear" | "TLS" | "TLS without delay";

/** What a server holds, besides what a client needs to ask for it. */
export type Vitals = Readonly<Record<string, number>>;

/** A server that is attacked. */
export class Target implements AsyncDisposable {
  readonly #process: ServerProcess;
  readonly #certificate: TestCertificate;
  readonly #ports: Readonly<Record<Security | "PROXY", number>>;

  private constructor(process: ServerProcess, certificate: TestCertificate) {
    const [clear, tls, noDelay, proxies] = JSON.parse(process.firstLine);
    this.#process = process;
    this.#certificate = certificate;
    this.#ports = {
      "clear": clear,
      "TLS": tls,
      "TLS without delay": noDelay,
      "PROXY": proxies,
    };
  }

  /** Starts one. */
  static async start(
    certificate: TestCertificate,
    options: ServeOptions = {},
  ): Promise<Target> {
    const { cert, key } = certificate;
    const process = await ServerProcess.spawn({
      script: SCRIPT,
      args: [cert, key, JSON.stringify(options)],
      keepsErrors: true,
    });
    const target = new Target(process, certificate);
    await target.#warmUp();
    return target;
  }

  /** Lets the server load what it loads late: WebSocket, TLS, its timers. */
  async #warmUp(): Promise<void> {
    using _idle = await this.#connect("clear");
    for (const security of ["clear", "TLS", "TLS without delay"] as const) {
      using client = await this.#connect(security);
      await client.send(webSocketRequest("/close"));
      await client.readHead();
      await this.probe(security);
    }
    for (;;) {
      const { timers, webSockets } = await this.vitals();
      if (timers > 0 && webSockets === 0) return;
      await pause(10);
    }
  }

  /** Connects a hostile client, and brings it to a state. */
  async attack(
    { listener, steps }: State,
    { security, bytewise }: { security: Security; bytewise?: boolean },
  ): Promise<HostileClient> {
    const speaksTls = security !== "clear" && listener === undefined;
    const trusted = speaksTls ? this.#certificate.cert : undefined;
    const port = this.#ports[listener === "PROXY" ? "PROXY" : security];
    const client = await HostileClient.connect({ port, trusted, bytewise });
    for (const [sent, awaited] of steps) {
      await (bytewise ? client.sendBytewise(sent) : client.send(sent));
      if (awaited !== undefined) await client.readUntil(awaited);
    }
    return client;
  }

  /** What an honest client asks for, it must get. */
  async probe(security: Security): Promise<void> {
    using client = await this.#connect(security);
    await client.get("/", "connection: close");
    const response = bounded(client.readResponse(), "a response", ANSWER_MS);
    assertEquals((await response).body, "served");
  }

  /** What the server holds now. */
  async vitals(): Promise<Vitals> {
    using client = await this.#connect("clear");
    await client.get("/vitals", "connection: close");
    const { body } = await bounded(client.readResponse(), "vitals", ANSWER_MS);
    // Other descriptors are the runtime's, and come when it likes.
    const sockets = lacksProc() === undefined
      ? this.#process.networkSockets()
      : 0;
    return { ...JSON.parse(body), sockets };
  }

  /** Waits until the server holds no more than it did before, of what is named. */
  async recovered(
    before: Vitals,
    what = Object.keys(before),
  ): Promise<void> {
    const end = performance.now() + RECOVERY_MS;
    for (;;) {
      const now = await this.vitals();
      if (what.every((name) => now[name] <= before[name])) return;
      if (performance.now() > end) return assertEquals(now, before);
      await pause(10);
    }
  }

  /**
   * Shuts the server down: it must end by itself, and have said nothing but what
   * is expected.
   */
  async end(expected: RegExp): Promise<void> {
    const ended = await this.#process.stop();
    const records = (await this.#process.errors()).split(/\n(?! )/);
    const others = records.filter((record) => !expected.test(record));
    assertEquals(others.join("\n"), "");
    assertEquals(ended, true);
  }

  /** Ends the process, if it still runs. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }

  #connect(security: Security): Promise<RawClient> {
    const port = this.#ports[security];
    return security === "clear"
      ? RawClient.connect(port)
      : connectTls(port, this.#certificate);
  }
}
