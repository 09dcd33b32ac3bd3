// Signals, sent to a server in a process of its own: the first one lets
// responses end, the second cuts them, and SIGHUP changes certificates.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { createCertificate } from "./_certificates.ts";
import { connectTls, TestFolder } from "./_other_clients.ts";
import { RawClient } from "./_raw_client.ts";
import { netTest } from "./_testing.ts";
import { TestProcess } from "../_process.ts";

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
class SignalledServer extends TestProcess {
  #port = 0;

  static async start(
    folder: TestFolder,
    ...args: string[]
  ): Promise<SignalledServer> {
    const script = folder.file("server.js", SCRIPT);
    const server = new SignalledServer(
      [Deno.execPath(), "run", "-A", "--no-check", script, ...args],
    );
    const [, port] = await server.printed(/Listening on .*:([0-9]+)\/\n/);
    server.#port = Number(port);
    return server;
  }

  get port(): number {
    return this.#port;
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.port);
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
      const { code, stdout } = await server.end();
      assertEquals(code, 0);
      assertStringIncludes(stdout, `Received ${signal}: shutting down`);
      assertStringIncludes(stdout, "stopped\nfinished\n");
    },
  );
}

signalTest("a second signal cuts what is left", async (folder) => {
  await using server = await SignalledServer.start(folder);
  using client = await server.connect();
  await client.get("/wait");
  await client.readHead();
  server.kill("SIGINT");
  await server.printed(/Received SIGINT: shutting down.*\n/);
  server.kill("SIGTERM");
  await client.waitForClose();
  const { code, stdout } = await server.end();
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Received SIGTERM: cutting what is left");
  assertStringIncludes(stdout, "stopped\nfinished\n");
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
    await server.printed(/Cannot reload certificates.*\n/);
    folder.file("key.pem", two.key);
    server.kill("SIGHUP");
    await server.printed(/certificates reloaded.*\n/);
    using after = await connectTls(server.port, two);
    await after.get("/", "connection: close");
    assertEquals((await after.readResponse()).body, "ab");
    await before.get("/2");
    assertEquals((await before.readResponse()).body, "ab");
  },
);
