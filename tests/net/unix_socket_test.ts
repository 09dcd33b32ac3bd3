// Binding unix sockets: the mode of the file, and which files are replaced.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { listenUnix } from "../../src/net/unix_socket.ts";
import { netTest, type NetTestOptions } from "../e2e/_testing.ts";

const OPTIONS: NetTestOptions = {
  permissions: ["read", "write"],
  lacks: Deno.build.os === "windows" ? "there are no unix sockets" : undefined,
};

function unixTest(name: string, fn: (path: string) => void): void {
  netTest(`listenUnix() ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      fn(`${folder}/app.sock`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }, OPTIONS);
}

unixTest("makes the file with the mode that is asked for", (path) => {
  using _listener = listenUnix({ path, mode: 0o640 });
  const { isSocket, mode } = Deno.lstatSync(path);
  assertEquals([isSocket, mode! & 0o777], [true, 0o640]);
});

unixTest("replaces the file of a server that has ended", (path) => {
  const killed = listenUnix({ path: `${path}.bound`, mode: undefined });
  // It cannot remove the file that it has made, as if it was killed.
  Deno.renameSync(`${path}.bound`, path);
  killed.close();
  assert(Deno.lstatSync(path).isSocket);
  using _listener = listenUnix({ path, mode: undefined });
});

unixTest("does not replace the file of a server that listens", (path) => {
  using _listener = listenUnix({ path, mode: undefined });
  assertThrows(
    () => listenUnix({ path, mode: undefined }),
    Deno.errors.AddrInUse,
    "a server listens there",
  );
});

unixTest("does not touch a file that is no socket", (path) => {
  Deno.writeTextFileSync(path, "text");
  assertThrows(
    () => listenUnix({ path, mode: undefined }),
    Deno.errors.AlreadyExists,
  );
  assertEquals(Deno.readTextFileSync(path), "text");
});
