/**
 * The metrics of all workers together. Workers report when metrics are read, now and
 * then by themselves, and at their end: the counts of a worker that has ended are
 * kept.
 *
 * @module
 */

import {
  type Counts,
  createCounts,
  pastCounts,
  sumCounts,
} from "../metrics/counts.ts";
import { formatMetrics, type Metric } from "../metrics/exposition.ts";
import type { MetricsSource } from "../metrics/metrics_app.ts";
import { counter, gauge, serverMetrics } from "../metrics/server_metrics.ts";
import { delay } from "../net/accept_loop.ts";
import { handled } from "../streams/handled.ts";
import type { FromWorker, ToWorker } from "./worker_messages.ts";
import type { SpawnWorker, WorkerProcess } from "./worker_process.ts";

/** A worker that is busy is not waited for longer, in milliseconds. */
const ANSWER_MS = 1000;

/** What is known of a worker. */
interface Member {
  readonly process: WorkerProcess;
  counts: Counts;
  state: "starting" | "ready" | "draining";
  /** Called at the next counts, or when there will be none. */
  waiting: (() => void)[];
}

/** Adds up what workers count; others start and end them. */
export class WorkerMetrics implements MetricsSource {
  readonly #members = new Set<Member>();
  readonly #residentBytes: () => number;
  #past = createCounts();
  #drained = 0;
  #failed = 0;

  /** `residentBytes`: the memory of this process. */
  constructor(residentBytes: () => number) {
    this.#residentBytes = residentBytes;
  }

  /** Whether a worker accepts connections. */
  get ready(): boolean {
    return this.#readyWorkers > 0;
  }

  /** The metrics of all workers, as text; those of a busy one may be old. */
  async toText(): Promise<string> {
    const answered = [...this.#members]
      .filter(({ state }) => state !== "starting")
      .map((member) => this.#ask(member));
    const enough = new AbortController();
    await Promise.race([
      Promise.all(answered),
      delay(ANSWER_MS, enough.signal),
    ]);
    enough.abort();
    const startSeconds = performance.timeOrigin / 1000;
    const metrics = serverMetrics(this.#sum(), startSeconds);
    return formatMetrics([...metrics, ...this.#workerMetrics()]);
  }

  /** Starts workers as `spawn` does, and listens to what they count. */
  watch(spawn: SpawnWorker): SpawnWorker {
    return (onMessage) => {
      const process = spawn((message) => {
        this.#received(member, message);
        onMessage(message);
      });
      const member: Member = {
        process,
        counts: createCounts(),
        state: "starting",
        waiting: [],
      };
      this.#members.add(member);
      // It never rejects, and what is counted is in order.
      handled(process.exited.then(() => this.#ended(member)));
      return this.#observed(member);
    };
  }

  get #readyWorkers(): number {
    return [...this.#members].filter(({ state }) => state === "ready").length;
  }

  /** The worker; what ends after it was sent `drain` has not failed. */
  #observed(member: Member): WorkerProcess {
    const { process } = member;
    return {
      pid: process.pid,
      exited: process.exited,
      kill: () => process.kill(),
      send: (message: ToWorker) => {
        if (message.type === "drain") member.state = "draining";
        process.send(message);
      },
    };
  }

  #received(member: Member, message: FromWorker): void {
    if (message.type === "counts") {
      member.counts = message.counts;
      answer(member);
    } else if (message.type === "ready" && member.state === "starting") {
      member.state = "ready";
    }
  }

  #ended(member: Member): void {
    this.#members.delete(member);
    this.#past = sumCounts([this.#past, pastCounts(member.counts)]);
    if (member.state === "draining") this.#drained++;
    else this.#failed++;
    answer(member);
  }

  #ask(member: Member): Promise<void> {
    return new Promise((resolve) => {
      member.waiting.push(resolve);
      member.process.send({ type: "count" });
    });
  }

  #sum(): Counts {
    const live = [...this.#members].map(({ counts }) => counts);
    const sum = sumCounts([this.#past, ...live]);
    sum.residentBytes += this.#residentBytes();
    return sum;
  }

  #workerMetrics(): Metric[] {
    return [
      gauge(
        "asgi_workers_ready",
        "Workers that accept connections.",
        this.#readyWorkers,
      ),
      counter(
        "asgi_worker_exits_total",
        "Workers that have ended: drained, or by a failure.",
        [
          { labels: { reason: "drained" }, value: this.#drained },
          { labels: { reason: "failed" }, value: this.#failed },
        ],
      ),
    ];
  }
}

function answer(member: Member): void {
  for (const resolve of member.waiting) resolve();
  member.waiting = [];
}
