// What a record says, and that a log that fails does no harm.

import { assert, assertEquals } from "@std/assert";
import type { AccessRecord, LogRecord } from "../../src/logs/records.ts";
import { AccessRecords } from "../../src/server/access_records.ts";
import { exampleRequest } from "./_fake_exchange.ts";

const INFO = { scheme: "https", client: null, server: null } as const;

Deno.test("A record says what was asked, and how it was answered", () => {
  const reported: AccessRecord[] = [];
  const records = new AccessRecords(
    (record) => reported.push(record),
    () => {},
  );
  const begun = records.begin(
    exampleRequest({ target: { path: "/a", query: "b=c" }, headers: [] }),
    INFO,
  );
  assertEquals(reported, []);
  records.end(begun, "http", { status: 200, bytesSent: 5, aborted: false });
  const [{ time, duration, ...rest }] = reported;
  assert(time > 0 && duration >= 0);
  assertEquals(rest, {
    type: "http",
    client: null,
    scheme: "https",
    httpVersion: "1.1",
    method: "GET",
    target: "/a?b=c",
    headers: [],
    status: 200,
    bytesSent: 5,
    aborted: false,
  });
});

Deno.test("A log that fails is logged, and no reason to fail", () => {
  const logged: LogRecord[] = [];
  const records = new AccessRecords(() => {
    throw new Error("disk full");
  }, (record) => logged.push(record));
  records.refused(
    { status: 400, refusal: 400, bytesSent: 0, aborted: false },
    INFO,
    "2",
  );
  assertEquals(
    logged.map(({ message, error }) => [message, String(error)]),
    [["The access log failed", "Error: disk full"]],
  );
});
