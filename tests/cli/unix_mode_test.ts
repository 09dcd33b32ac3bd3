// The permissions of a unix socket are set under a umask, and Deno lets only
// those change it who may see all of the system.

import { assertEquals, assertMatch } from "@std/assert";
import { commandTest, folder, run } from "./_command.ts";

commandTest("names the permission that --unix-mode needs", async () => {
  await using app = await folder({ "main.ts": "export default () => {};" });
  const socket = `${app.path}/app.sock`;
  const { code, stderr } = await run(
    ["main.ts", "--unix", socket, "--unix-mode", "660"],
    {
      cwd: app.path,
      permissions: [
        `--allow-net=unix:${socket}`,
        `--allow-read=${app.path}`,
        `--allow-write=${socket}`,
      ],
    },
  );
  assertEquals(code, 1);
  assertMatch(stderr, /run again with --allow-sys\n$/);
});
