// Workers that are no processes: a test says when they become ready and how
// they end, and sees what they are sent.

import type { FromWorker, ToWorker } from "../../src/cli/worker_messages.ts";
import type {
  WorkerExit,
  WorkerProcess,
} from "../../src/cli/worker_process.ts";
import { unawaited } from "../_unawaited.ts";

/** A worker in the hands of a test. */
export class FakeWorker implements WorkerProcess {
  readonly exited: Promise<WorkerExit>;
  readonly pid: number;
  readonly say: (message: FromWorker) => void;
  /** What it was sent. */
  readonly sent: ToWorker[] = [];
  /** Whether it was killed. */
  killed = false;
  /** Whether it has ended. */
  hasEnded = false;
  readonly #exit = Promise.withResolvers<WorkerExit>();

  constructor(pid: number, say: (message: FromWorker) => void) {
    this.pid = pid;
    this.say = say;
    this.exited = this.#exit.promise;
  }

  /** Whether it was sent `drain`. */
  get isDraining(): boolean {
    return this.sent.some(({ type }) => type === "drain");
  }

  send(message: ToWorker): void {
    this.sent.push(message);
  }

  kill(): void {
    this.killed = true;
    unawaited(this.end({ code: null, signal: "SIGKILL" }));
  }

  /** Says that it is ready. */
  async ready(): Promise<void> {
    this.say({ type: "ready" });
    await settle();
  }

  /** Ends; without more, as one that has drained. */
  async end(exit: Partial<WorkerExit> = {}) {
    this.hasEnded = true;
    this.#exit.resolve({ code: 0, signal: null, ...exit });
    await settle();
  }
}

/** Starts fake workers, with process ids from 1. */
export class FakeSpawner {
  /** All that were started. */
  readonly workers: FakeWorker[] = [];
  /** What starting one throws, if anything. */
  failure: Error | undefined;

  /** Starts one. */
  readonly spawn = (say: (message: FromWorker) => void): FakeWorker => {
    if (this.failure !== undefined) throw this.failure;
    const worker = new FakeWorker(this.workers.length + 1, say);
    this.workers.push(worker);
    return worker;
  };

  /** The process ids of those that have not ended. */
  get alive(): number[] {
    return this.workers.filter(({ hasEnded }) => !hasEnded)
      .map(({ pid }) => pid);
  }

  /** The process ids of those that were sent `drain` and have not ended. */
  get draining(): number[] {
    return this.workers.filter(({ isDraining, hasEnded }) =>
      isDraining && !hasEnded
    ).map(({ pid }) => pid);
  }

  /** Makes all those ready that have not ended. */
  async allReady(): Promise<void> {
    for (const worker of this.workers) {
      if (!worker.hasEnded) await worker.ready();
    }
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
