// Several listeners in one server, and what each of them is: its address, what
// the scope says of it, and that all are bound, or none.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { respond, serve } from "../../mod.ts";
import { http, pathApp } from "./_apps.ts";
import { RawClient } from "./_raw_client.ts";
import { bounded, netTest } from "./_testing.ts";

const QUIET = { log() {} };
const LOCAL = { hostname: "127.0.0.1", port: 0 };

netTest("a server answers at each of its addresses", async () => {
  await using server = serve(pathApp, { ...QUIET, listen: [LOCAL, LOCAL] });
  const ports = server.addrs.map((addr) => "port" in addr ? addr.port : 0);
  assertEquals(ports.length, 2);
  assert(ports[0] !== ports[1]);
  for (const port of ports) {
    using client = await RawClient.connect(port);
    await client.get(`/${port}`, "connection: close");
    assertEquals((await client.readResponse()).body, `/${port}`);
  }
});

netTest("addr and url are those of the first address", async () => {
  await using server = serve(pathApp, { ...QUIET, listen: [LOCAL, LOCAL] });
  const [first] = server.addrs;
  assertEquals(server.addr, first);
  assert(first.transport === "tcp");
  assertEquals(server.url, `http://127.0.0.1:${first.port}/`);
  assertEquals(first.secure, false);
});

netTest(
  "onListen is called once, with the first address and with all",
  async () => {
    const calls: unknown[] = [];
    const listening = Promise.withResolvers<void>();
    await using server = serve(pathApp, {
      ...QUIET,
      listen: [LOCAL, LOCAL],
      onListen: (...args) => {
        calls.push(args);
        listening.resolve();
      },
    });
    await listening.promise;
    assertEquals(calls, [[server.addr, server.addrs]]);
  },
);

netTest("where there is no onListen, every URL is logged", async () => {
  const logged = Promise.withResolvers<string>();
  await using server = serve(pathApp, {
    listen: [LOCAL, LOCAL],
    log: ({ level, message }) => {
      if (level === "info") logged.resolve(message);
    },
  });
  const urls = server.addrs.map((addr) =>
    `http://127.0.0.1:${"port" in addr ? addr.port : 0}/`
  );
  assertEquals(await logged.promise, `Listening on ${urls.join(", ")}`);
});

netTest("if one address is taken, the others are free again", () => {
  const taken = Deno.listen(LOCAL);
  const free = Deno.listen(LOCAL);
  const { port } = free.addr;
  free.close();
  try {
    assertThrows(
      () =>
        serve(pathApp, {
          ...QUIET,
          listen: [{ ...LOCAL, port }, { ...LOCAL, port: taken.addr.port }],
        }),
      Deno.errors.AddrInUse,
      `Cannot listen on 127.0.0.1:${taken.addr.port}: `,
    );
    Deno.listen({ ...LOCAL, port }).close();
  } finally {
    taken.close();
  }
});

netTest("one address can be given without a list", async () => {
  await using server = serve(pathApp, { ...QUIET, listen: LOCAL });
  assertEquals(server.addrs.length, 1);
});

netTest("a shutdown closes every address", async () => {
  const server = serve(pathApp, { ...QUIET, listen: [LOCAL, LOCAL] });
  await server.shutdown();
  for (const addr of server.addrs) {
    assert(addr.transport === "tcp");
    Deno.listen({ ...LOCAL, port: addr.port }).close();
  }
});

netTest("the scope names the address that the client came by", async () => {
  const app = http(async ({ server, scheme }, _receive, send) => {
    await respond(send, 200, { body: JSON.stringify([scheme, server]) });
  });
  await using server = serve(app, { ...QUIET, listen: [LOCAL, LOCAL] });
  for (const addr of server.addrs) {
    assert(addr.transport === "tcp");
    using client = await RawClient.connect(addr.port);
    await client.get("/", "connection: close");
    assertEquals(
      JSON.parse((await client.readResponse()).body),
      ["http", ["127.0.0.1", addr.port]],
    );
  }
});

netTest("a backlog can be given", async () => {
  await using server = serve(pathApp, { ...QUIET, port: 0, backlog: 1 });
  using client = await RawClient.connect(server.addr.port);
  await client.get("/", "connection: close");
  assertEquals((await client.readResponse()).status, 200);
});

const SHARE_PORT = `
  import { serve } from "${new URL("../../mod.ts", import.meta.url)}";
  const app = () => { throw new TypeError("Unknown scope"); };
  const options = { hostname: "127.0.0.1", reusePort: true, log() {} };
  try {
    const first = serve(app, { ...options, port: 0 });
    const second = serve(app, { ...options, port: first.addr.port });
    console.log("shared", first.addr.port === second.addr.port);
    await first.shutdown();
    await second.shutdown();
  } catch (error) {
    console.log(error.name + ": " + error.message);
  }
`;

netTest("reusePort shares a port, where Deno may", async () => {
  assertEquals(await run(["--unstable-net"], SHARE_PORT), "shared true\n");
}, { permissions: ["run"] });

netTest("reusePort without Deno's flag is an error that says so", async () => {
  assertEquals(
    await run([], SHARE_PORT),
    'NotSupported: Cannot serve: option "reusePort" needs Deno\'s flag --unstable-net\n',
  );
}, { permissions: ["run"] });

/** What a script prints in a process of its own. */
async function run(args: readonly string[], script: string): Promise<string> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", "--no-check", ...args, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const { stdout } = await bounded(process.output(), "the script");
    return new TextDecoder().decode(stdout);
  } catch (error) {
    process.kill("SIGKILL");
    throw error;
  }
}
