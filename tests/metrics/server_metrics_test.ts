// The metrics of a server, made of what it has counted.

import { assert, assertEquals } from "@std/assert";
import { createCounts, DURATION_BOUNDS } from "../../src/metrics/counts.ts";
import {
  counter,
  gauge,
  serverMetrics,
} from "../../src/metrics/server_metrics.ts";

Deno.test("serverMetrics() gives each metric a name of its own, and a help text", () => {
  const metrics = serverMetrics(createCounts(), 0);
  const names = metrics.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const { help } of metrics) assert(/^[A-Z].*\.$/.test(help), help);
});

Deno.test("serverMetrics() adds up the buckets of durations", () => {
  const counts = createCounts();
  counts.durations.fill(1);
  counts.durationSeconds = 7;
  const { samples } = serverMetrics(counts, 0)
    .find(({ name }) => name === "asgi_request_duration_seconds")!;
  const buckets = samples.slice(0, -2).map(({ value }) => value);
  assertEquals(buckets, counts.durations.map((_, index) => index + 1));
  assertEquals(samples.at(-3)?.labels, { le: "+Inf" });
  const [sum, count] = samples.slice(-2).map(({ value }) => value);
  assertEquals([sum, count], [7, DURATION_BOUNDS.length + 1]);
});

Deno.test("serverMetrics() shows what HTTP/2 has counted", () => {
  const metrics = serverMetrics({
    ...createCounts(),
    http2StreamsOpen: 1,
    http2StreamsRefused: 2,
    http2ConnectionsClosedForAbuse: 3,
  }, 0);
  const shown = metrics.filter(({ name }) => name.startsWith("asgi_http2_"))
    .map(({ name, type, samples }) => [name, type, samples[0].value]);
  assertEquals(shown, [
    ["asgi_http2_streams_open", "gauge", 1],
    ["asgi_http2_streams_refused_total", "counter", 2],
    ["asgi_http2_abuse_total", "counter", 3],
  ]);
});

Deno.test("serverMetrics() shows what HTTP/3 has counted", () => {
  const metrics = serverMetrics({
    ...createCounts(),
    http3StreamsOpen: 1,
    http3StreamsRefused: 2,
    http3ConnectionsClosedForAbuse: 3,
  }, 0);
  const shown = metrics.filter(({ name }) => name.startsWith("asgi_http3_"))
    .map(({ name, type, samples }) => [name, type, samples[0].value]);
  assertEquals(shown, [
    ["asgi_http3_streams_open", "gauge", 1],
    ["asgi_http3_streams_refused_total", "counter", 2],
    ["asgi_http3_abuse_total", "counter", 3],
  ]);
});

Deno.test("counter() and gauge() make a sample of a number", () => {
  const [name, help, samples] = ["a", "Help.", [{ value: 1 }]];
  assertEquals(counter(name, help, 1), {
    name,
    help,
    type: "counter",
    samples,
  });
  assertEquals(gauge(name, help, 1), { name, help, type: "gauge", samples });
});
