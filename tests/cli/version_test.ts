// The version of the package.

import { assertEquals } from "@std/assert";
import { VERSION } from "../../src/cli/version.ts";
import { granted } from "../e2e/_testing.ts";

Deno.test({
  name: "the version is that of deno.json",
  ignore: !granted("read"),
  fn() {
    const text = Deno.readTextFileSync(
      new URL("../../deno.json", import.meta.url),
    );
    assertEquals(VERSION, JSON.parse(text).version);
  },
});
