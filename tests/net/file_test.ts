// Files that responses are made of.

import { assertEquals, assertRejects } from "@std/assert";
import { openFile } from "../../src/net/file.ts";
import { netTest } from "../e2e/_testing.ts";

netTest("openFile() opens a file for reading", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "text");
    using file = await openFile(path);
    const bytes = new Uint8Array(8);
    assertEquals(await file.read(bytes), 4);
    await assertRejects(() => file.write(bytes));
  } finally {
    await Deno.remove(path);
  }
}, { permissions: ["read", "write"] });

netTest("openFile() rejects if there is no file", async () => {
  await assertRejects(() => openFile("/no/file"), Deno.errors.NotFound);
}, { permissions: ["read"] });
