// A server that keeps its access records.

import type { AccessRecord, AsgiApp, ServeOptions } from "../../mod.ts";
import { bounded, start, type TestServer } from "./_testing.ts";

/** A server and what it has recorded. */
export interface Recorded extends TestServer {
  readonly access: AccessRecord[];
  /** Shuts down, so that nothing is recorded any more; then what there is. */
  end(): Promise<Partial<AccessRecord>[]>;
}

/** Starts one. */
export function startRecorded(
  app: AsgiApp,
  options: ServeOptions = {},
): Recorded {
  const access: AccessRecord[] = [];
  const accessLog = (record: AccessRecord) => void access.push(record);
  const server = start(app, { accessLog, ...options });
  return Object.assign(server, {
    access,
    async end() {
      await bounded(server.server.shutdown({ timeout: 0 }), "the shutdown");
      return access.map(outcome);
    },
  });
}

/** What most tests are about. */
export function outcome(record: AccessRecord): Partial<AccessRecord> {
  const { method, target, status, bytesSent, aborted } = record;
  return { method, target, status, bytesSent, aborted };
}
