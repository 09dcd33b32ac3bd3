// Supervisors that are killed, and can stop nothing any more: none of their
// workers may stay, whatever it does.

import { assertEquals } from "@std/assert";
import { pause } from "../e2e/_testing.ts";
import {
  CommandProcess,
  PID_APP,
  processesWith,
  processTest,
} from "./_command_process.ts";

/** Never gives the event loop back once it was asked for /busy. */
const BUSY_APP = PID_APP.replace(
  `scope.path === "/slow"`,
  `scope.path === "/busy") { console.error("is busy"); for (;;); } if (false`,
);

/** Kills the supervisor, and waits until no worker is there. */
async function killSupervisor(command: CommandProcess): Promise<void> {
  command.kill("SIGKILL");
  while (processesWith(command.folder).length > 0) await pause(50);
}

processTest("Workers end when their supervisor is killed", async () => {
  await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
  await command.workersReady(2);
  const { port } = new URL(command.url);
  await killSupervisor(command);
  assertEquals(command.workers.length, 2);
  Deno.listen({ hostname: "127.0.0.1", port: Number(port) }).close();
});

processTest(
  "A worker ends when its supervisor is killed with messages unread",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.workersReady(2);
    command.kill("SIGSTOP");
    // Each asks the supervisor to replace it.
    for (const pid of command.workers) Deno.kill(pid, "SIGTERM");
    await pause(200);
    await killSupervisor(command);
  },
);

processTest("A busy worker ends when its supervisor is killed", async () => {
  await using command = await CommandProcess.start(BUSY_APP, ["--workers=2"]);
  await command.workersReady(2);
  const busy = command.get("busy").catch(() => "cut");
  await command.logs(/is busy/);
  await killSupervisor(command);
  assertEquals(await busy, "cut");
});

processTest(
  "A worker that starts ends when its supervisor is killed",
  async () => {
    const app = 'console.error("is busy"); for (;;);';
    await using command = await CommandProcess.start(app, ["--workers=2"]);
    await command.logs(/is busy/);
    await killSupervisor(command);
  },
);

processTest("No worker stays, whenever its supervisor is killed", async () => {
  for (let afterMs = 0; afterMs < 400; afterMs += 80) {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.logs(/in 2 workers/);
    await pause(afterMs);
    await killSupervisor(command);
  }
});
