// What --reload does where real processes would need luck: with workers that
// are none, and modules that are read as a test says.

import { assertEquals } from "@std/assert";
import type { ModuleGraph } from "../../src/cli/module_graph.ts";
import { Reloader } from "../../src/cli/reloader.ts";
import { bounded, granted, until } from "../e2e/_testing.ts";
import { FakeSpawner } from "./_fake_workers.ts";

const SOUND: ModuleGraph = { files: [import.meta.filename!], errors: [] };

/** Declares a test that watches this file. */
function reloaderTest(name: string, fn: () => Promise<void>): void {
  const ignore = !granted("read") || !granted("write");
  Deno.test({ name, ignore, fn: () => bounded(fn(), `the test "${name}"`) });
}

/** Starts a reloader whose first modules are read so; later ones are sound. */
function start(graphs: (() => Promise<ModuleGraph>)[] = []) {
  const spawner = new FakeSpawner();
  const said: string[] = [];
  const reloader = new Reloader({
    spawn: spawner.spawn,
    overlap: true,
    readGraph: () => graphs.shift()?.() ?? Promise.resolve(SOUND),
    paths: [],
    log: ({ message }) => said.push(message),
  });
  return { reloader, ended: reloader.run(), graphs, said, ...spawner };
}

reloaderTest("Reloader serves on when modules cannot be read", async () => {
  const { reloader, ended, graphs, said, workers } = start();
  using _reloader = reloader;
  await until(() => workers.length === 1);
  await workers[0].ready();
  graphs.push(() => Promise.reject(new Error("no modules")));
  reloader.reload("once more");
  await until(() => said.includes("no modules"));
  assertEquals(said.slice(-3), [
    "once more",
    "no modules",
    "Waiting for a change; the application from before serves on",
  ]);
  reloader.reload("again");
  await until(() => workers.length === 2);
  await workers[1].ready();
  await until(() => workers[0].isDraining);
  await workers[0].end();
  reloader.stop();
  await until(() => workers[1].isDraining);
  await workers[1].end();
  await ended;
});

reloaderTest(
  "Reloader notices a change of a new file while the modules are read",
  async () => {
    const path = await Deno.makeTempFile();
    try {
      const { reloader, ended, workers } = start([
        async () => {
          await Deno.writeTextFile(path, "export {};");
          return { files: [path], errors: ["It is not there"] };
        },
      ]);
      using _reloader = reloader;
      await until(() => workers.length === 1);
      await workers[0].ready();
      reloader.stop();
      await until(() => workers[0].isDraining);
      await workers[0].end();
      await ended;
    } finally {
      await Deno.remove(path);
    }
  },
);
