// A worker as its supervisor sees it: processes that serve nothing, but have the
// channel of a worker.

import { assert, assertEquals } from "@std/assert";
import { workerSpawner } from "../../src/cli/worker_process.ts";
import { bounded } from "../e2e/_testing.ts";
import { isAlive, processTest } from "./_command_process.ts";

const START = { supervisor: Deno.pid, ports: [], reusePort: false };
const WORKER = new URL("../../src/cli/worker.ts", import.meta.url);

/** Starts a process that runs this text, and collects its messages. */
function start(text: string) {
  const messages: unknown[] = [];
  const url = `data:application/javascript,${encodeURIComponent(text)}`;
  const spawn = workerSpawner(["run", "-A", "--no-config", url], START);
  const worker = spawn((message) => messages.push(message));
  return { worker, messages };
}

/** What is sent is more than a channel holds. */
const SENDS_MUCH = `import { workerChannel } from "${WORKER.href}";
  const channel = workerChannel();
  for (let i = 0; i < 50; i++) {
    channel.send({ type: "retire", reason: "x".repeat(100_000) });
  }
  await channel.close();
  Deno.exit(0);`;

/** Waits for the end of a process without reading or doing anything else. */
function blockUntilGone(pid: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + 15_000;
  while (isAlive(pid) && performance.now() < end) Atomics.wait(cell, 0, 0, 20);
}

processTest(
  "A worker has exited when its last messages have come",
  async () => {
    const { worker, messages } = start(`import process from "node:process";
    for (let i = 1; i < 50; i++) process.send({ type: "ready" });
    process.send({ type: "ready" }, () => Deno.exit(0));`);
    // The exit and the messages are all there when this process goes on.
    blockUntilGone(worker.pid);
    assertEquals(await worker.exited, { code: 0, signal: null });
    assertEquals(messages.length, 50);
  },
);

processTest("A worker ends when its last messages are written", async () => {
  const { worker, messages } = start(SENDS_MUCH);
  assertEquals(await worker.exited, { code: 0, signal: null });
  assertEquals(messages.length, 50);
});

processTest("A worker ends although its supervisor does not read", async () => {
  const { worker } = start(SENDS_MUCH);
  blockUntilGone(worker.pid);
  assert(!isAlive(worker.pid));
  await worker.exited;
});

processTest(
  "A worker has exited although a process that it started keeps its channel",
  async () => {
    const { worker, messages } = start(`import process from "node:process";
      const { pid } = new Deno.Command("sleep", { args: ["600"] }).spawn();
      process.send({ type: "retire", reason: String(pid) });
      setTimeout(() => Deno.exit(0), 100);`);
    try {
      const exit = await bounded(worker.exited, "the exit", 10_000);
      assertEquals(exit, { code: 0, signal: null });
    } finally {
      for (const { reason } of messages as { reason: string }[]) {
        Deno.kill(Number(reason), "SIGKILL");
      }
    }
  },
);
