// Unix sockets: served like TCP, with a file that has its mode, takes the place
// of a dead server's, never that of anything else, and is gone at the end.

import { assertEquals, assertThrows } from "@std/assert";
import { respond, serve, type ServeOptions } from "../../mod.ts";
import { http, pathApp } from "./_apps.ts";
import { connectUnix, exists, TestFolder } from "./_other_clients.ts";
import { bounded, granted, netTest } from "./_testing.ts";

const QUIET: ServeOptions = { log() {} };
const WINDOWS = Deno.build.os === "windows";

function unixTest(
  name: string,
  fn: (path: string) => Promise<void> | void,
  more: readonly "run"[] = [],
): void {
  netTest(name, async () => {
    using folder = new TestFolder();
    await fn(folder.file("server.sock"));
  }, {
    permissions: ["read", "write", ...more],
    lacks: WINDOWS ? "there are no unix sockets here" : undefined,
  });
}

unixTest(
  "a server answers at a unix socket, and says where it is",
  async (path) => {
    const app = http(async ({ client, server, scheme }, _receive, send) => {
      const body = JSON.stringify({ client, server, scheme });
      await respond(send, 200, { body });
    });
    await using server = serve(app, { ...QUIET, listen: { path } });
    assertEquals(server.addr, { transport: "unix", path });
    assertEquals(server.url, `unix:${path}`);
    using client = await connectUnix(path);
    await client.get("/", "connection: close");
    assertEquals(JSON.parse((await client.readResponse()).body), {
      client: null,
      server: [path, null],
      scheme: "http",
    });
  },
);

unixTest("a unix socket and a port are served together", async (path) => {
  await using server = serve(pathApp, {
    ...QUIET,
    listen: [{ path }, { port: 0 }],
  });
  assertEquals(server.addrs.map(({ transport }) => transport), ["unix", "tcp"]);
  using client = await connectUnix(path);
  await client.get("/a", "connection: close");
  assertEquals((await client.readResponse()).body, "/a");
});

unixTest("the file of a unix socket is gone at the end", async (path) => {
  const server = serve(pathApp, { ...QUIET, listen: { path } });
  assertEquals(exists(path), true);
  await server.shutdown();
  assertEquals(exists(path), false);
});

unixTest("the file is gone if another address is taken", (path) => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  assertThrows(
    () => serve(pathApp, { ...QUIET, listen: [{ path }, { port }] }),
    Deno.errors.AddrInUse,
  );
  assertEquals(exists(path), false);
});

netTest(
  "the file has the mode that is asked for, and the umask stays",
  async () => {
    using folder = new TestFolder();
    const umask = Deno.umask();
    for (const mode of [0o600, 0o660, 0o666]) {
      const path = folder.file(`${mode}.sock`);
      await using _server = serve(pathApp, {
        ...QUIET,
        listen: { path, mode },
      });
      assertEquals((await Deno.stat(path)).mode! & 0o777, mode);
      assertEquals(Deno.umask(), umask);
    }
  },
  {
    permissions: ["read", "write"],
    lacks: WINDOWS || !granted("sys") ? "the umask cannot be read" : undefined,
  },
);

unixTest("a file that a live server listens at is taken", async (path) => {
  await using _server = serve(pathApp, { ...QUIET, listen: { path } });
  assertThrows(
    () => serve(pathApp, { ...QUIET, listen: { path } }),
    Deno.errors.AddrInUse,
    `Cannot listen on ${path}: a server listens there`,
  );
  using client = await connectUnix(path);
  await client.get("/", "connection: close");
  assertEquals((await client.readResponse()).status, 200);
});

unixTest("the file of a server that was killed is replaced", async (path) => {
  const killed = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `Deno.listen({ transport: "unix", path: ${JSON.stringify(path)} });
      Deno.kill(Deno.pid, "SIGKILL");`,
    ],
  });
  await bounded(killed.output(), "the script to be killed");
  assertEquals(exists(path), true, "A killed server leaves its file");
  await using _server = serve(pathApp, { ...QUIET, listen: { path } });
  using client = await connectUnix(path);
  await client.get("/", "connection: close");
  assertEquals((await client.readResponse()).status, 200);
}, ["run"]);

unixTest("a file that is no socket is never replaced", (path) => {
  Deno.writeTextFileSync(path, "precious");
  assertThrows(
    () => serve(pathApp, { ...QUIET, listen: { path } }),
    Deno.errors.AlreadyExists,
    `Cannot listen on ${path}: there is a file that is no socket`,
  );
  assertEquals(Deno.readTextFileSync(path), "precious");
});

unixTest(
  "a folder that is not there is an error that names the path",
  (path) => {
    assertThrows(
      () => serve(pathApp, { ...QUIET, listen: { path: `${path}/none` } }),
      Deno.errors.NotFound,
      `Cannot listen on ${path}/none: `,
    );
  },
);
