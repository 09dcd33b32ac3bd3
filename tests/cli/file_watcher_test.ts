// Which files count as changed. That changes are noticed, the tests of --reload
// show.

import { assertEquals } from "@std/assert";
import { hasChanged } from "../../src/cli/file_watcher.ts";
import { granted } from "../e2e/_testing.ts";

Deno.test({
  name: "hasChanged takes no file of the future for one that has changed",
  ignore: !granted("read") || !granted("write"),
  fn() {
    const path = Deno.makeTempFileSync();
    const now = Date.now();
    const changed = [-3_600_000, -1000, 3_600_000].map((ms) => {
      Deno.utimeSync(path, new Date(now), new Date(now + ms));
      return hasChanged(path, now - 60_000);
    });
    Deno.removeSync(path);
    assertEquals(changed, [false, true, false]);
    assertEquals(hasChanged(path, now), false);
  },
});
