// Where a server's records go, and how often what clients cause is a warning.

import { assertEquals } from "@std/assert";
import type { LogRecord } from "../../src/logs/records.ts";
import { ProxyHeaderError } from "../../src/net/proxy_protocol.ts";
import { ServerLog } from "../../src/server/server_log.ts";

function recorded(): { log: ServerLog; records: LogRecord[] } {
  const records: LogRecord[] = [];
  return { log: new ServerLog((record) => records.push(record)), records };
}

Deno.test("A lost connection is a detail", () => {
  const { log, records } = recorded();
  log.connectionLost("reset");
  assertEquals(records, [
    { level: "debug", message: "Connection lost", error: "reset" },
  ]);
});

Deno.test("A missing PROXY header is a warning now and then", () => {
  const { log, records } = recorded();
  for (let i = 0; i < 3; i++) log.connectionLost(new ProxyHeaderError("none"));
  assertEquals(records.map(({ level }) => level), ["warn", "debug", "debug"]);
});

Deno.test("A failure to accept is a warning now and then, without the error", () => {
  const { log, records } = recorded();
  for (let i = 0; i < 2; i++) log.acceptFailed(new Error("EMFILE"), 5);
  assertEquals(
    records.map(({ level, message, error }) => [level, message, error]),
    [
      ["warn", "Cannot accept, retry in 5 ms: Error: EMFILE", undefined],
      ["debug", "Cannot accept, retry in 5 ms: Error: EMFILE", undefined],
    ],
  );
});

Deno.test("A log that fails on a detail does no harm", () => {
  const log = new ServerLog(() => {
    throw new Error("broken");
  });
  log.say("debug", "A detail");
});
