// Clients that connect and reset before the server accepts them: each fails an
// accept, which must cost nobody else anything.

import { assertEquals } from "@std/assert";
import { connectAndReset } from "./_reset.ts";
import { lacksProc, ServerProcess } from "./_server_process.ts";
import { bounded, netTest } from "./_testing.ts";

/** As many as wait to be accepted by default, and fewer. */
const RESETS = 300;

netTest(
  "clients that connect and reset hold up nobody, and cost nobody a connection",
  async () => {
    await using server = await ServerProcess.start();
    using idle = await server.connect();
    await idle.get("/sent");
    await idle.readResponse();
    server.kill("SIGSTOP"); // It accepts none of them before it is reset.
    const resets: Promise<void>[] = [];
    for (let i = 0; i < RESETS; i++) resets.push(connectAndReset(server.port));
    await Promise.all(resets);
    server.kill("SIGCONT");
    await bounded(server.get("/sent"), "another client's response", 10_000);
    await idle.get("/sent");
    assertEquals((await idle.readResponse()).status, 200);
    assertEquals(await server.stop(), true);
  },
  { permissions: ["run", "read"], lacks: lacksProc() },
);
