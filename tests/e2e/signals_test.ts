// Signals, sent to a server in a process of its own: the first one lets
// responses end, the second cuts them, and SIGHUP changes certificates.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { createCertificate } from "./_certificates.ts";
import { connectTls, TestFolder } from "./_other_clients.ts";
import { RawClient } from "./_raw_client.ts";
import { bounded, netTest } from "./_testing.ts";

const SCRIPT = `
  import { serve } from ${
  JSON.stringify(new URL("../../mod.ts", import.meta.url).href)
};
  const app = async (scope, receive, send) => {
    if (scope.type === "lifespan") {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      console.log("stopped");
      return await send({ type: "lifespan.shutdown.complete" });
    }
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "a", more_body: true });
    if (scope.path === "/wait") {
      while ((await receive()).type !== "http.disconnect");
    } else if (scope.path === "/notice") {
      const { signal } = scope.extensions["server.shutdown"];
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    }
    await send({ type: "http.response.body", body: "b" });
  };
  const [cert, key] = Deno.args;
  const tls = cert === undefined ? undefined : { cert, key };
  const server = serve(app, {
    port: 0, tls, signals: true,
    log({ level, message }) { if (level !== "debug") console.log(message); },
  });
  await server.finished;
  console.log("finished");
`;

/** The script in a process of its own. */
class SignalledServer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;
  /** All that it has printed. */
  printed = "";

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    const decoder = new TextDecoderStream();
    this.#output = process.stdout.pipeThrough(
      decoder as TransformStream<Uint8Array, string>,
    ).getReader();
  }

  static async start(
    folder: TestFolder,
    ...args: string[]
  ): Promise<SignalledServer> {
    const script = folder.file("server.js", SCRIPT);
    const server = new SignalledServer(
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", script, ...args],
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn(),
    );
    await server.waitFor("Listening on ");
    return server;
  }

  get port(): number {
    return Number(/:([0-9]+)\/\n/.exec(this.printed)?.[1]);
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.port);
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits until it has printed a text, and the rest of its line. */
  waitFor(text: string): Promise<void> {
    return bounded(this.#readUntil(text), `"${text}" of ${this.printed}`);
  }

  /** Its exit code, once it has ended. */
  async end(): Promise<number> {
    const { code } = await bounded(this.#process.status, "the server's end");
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await this.#output.cancel();
  }

  async #readUntil(text: string): Promise<void> {
    while (!this.printed.split(text).slice(1).join("").includes("\n")) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`Cannot find "${text}" in: ${this.printed}`);
      this.printed += value;
    }
  }
}

function signalTest(
  name: string,
  fn: (folder: TestFolder) => Promise<void>,
): void {
  netTest(name, async () => {
    using folder = new TestFolder();
    await fn(folder);
  }, {
    permissions: ["read", "write", "run"],
    lacks: Deno.build.os === "windows"
      ? "processes cannot be sent these signals here"
      : undefined,
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  signalTest(
    `${signal} lets responses end, and then the process`,
    async (folder) => {
      await using server = await SignalledServer.start(folder);
      using client = await server.connect();
      await client.get("/notice");
      await client.readHead();
      assertEquals(await client.readChunk(), "a");
      server.kill(signal);
      assertEquals(await client.readChunk(), "b");
      assertEquals(await client.readChunk(), "");
      client.close();
      await server.waitFor("finished");
      assertEquals(await server.end(), 0);
      assertStringIncludes(server.printed, `Received ${signal}: shutting down`);
      assertStringIncludes(server.printed, "stopped\nfinished\n");
    },
  );
}

signalTest("a second signal cuts what is left", async (folder) => {
  await using server = await SignalledServer.start(folder);
  using client = await server.connect();
  await client.get("/wait");
  await client.readHead();
  server.kill("SIGINT");
  await server.waitFor("Received SIGINT: shutting down");
  server.kill("SIGTERM");
  await client.waitForClose();
  await server.waitFor("finished");
  assertEquals(await server.end(), 0);
  assertStringIncludes(
    server.printed,
    "Received SIGTERM: cutting what is left",
  );
  assertStringIncludes(server.printed, "stopped\nfinished\n");
});

signalTest(
  "SIGHUP changes the certificate, and drops no connection",
  async (folder) => {
    const [one, two] = [
      await createCertificate("one"),
      await createCertificate("two"),
    ];
    const cert = folder.file("cert.pem", one.cert);
    const key = folder.file("key.pem", one.key);
    await using server = await SignalledServer.start(folder, cert, key);
    using before = await connectTls(server.port, one);
    await before.get("/1");
    await before.readResponse();
    folder.file("cert.pem", two.cert);
    server.kill("SIGHUP");
    await server.waitFor("Cannot reload certificates");
    folder.file("key.pem", two.key);
    server.kill("SIGHUP");
    await server.waitFor("certificates reloaded");
    using after = await connectTls(server.port, two);
    await after.get("/", "connection: close");
    assertEquals((await after.readResponse()).body, "ab");
    await before.get("/2");
    assertEquals((await before.readResponse()).body, "ab");
  },
);
