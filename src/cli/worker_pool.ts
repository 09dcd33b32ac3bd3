/**
 * Decides when workers start and end. Their number is the one that was asked for;
 * one that dies is replaced, with back-off; one that is to be replaced serves until its
 * successor is ready, and no two are replaced at the same time. While none
 * serves, one starts alone, since what makes it fail would make all of them
 * fail; and then the back-off is short, because each wait is an outage.
 *
 * @module
 */

import type { LogLevel, LogRecord } from "../logs/records.ts";
import { delay } from "../net/accept_loop.ts";
import type { BackOff } from "./back_off.ts";
import type { FromWorker } from "./worker_messages.ts";
import {
  describeExit,
  type SpawnWorker,
  type WorkerExit,
  type WorkerProcess,
} from "./worker_process.ts";

/** The longest wait while no worker serves, in milliseconds. */
const OUTAGE_WAIT_MS = 1000;

/** What a {@linkcode WorkerPool} needs. */
export interface WorkerPoolOptions {
  /** How many workers to have. */
  readonly size: number;
  /** Starts one. */
  readonly spawn: SpawnWorker;
  /** Called with what there is to say. */
  readonly log: (record: LogRecord) => void;
  /** How long to wait before a worker that died is replaced. */
  readonly backOff: BackOff;
  /** What a worker may take to drain, in milliseconds, before it is killed. */
  readonly drainTimeout: number;
}

/** Why a worker is to be replaced. */
type Stale = "restart" | "retired";

interface Member {
  readonly process: WorkerProcess;
  /** Whether it became ready, once that is certain. */
  readonly started: PromiseWithResolvers<boolean>;
  state: "starting" | "ready" | "draining";
  stale: Stale | undefined;
  readySince: number;
  deadline: ReturnType<typeof setTimeout> | undefined;
}

