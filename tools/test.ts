// What `deno task test` runs: `deno test -A` with whatever arguments follow
// (files, `--filter`, `--coverage=DIR`), on networks with JSR and without. Its
// exit code is that of the tests.

import { chooseJsr } from "./_jsr.ts";

await chooseJsr();
const test = new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", ...Deno.args],
  cwd: new URL("..", import.meta.url),
});
const { code } = await test.spawn().status;
Deno.exit(code);
