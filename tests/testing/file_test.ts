// Files for `http.response.pathsend`.

import { assertEquals, assertRejects } from "@std/assert";
import { openFile } from "../../src/testing/_file.ts";
import { netTest } from "../e2e/_testing.ts";

netTest(
  "openFile() of the test client reads from where it seeks to",
  async () => {
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(path, "abcdef");
      using file = await openFile(path);
      const target = new Uint8Array(4);
      assertEquals(await file.read(target), 4);
      assertEquals(await file.read(target), 2);
      assertEquals(await file.read(target), null);
      await file.seek?.(3, 0);
      assertEquals(await file.read(target), 3);
      assertEquals(new TextDecoder().decode(target.subarray(0, 3)), "def");
    } finally {
      await Deno.remove(path);
    }
  },
  { permissions: ["read", "write"] },
);

netTest(
  "openFile() of the test client rejects if there is no file",
  async () => {
    await assertRejects(() => openFile("/no/file"), Error, "ENOENT");
  },
  { permissions: ["read"] },
);
