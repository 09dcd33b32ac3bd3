// Metrics at an address of their own.

import { assertEquals, assertMatch } from "@std/assert";
import { serveMetrics } from "../../src/cli/metrics_listener.ts";
import type { LogRecord } from "../../src/logs/records.ts";
import { netTest, until } from "../e2e/_testing.ts";

netTest("serveMetrics() says where metrics are, and serves them", async () => {
  const records: LogRecord[] = [];
  const source = { ready: true, toText: () => "asgi_ready 1\n" };
  const address = { hostname: "127.0.0.1", port: 0 };
  await using _listener = serveMetrics(
    address,
    source,
    (record) => records.push(record),
  );
  await until(() => records.length > 0);
  const [{ level, message }] = records;
  assertMatch(message, /^Metrics are at http:\S+\/metrics$/);
  assertEquals(level, "info");
  const response = await fetch(message.replace("Metrics are at ", ""));
  assertEquals(await response.text(), "asgi_ready 1\n");
});
