// The application that serves metrics, liveness and readiness.

import { assertEquals, assertMatch } from "@std/assert";
import { metricsApp } from "../../src/metrics/metrics_app.ts";
import { TestClient } from "../../src/testing/mod.ts";

const SOURCE = { ready: true, toText: () => "asgi_ready 1\n" };

async function ask(path: string, method = "GET", source = SOURCE) {
  const app = metricsApp(source);
  await using client = await TestClient.start(app, { lifespan: "off" });
  const response = await client.fetch(path, { method });
  return { response, text: await response.text() };
}

Deno.test("metricsApp() serves metrics as text for Prometheus, uncached", async () => {
  const { response: { status, headers }, text } = await ask("/metrics");
  assertEquals([status, text], [200, "asgi_ready 1\n"]);
  assertMatch(headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  assertEquals(headers.get("cache-control"), "no-store");
});

Deno.test("metricsApp() waits for metrics that are collected", async () => {
  const source = { ready: true, toText: () => Promise.resolve("collected\n") };
  const app = metricsApp(source);
  await using client = await TestClient.start(app, { lifespan: "off" });
  const response = await client.fetch("/metrics");
  assertEquals(await response.text(), "collected\n");
});

Deno.test("metricsApp() is live always, and ready while the server accepts", async () => {
  const stopped = { ...SOURCE, ready: false };
  assertEquals((await ask("/livez", "GET", stopped)).text, "live\n");
  assertEquals((await ask("/readyz")).response.status, 200);
  const { response, text } = await ask("/readyz", "GET", stopped);
  assertEquals([response.status, text], [503, "not ready\n"]);
});

Deno.test("metricsApp() answers HEAD without content", async () => {
  const { response, text } = await ask("/metrics", "HEAD");
  assertEquals([response.status, text], [200, ""]);
});

Deno.test("metricsApp() refuses other methods and paths", async () => {
  const { response: { status, headers } } = await ask("/metrics", "POST");
  assertEquals([status, headers.get("allow")], [405, "GET, HEAD"]);
  assertEquals((await ask("/")).response.status, 404);
});
