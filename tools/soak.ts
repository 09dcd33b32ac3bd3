// What `deno task soak` runs: `tests/soak/soak.ts` with whatever arguments
// follow, on networks with JSR and without. Its exit code is that of the soak.

import { chooseJsr } from "./_jsr.ts";

await chooseJsr();
const soak = new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", "tests/soak/soak.ts", ...Deno.args],
  cwd: new URL("..", import.meta.url),
});
const { code } = await soak.spawn().status;
Deno.exit(code);
