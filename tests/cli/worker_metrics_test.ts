// What several workers count, as one: with workers that are no processes.

import { assert, assertEquals } from "@std/assert";
import { WorkerMetrics } from "../../src/cli/worker_metrics.ts";
import type { WorkerProcess } from "../../src/cli/worker_process.ts";
import { type Counts, createCounts } from "../../src/metrics/counts.ts";
import { readExposition, valueIn } from "../metrics/_exposition.ts";
import { FakeSpawner, type FakeWorker, settle } from "./_fake_workers.ts";

const ACCEPTED = "asgi_connections_accepted_total";
const OPEN = "asgi_connections_open";

interface Watched {
  readonly metrics: WorkerMetrics;
  /** Starts a worker, as a supervisor sees it. */
  start(): WorkerProcess;
  readonly workers: FakeWorker[];
  /** What the supervisor got from its workers. */
  readonly said: string[];
}

function watch(): Watched {
  const metrics = new WorkerMetrics(() => 1000);
  const spawner = new FakeSpawner();
  const said: string[] = [];
  const spawn = metrics.watch(spawner.spawn);
  const start = () => spawn(({ type }) => said.push(type));
  return { metrics, start, workers: spawner.workers, said };
}

function counts(change: Partial<Counts>): { type: "counts"; counts: Counts } {
  return { type: "counts", counts: { ...createCounts(), ...change } };
}

/** Lets a worker answer whenever it is asked, as real ones do. */
function answering(worker: FakeWorker, change: Partial<Counts>): void {
  const { send } = worker;
  worker.send = (message) => {
    send.call(worker, message);
    if (message.type === "count") worker.say(counts(change));
  };
}

async function read(metrics: WorkerMetrics) {
  return readExposition(await metrics.toText());
}

Deno.test("WorkerMetrics adds up what workers count when they are asked", async () => {
  const { metrics, start, workers } = watch();
  for (const [index, connectionsAccepted] of [3, 4].entries()) {
    start();
    await workers[index].ready();
    answering(workers[index], { connectionsAccepted, residentBytes: 50 });
  }
  const seen = await read(metrics);
  assertEquals(valueIn(seen, ACCEPTED), 7);
  assertEquals(valueIn(seen, "process_resident_memory_bytes"), 1100);
  assertEquals(valueIn(seen, "asgi_workers_ready"), 2);
});

Deno.test("WorkerMetrics keeps what a worker has counted when it is gone, but not what was open", async () => {
  const { metrics, start, workers } = watch();
  start();
  await workers[0].ready();
  workers[0].say(counts({ connectionsAccepted: 3, connectionsOpen: 2 }));
  await workers[0].end();
  start();
  await workers[1].ready();
  answering(workers[1], { connectionsAccepted: 4, connectionsOpen: 1 });
  const seen = await read(metrics);
  assertEquals(valueIn(seen, ACCEPTED), 7);
  assertEquals(valueIn(seen, OPEN), 1);
});

Deno.test("WorkerMetrics takes the last counts of a worker, not the sum of them", async () => {
  const { metrics, start, workers } = watch();
  start();
  workers[0].say(counts({ connectionsAccepted: 3 }));
  workers[0].say(counts({ connectionsAccepted: 5 }));
  assertEquals(valueIn(await read(metrics), ACCEPTED), 5);
});

Deno.test("WorkerMetrics does not wait for a worker that ends meanwhile, or is busy", async () => {
  const { metrics, start, workers } = watch();
  start();
  start();
  for (const worker of workers) await worker.ready();
  workers[0].say(counts({ connectionsAccepted: 3 }));
  workers[1].say(counts({ connectionsAccepted: 4 }));
  const text = metrics.toText();
  await workers[0].end();
  assertEquals(valueIn(readExposition(await text), ACCEPTED), 7);
});

Deno.test("WorkerMetrics is ready while a worker is, until that has to end", async () => {
  const { metrics, start, workers } = watch();
  assert(!metrics.ready);
  const worker = start();
  assert(!metrics.ready);
  await workers[0].ready();
  assert(metrics.ready);
  worker.send({ type: "drain" });
  assert(!metrics.ready);
  assert(workers[0].isDraining);
});

Deno.test("WorkerMetrics is not ready when a worker has died", async () => {
  const { metrics, start, workers } = watch();
  start();
  await workers[0].ready();
  await workers[0].kill();
  await settle();
  assert(!metrics.ready);
});

Deno.test("WorkerMetrics is ready while one worker replaces another", async () => {
  const { metrics, start, workers } = watch();
  const old = start();
  await workers[0].ready();
  start();
  await workers[1].ready();
  old.send({ type: "drain" });
  assert(metrics.ready);
});

Deno.test("WorkerMetrics distinguishes workers that had to end from those that failed", async () => {
  const { metrics, start, workers } = watch();
  start().send({ type: "drain" });
  start();
  start();
  await workers[0].end();
  await workers[1].end({ code: 1 });
  await workers[2].end({ code: null, signal: "SIGKILL" });
  const seen = await read(metrics);
  const name = "asgi_worker_exits_total";
  assertEquals(valueIn(seen, name, { reason: "drained" }), 1);
  assertEquals(valueIn(seen, name, { reason: "failed" }), 2);
});

Deno.test("WorkerMetrics leaves a worker as its supervisor knows it", async () => {
  const { start, workers, said } = watch();
  const worker = start();
  assertEquals(worker.pid, workers[0].pid);
  await workers[0].ready();
  assertEquals(said, ["ready"]);
  worker.kill();
  assert(workers[0].killed);
  assertEquals(await worker.exited, { code: null, signal: "SIGKILL" });
});
