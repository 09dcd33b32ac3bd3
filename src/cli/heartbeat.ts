/**
 * Finds workers that hang: each is asked for a sign of life now and then, from
 * its start to its end, and one that gives none for too long is killed. Time is
 * counted in pings that were sent, not by the clock: while the supervisor itself,
 * or the whole machine, is suspended, no ping is sent.
 *
 * @module
 */

import type { LogRecord } from "../logs/records.ts";
import { delay } from "../net/accept_loop.ts";
import { handled } from "../streams/handled.ts";
import { DURATION } from "./values.ts";
import type { SpawnWorker, WorkerProcess } from "./worker_process.ts";

/** A worker that leaves so many questions in a row unanswered hangs. */
const QUESTIONS = 5;

/** What {@linkcode withHeartbeat} needs. */
export interface HeartbeatOptions {
  /**
   * How long a worker may give no sign of life, in milliseconds; up to a fifth
   * more passes before that is noticed. `Infinity`: for ever.
   */
  readonly timeout: number;
  /** Called with what there is to say. */
  readonly log: (record: LogRecord) => void;
}

/** Starts workers as `spawn` does, and kills those that hang. */
export function withHeartbeat(
  spawn: SpawnWorker,
  options: HeartbeatOptions,
): SpawnWorker {
  if (options.timeout === Infinity) return spawn;
  return (onMessage) => {
    const heart = { unanswered: 0 };
    const worker = spawn((message) => {
      heart.unanswered = 0;
      onMessage(message);
    });
    watchHeart(worker, heart, options).catch((error) =>
      options.log({ level: "error", message: "The heartbeat failed", error })
    );
    return worker;
  };
}

async function watchHeart(
  worker: WorkerProcess,
  heart: { unanswered: number },
  { timeout, log }: HeartbeatOptions,
): Promise<void> {
  const ended = new AbortController();
  handled(worker.exited.then(() => ended.abort())); // It never rejects.
  while (heart.unanswered < QUESTIONS) {
    heart.unanswered++;
    worker.send({ type: "ping" });
    await delay(timeout / QUESTIONS, ended.signal);
    if (ended.signal.aborted) return;
  }
  const silence = DURATION.format(timeout);
  const message =
    `Worker ${worker.pid} is killed: it has not answered for ${silence}`;
  log({ level: "error", message });
  worker.kill();
}
