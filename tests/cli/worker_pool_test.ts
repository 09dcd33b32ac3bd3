import { assertEquals, assertMatch } from "@std/assert";
import { BackOff } from "../../src/cli/back_off.ts";
import { WorkerPool } from "../../src/cli/worker_pool.ts";
import type { LogRecord } from "../../src/logs/records.ts";
import { bounded, pause, until } from "../e2e/_testing.ts";
import { FakeSpawner, settle } from "./_fake_workers.ts";

/** Declares a test that waits for a pool, but not for ever. */
function poolTest(name: string, fn: () => Promise<void>): void {
  Deno.test(name, () => bounded(fn(), `the test "${name}"`, 5_000));
}

/** A pool of fake workers, and what it says. */
interface TestPool {
  readonly pool: WorkerPool;
  readonly spawner: FakeSpawner;
  readonly records: LogRecord[];
  readonly exitCode: Promise<number>;
}

/** What lived for long is replaced at once, and what did not after a minute. */
class SlowBackOff extends BackOff {
  override afterFailure(livedMs: number): number {
    return livedMs > 10 ? 1 : 60_000;
  }
}

/** Starts a pool whose first worker has not yet become ready. */
function startPool(
  size: number,
  drainTimeout = 10_000,
  backOff = new BackOff({ minMs: 1, maxMs: 4 }),
): TestPool {
  const spawner = new FakeSpawner();
  const records: LogRecord[] = [];
  const pool = new WorkerPool({
    size,
    spawn: spawner.spawn,
    log: (record) => records.push(record),
    backOff,
    drainTimeout,
  });
  return { pool, spawner, records, exitCode: pool.run() };
}

/** Starts a pool whose workers are all ready. */
async function startReadyPool(
  size: number,
  backOff?: BackOff,
): Promise<TestPool> {
  const started = startPool(size, undefined, backOff);
  await started.spawner.workers[0].ready();
  await started.spawner.allReady();
  return started;
}

/** Ends all workers as they should, and checks that the pool is finished. */
async function stopPool({ pool, spawner, exitCode }: TestPool): Promise<void> {
  pool.stop();
  for (const worker of spawner.workers) await worker.end();
  assertEquals(await bounded(exitCode, "the end of the pool"), 0);
}