/** A number of workers, and what happens to them. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members = new Set<Member>();
  readonly #finished = Promise.withResolvers<number>();
  readonly #stopping = new AbortController();
  #size: number;
  #everReady = false;
  #exitCode = 0;
  /** When workers that are missing will be started. */
  #fillAt = Infinity;
  #fillTimer: ReturnType<typeof setTimeout> | undefined;
  #isReplacing = false;
  /** The worker that is being replaced, and its successor. */
  #replacement: { readonly old: Member; readonly fresh: Member } | undefined;

  /** A pool that has no workers yet. */
  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#size = options.size;
  }

  /**
   * Starts the workers.
   *
   * @returns When all have ended: the exit code.
   */
  run(): Promise<number> {
    this.#fill();
    return this.#finished.promise;
  }

  /** Replaces every worker, one after the other. */
  restart(): void {
    for (const member of this.#live()) member.stale = "restart";
    this.#detach(this.#replaceStale());
  }

  /** Adds a worker. */
  grow(): void {
    this.#size++;
    this.#say("info", `Workers wanted: ${this.#size}`);
    this.#fill();
  }

  /** Takes the youngest worker away, unless it is the last. */
  shrink(): void {
    if (this.#size === 1) return;
    this.#size--;
    this.#say("info", `Workers wanted: ${this.#size}`);
    if (this.#live().length <= this.#wanted()) return;
    const youngest = this.#live().findLast((member) =>
      member !== this.#replacement?.fresh
    );
    if (youngest !== undefined) this.#drain(youngest);
  }

  /** Lets every worker drain and end. */
  stop(): void {
    this.#stopping.abort();
    clearTimeout(this.#fillTimer);
    for (const member of this.#live()) this.#drain(member);
    this.#finishIfDone();
  }

  /** Ends every worker at once. */
  kill(): void {
    this.stop();
    for (const { process } of this.#members) process.kill();
  }

  /** Workers that serve, or will, oldest first. */
  #live(): Member[] {
    return [...this.#members].filter(({ state }) => state !== "draining");
  }

  /** One more than asked for while a worker and its successor are both there. */
  #wanted(): number {
    const live = this.#live();
    const both = this.#replacement !== undefined &&
      live.includes(this.#replacement.old) &&
      live.includes(this.#replacement.fresh);
    return this.#size + Number(both);
  }

  #fill(): void {
    if (this.#stopping.signal.aborted || this.#fillAt !== Infinity) return;
    const wanted = this.#isServing() ? this.#wanted() : 1;
    while (this.#live().length < wanted) this.#start();
  }

  #isServing(): boolean {
    return this.#live().some(({ state }) => state === "ready");
  }

  #start(): Member {
    const process = this.#options.spawn((message) =>
      this.#received(member, message)
    );
    const member: Member = {
      process,
      started: Promise.withResolvers(),
      state: "starting",
      stale: undefined,
      readySince: Infinity,
      deadline: undefined,
    };
    this.#members.add(member);
    this.#detach(process.exited.then((exit) => this.#ended(member, exit)));
    return member;
  }

  #received(member: Member, message: FromWorker): void {
    if (message.type === "ready") return this.#becameReady(member);
    if (message.type !== "retire") return;
    if (member.state === "draining" || member.stale !== undefined) return;
    this.#say(
      "info",
      `Worker ${member.process.pid} is replaced: ${message.reason}`,
    );
    member.stale = "retired";
    this.#detach(this.#replaceStale());
  }

  #becameReady(member: Member): void {
    member.started.resolve(true);
    if (member.state !== "starting") return;
    member.state = "ready";
    member.readySince = performance.now();
    this.#everReady = true;
    this.#say("debug", `Worker ${member.process.pid} is ready`);
    this.#fill();
    this.#detach(this.#replaceStale());
  }

  #drain(member: Member): void {
    member.state = "draining";
    member.process.send({ type: "drain" });
    member.deadline = setTimeout(() => {
      this.#say(
        "warn",
        `Worker ${member.process.pid} is killed: it takes too long to end`,
      );
      member.process.kill();
    }, Math.min(this.#options.drainTimeout, 2 ** 31 - 1));
  }

  #ended(member: Member, exit: WorkerExit): void {
    this.#members.delete(member);
    clearTimeout(member.deadline);
    member.started.resolve(false);
    if (this.#stopping.signal.aborted) return this.#finishIfDone();
    if (member.state === "draining") {
      return this.#say("info", `Worker ${member.process.pid} has ended`);
    }
    this.#say("error", describeExit(member.process, exit));
    if (!this.#everReady && exit.code !== null) {
      this.#exitCode = exit.code || 1;
      return this.stop();
    }
    this.#fillLater(performance.now() - member.readySince);
  }

  /** One that was sound is not made to wait for those that fail on and on. */
  #fillLater(livedMs: number): void {
    if (this.#live().length >= this.#wanted()) return;
    const longest = this.#isServing() ? Infinity : OUTAGE_WAIT_MS;
    const wait = this.#options.backOff.afterFailure(livedMs);
    const ms = Math.min(wait, longest);
    const at = performance.now() + ms;
    if (at >= this.#fillAt) return;
    clearTimeout(this.#fillTimer);
    this.#fillAt = at;
    this.#fillTimer = setTimeout(() => this.#fillNow(), ms);
  }

  #fillNow(): void {
    this.#fillAt = Infinity;
    try {
      this.#fill();
    } catch (error) {
      this.#failed(error);
      this.#fillLater(0);
    }
  }

  async #replaceStale(): Promise<void> {
    if (this.#isReplacing) return;
    this.#isReplacing = true;
    try {
      for (let old; (old = this.#nextStale()) !== undefined;) {
        if (!await this.#replace(old)) await this.#replacementFailed(old);
      }
    } finally {
      this.#isReplacing = false;
    }
  }

  /** One that is still starting is replaced when it is ready. */
  #nextStale(): Member | undefined {
    if (this.#stopping.signal.aborted) return undefined;
    return this.#live().find(({ state, stale }) =>
      state === "ready" && stale !== undefined
    );
  }

  /** Whether its successor has started; if so, the old one has ended. */
  async #replace(old: Member): Promise<boolean> {
    const fresh = this.#start();
    this.#replacement = { old, fresh };
    const started = await fresh.started.promise;
    if (started && this.#live().includes(old)) this.#drain(old);
    this.#replacement = undefined;
    if (started) await old.process.exited;
    return started;
  }

  /** Who wanted the restart must find out why; other reasons are still there. */
  async #replacementFailed({ process }: Member): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#say(
      "error",
      `Worker ${process.pid} serves on: its successor could not start`,
    );
    for (const member of this.#live()) {
      if (member.stale === "restart") member.stale = undefined;
    }
    if (this.#nextStale() === undefined) return;
    const ms = this.#options.backOff.afterFailure(0);
    await delay(ms, this.#stopping.signal);
  }

  /** Lets a task run by itself; what makes it fail is logged. */
  #detach(task: Promise<void>): void {
    task.catch((error) => this.#failed(error));
  }

  #failed(error: unknown): void {
    const message = "Cannot start or replace workers";
    this.#options.log({ level: "error", message, error });
  }

  #finishIfDone(): void {
    if (this.#members.size === 0) this.#finished.resolve(this.#exitCode);
  }

  #say(level: LogLevel, message: string): void {
    this.#options.log({ level, message });
  }
}
