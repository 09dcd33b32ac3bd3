// What `--help` prints.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FLAG_GROUPS } from "../../src/cli/flags.ts";
import { helpText, usageOf } from "../../src/cli/help.ts";
import { VERSION } from "../../src/cli/version.ts";

const FLAGS = FLAG_GROUPS.flatMap(({ flags }) => flags);

Deno.test("the help has every flag with its default, in 80 columns", () => {
  const help = helpText({ color: false });
  const words = help.replaceAll(/\s+/g, " ");
  for (const flag of FLAGS) {
    const preset = flag.default === undefined ? "" : ` [${flag.default}]`;
    const entry = `${usageOf(flag)} ${flag.text}${preset}`;
    assert(words.includes(entry), `The help lacks: ${entry}`);
  }
  assert(words.includes("-h, --help") && words.includes("-V, --version"));
  const long = help.split("\n").filter(({ length }) => length > 80);
  assertEquals(long, []);
});

Deno.test("the help is coloured only if asked to", () => {
  const escape = String.fromCharCode(0x1b);
  assertEquals(helpText({ color: false }).includes(escape), false);
  const coloured = helpText({ color: true });
  assert(coloured.includes(escape));
  // deno-lint-ignore no-control-regex
  const bare = coloured.replaceAll(/\x1b\[\d+m/g, "");
  assertEquals(bare, helpText({ color: false }));
});

Deno.test("the help begins with the version", () => {
  assertMatch(helpText({ color: false }), new RegExp(`^x-asgi ${VERSION},`));
});