poolTest(
  "WorkerPool starts its first worker alone, and the others when that is ready",
  async () => {
    const test = startPool(3);
    assertEquals(test.spawner.alive, [1]);
    await test.spawner.workers[0].ready();
    assertEquals(test.spawner.alive, [1, 2, 3]);
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool ends with the exit code of a worker that failed before any was ready",
  async () => {
    const { spawner, exitCode } = startPool(3);
    await spawner.workers[0].end({ code: 3 });
    assertEquals(await bounded(exitCode, "the end of the pool"), 3);
    assertEquals(spawner.workers.length, 1);
  },
);

poolTest(
  "WorkerPool fails when its first worker ends without an error, but was never ready",
  async () => {
    const { spawner, exitCode } = startPool(1);
    await spawner.workers[0].end({ code: 0 });
    assertEquals(await bounded(exitCode, "the end of the pool"), 1);
  },
);

poolTest(
  "WorkerPool tries again when its first worker is killed before it is ready",
  async () => {
    const test = startPool(1);
    await test.spawner.workers[0].end({ code: null, signal: "SIGKILL" });
    await until(() => test.spawner.alive.length === 1);
    assertEquals(test.spawner.alive, [2]);
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool replaces a worker that died, and says how it died",
  async () => {
    const test = await startReadyPool(2);
    await test.spawner.workers[0].end({ code: null, signal: "SIGSEGV" });
    await until(() => test.spawner.alive.length === 2);
    assertEquals(test.spawner.alive, [2, 3]);
    const [error] = test.records.filter(({ level }) => level === "error");
    assertMatch(error.message, /^Worker 1 .*SIGSEGV/);
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool keeps trying when a later worker fails to start",
  async () => {
    const test = await startReadyPool(2);
    await test.spawner.workers[0].end({ code: 1 });
    for (const pid of [3, 4, 5]) {
      await until(() => test.spawner.alive.includes(pid));
      await test.spawner.workers[pid - 1].end({ code: 3 });
    }
    await until(() => test.spawner.alive.includes(6));
    assertEquals(test.spawner.alive, [2, 6]);
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool replaces a sound worker at once, while it waits for one that fails",
  async () => {
    const test = await startReadyPool(3, new SlowBackOff());
    const { workers } = test.spawner;
    await workers[2].end({ code: 1 });
    await pause(20);
    await workers[1].end({ code: 1 });
    await until(() => workers.length === 5);
    assertEquals(test.spawner.alive, [1, 4, 5]);
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool does not wait for long while no worker serves, then starts one alone",
  async () => {
    const test = await startReadyPool(2, new SlowBackOff());
    const { workers } = test.spawner;
    await workers[0].end({ code: 1 });
    await workers[1].end({ code: 1 });
    await until(() => workers.length > 2);
    assertEquals(test.spawner.alive, [3]);
    await workers[2].end({ code: 1 });
    await until(() => workers.length > 3);
    assertEquals(test.spawner.alive, [4]);
    await workers[3].ready();
    assertEquals(test.spawner.alive, [4, 5]);
    await stopPool(test);
  },
);

poolTest("WorkerPool says why a worker could not be started", async () => {
  const test = await startReadyPool(2);
  const error = new Error("Too many open files");
  await test.spawner.workers[0].end({ code: 1, error });
  assertEquals(test.records.at(-1), {
    level: "error",
    message: "Cannot start a worker: Too many open files",
  });
  await stopPool(test);
});

poolTest(
  "WorkerPool restarts one worker after the other: ready first, then drain",
  async () => {
    const test = await startReadyPool(2);
    const { pool, spawner } = test;
    pool.restart();
    assertEquals([spawner.alive, spawner.draining], [[1, 2, 3], []]);
    await spawner.workers[2].ready();
    assertEquals([spawner.alive, spawner.draining], [[1, 2, 3], [1]]);
    await spawner.workers[0].end();
    assertEquals([spawner.alive, spawner.draining], [[2, 3, 4], []]);
    await spawner.workers[3].ready();
    assertEquals([spawner.alive, spawner.draining], [[2, 3, 4], [2]]);
    await spawner.workers[1].end();
    assertEquals([spawner.alive, spawner.draining], [[3, 4], []]);
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool keeps the old workers when a restarted one fails to start",
  async () => {
    const test = await startReadyPool(2);
    test.pool.restart();
    await test.spawner.workers[2].end({ code: 3 });
    await pause(10);
    assertEquals([test.spawner.alive, test.spawner.draining], [[1, 2], []]);
    assertEquals(
      test.records.filter(({ level }) => level === "error").map(({ message }) =>
        message
      ),
      [
        "Worker 3 ended with exit code 3",
        "Worker 1 serves on: its successor could not start",
      ],
    );
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool restarts also those that were started during a restart",
  async () => {
    const test = await startReadyPool(1);
    const { pool, spawner } = test;
    pool.restart();
    pool.restart();
    await spawner.workers[1].ready();
    await spawner.workers[0].end();
    assertEquals(spawner.alive, [2, 3]);
    await spawner.workers[2].ready();
    await spawner.workers[1].end();
    assertEquals(spawner.alive, [3]);
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool has no worker too many when one dies during its own replacement",
  async () => {
    const test = await startReadyPool(2);
    test.pool.restart();
    await test.spawner.workers[0].end({ code: 1 });
    await pause(10);
    assertEquals(test.spawner.alive, [2, 3]);
    await test.spawner.workers[2].ready();
    await until(() => test.spawner.alive.includes(4));
    assertEquals(test.spawner.alive, [2, 3, 4]);
    await stopPool(test);
  },
);

poolTest("WorkerPool replaces a worker that asks for it, once", async () => {
  const test = await startReadyPool(2);
  const [first] = test.spawner.workers;
  first.say({ type: "retire", reason: "it is tired" });
  first.say({ type: "retire", reason: "it is very tired" });
  assertEquals(test.spawner.alive, [1, 2, 3]);
  assertEquals(test.spawner.draining, []);
  await test.spawner.workers[2].ready();
  assertEquals(test.spawner.draining, [1]);
  await first.end();
  assertEquals(test.spawner.alive, [2, 3]);
  await stopPool(test);
});

poolTest(
  "WorkerPool tries again to replace a worker that asked for it",
  async () => {
    const test = await startReadyPool(1);
    test.spawner.workers[0].say({ type: "retire", reason: "it is tired" });
    await test.spawner.workers[1].end({ code: 3 });
    await until(() => test.spawner.alive.includes(3));
    await test.spawner.workers[2].ready();
    assertEquals(test.spawner.draining, [1]);
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool adds a worker, and takes the youngest away, but never the last",
  async () => {
    const test = await startReadyPool(1);
    const { pool, spawner } = test;
    pool.grow();
    assertEquals(spawner.alive, [1, 2]);
    await spawner.workers[1].ready();
    pool.shrink();
    assertEquals(spawner.draining, [2]);
    await spawner.workers[1].end();
    pool.shrink();
    assertEquals([spawner.alive, spawner.draining], [[1], []]);
    await stopPool(test);
  },
);

poolTest(
  "WorkerPool tries again where a worker cannot be started",
  async () => {
    const test = await startReadyPool(2);
    const { spawner, records } = test;
    spawner.failure = new Error("No process left");
    await spawner.workers[0].end({ code: 1 });
    const failures = () =>
      records.filter(({ error }) => error === spawner.failure);
    await until(() => failures().length > 1);
    spawner.failure = undefined;
    await until(() => spawner.alive.length === 2);
    await stopPool(test);
  },
);

poolTest("WorkerPool stops when its workers have drained", async () => {
  const { pool, spawner, exitCode } = await startReadyPool(2);
  pool.stop();
  assertEquals(spawner.draining, [1, 2]);
  await spawner.workers[0].end();
  await spawner.workers[1].end();
  assertEquals(await bounded(exitCode, "the end of the pool"), 0);
  assertEquals(spawner.workers.length, 2);
});

poolTest("WorkerPool kills a worker that does not end in time", async () => {
  const { pool, spawner, exitCode } = startPool(1, 20);
  await spawner.workers[0].ready();
  pool.stop();
  assertEquals(await bounded(exitCode, "the end of the pool"), 0);
  assertEquals(spawner.workers[0].killed, true);
});

poolTest(
  "WorkerPool kills all its workers when it must stop at once",
  async () => {
    const { pool, spawner, exitCode } = await startReadyPool(2);
    pool.stop();
    pool.kill();
    await bounded(exitCode, "the end of the pool");
    assertEquals(spawner.workers.map(({ killed }) => killed), [true, true]);
  },
);

poolTest(
  "WorkerPool lets a worker that is about to replace another drain when it stops",
  async () => {
    const { pool, spawner, exitCode } = await startReadyPool(1);
    pool.restart();
    pool.stop();
    assertEquals(spawner.draining, [1, 2]);
    await spawner.workers[1].ready();
    for (const worker of spawner.workers) await worker.end();
    assertEquals(await bounded(exitCode, "the end of the pool"), 0);
    await settle();
    assertEquals(spawner.workers.length, 2);
  },
);
