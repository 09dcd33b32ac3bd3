// Workers that hang are found: with workers that are no processes, and with
// processes that are stopped, or loop for ever.

import { assert, assertEquals } from "@std/assert";
import { withHeartbeat } from "../../src/cli/heartbeat.ts";
import type { LogRecord } from "../../src/logs/records.ts";
import { pause, until } from "../e2e/_testing.ts";
import {
  CommandProcess,
  isAlive,
  PID_APP,
  processTest,
} from "./_command_process.ts";
import { FakeSpawner, type FakeWorker } from "./_fake_workers.ts";

/** Starts a fake worker with a heartbeat. */
function start(timeout: number) {
  const spawner = new FakeSpawner();
  const records: LogRecord[] = [];
  const log = (record: LogRecord) => records.push(record);
  withHeartbeat(spawner.spawn, { timeout, log })(() => {});
  return { worker: spawner.workers[0], records };
}

/** Lets a worker answer from now on. */
function answer(worker: FakeWorker): void {
  worker.send = ({ type }) => {
    if (type === "ping") queueMicrotask(() => worker.say({ type: "pong" }));
  };
}

Deno.test("withHeartbeat kills a worker that does not answer, and says so once", async () => {
  const { worker, records } = start(50);
  await until(() => worker.killed);
  assertEquals(worker.sent, Array(5).fill({ type: "ping" }));
  const message = "Worker 1 is killed: it has not answered for 50ms";
  assertEquals(records, [{ level: "error", message }]);
});

Deno.test("withHeartbeat leaves a worker alone while it answers", async () => {
  const { worker } = start(50);
  answer(worker);
  await pause(200);
  assert(!worker.killed);
  worker.send = () => {};
  await until(() => worker.killed);
});

Deno.test("withHeartbeat takes every message for an answer", async () => {
  const { worker } = start(100);
  for (let time = 0; time < 20; time++) {
    await pause(10);
    worker.say({ type: "retire", reason: "it is tired" });
    if (worker.killed) break;
  }
  assert(!worker.killed);
  await worker.end();
});

Deno.test("withHeartbeat kills nobody for what the supervisor was late with", async () => {
  const { worker } = start(50);
  answer(worker);
  for (let time = 0; time < 5; time++) {
    const end = performance.now() + 100;
    while (performance.now() < end);
    await pause(0);
  }
  assert(!worker.killed);
  await worker.end();
});

Deno.test("withHeartbeat asks nobody when there is no timeout", () => {
  const { worker } = start(Infinity);
  assertEquals(worker.sent, []);
});

/** Loops for ever at /busy; where there is a file `loop`, at the start, too. */
const LOOP_APP = PID_APP.replace(
  `scope.path === "/slow"`,
  `scope.path === "/busy") for (;;); if (false`,
) + `
try {
  Deno.removeSync(import.meta.dirname + "/loop");
  for (;;);
} catch {}`;

// Long enough for processes that start and answer while the machine is busy.
const ARGS = ["--workers=2", "--worker-timeout=3s"];
/** Longer than that. */
const SUSPENDED_MS = 5000;

processTest("A worker that is stopped is killed and replaced", async () => {
  await using command = await CommandProcess.start(PID_APP, ARGS);
  await command.workersReady(2);
  const [stopped] = command.workers;
  Deno.kill(stopped, "SIGSTOP");
  await command.workersReady(3);
  assert(!isAlive(stopped));
  const message = `Worker ${stopped} is killed: it has not answered for 3s`;
  await command.logs(new RegExp(message));
});

processTest("A worker in an endless loop is killed and replaced", async () => {
  await using command = await CommandProcess.start(LOOP_APP, ARGS);
  await command.workersReady(2);
  assertEquals(await command.get("busy").catch(() => "cut"), "cut");
  await command.logs(/is killed/);
  await command.workersReady(3);
});

processTest(
  "A worker that hangs at its start is killed and replaced",
  async () => {
    await using command = await CommandProcess.start(LOOP_APP, ARGS, {
      files: { loop: "" },
    });
    await command.logs(/is killed/);
    await command.workersReady(2);
  },
);

processTest(
  "A worker that hangs does not hold up a rolling restart",
  async () => {
    const args = [...ARGS, "--shutdown-timeout=1h"];
    await using command = await CommandProcess.start(PID_APP, args);
    await command.workersReady(2);
    const [stopped, other] = command.workers;
    Deno.kill(stopped, "SIGSTOP");
    command.kill("SIGHUP");
    await until(() => !isAlive(stopped) && !isAlive(other));
    assertEquals(command.workers.filter(isAlive).length, 2);
  },
);

processTest("A worker that hangs while it drains is killed", async () => {
  const args = [...ARGS, "--shutdown-timeout=1h"];
  await using command = await CommandProcess.start(LOOP_APP, args);
  await command.workersReady(2);
  Deno.kill(command.workers[0], "SIGSTOP");
  command.kill("SIGTERM");
  assertEquals(await command.exitCode(), 0);
  assertEquals(command.workers.filter(isAlive), []);
});

processTest(
  "No worker is killed when the supervisor was suspended",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ARGS);
    await command.workersReady(2);
    command.kill("SIGSTOP");
    await pause(SUSPENDED_MS);
    command.kill("SIGCONT");
    assert(command.workers.includes(Number(await command.get())));
    assertEquals(command.count(/is killed/), 0);
    assertEquals(command.workers.filter(isAlive).length, 2);
  },
);

processTest(
  "No worker is killed when all processes were suspended",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ARGS);
    await command.workersReady(2);
    const pids = [command.pid, ...command.workers];
    for (const pid of pids) Deno.kill(pid, "SIGSTOP");
    await pause(2500);
    for (const pid of pids) Deno.kill(pid, "SIGCONT");
    await pause(1500);
    assertEquals(command.count(/is killed/), 0);
    assertEquals(command.workers.filter(isAlive).length, 2);
  },
);
