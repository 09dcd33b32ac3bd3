// What a server counts, as Prometheus reads it.

import { assertEquals } from "@std/assert";
import type { Counts } from "../../src/metrics/counts.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { readExposition, sumIn, valueIn } from "./_exposition.ts";

Deno.test("Metrics shows every number, under a name of its own", () => {
  const metrics = new Metrics();
  const before = readExposition(metrics.toText());
  for (const name of Object.keys(metrics.counts) as (keyof Counts)[]) {
    // These are not counted, but asked for.
    if (["residentBytes", "logLinesLost"].includes(name)) continue;
    const other = new Metrics();
    const value = other.counts[name];
    if (typeof value === "number") Object.assign(other.counts, { [name]: 7 });
    else value[0] = 7;
    const after = readExposition(other.toText());
    const changed = [...after.keys()].filter((metric) => {
      const of = (text: typeof after) =>
        JSON.stringify(text.get(metric)?.samples.map(({ value }) => value));
      return metric !== "process_start_time_seconds" &&
        of(before) !== of(after);
    });
    assertEquals(changed.length, 1, name);
  }
});

Deno.test("Metrics shows requests by method and class of status, and omits pairs that never occurred", () => {
  const metrics = new Metrics();
  const outcome = { refusal: undefined, aborted: false };
  for (
    const [method, status] of [["GET", 200], ["GET", 204], [
      "BREW",
      418,
    ]] as const
  ) {
    metrics.requestEnded(metrics.requestBegan(), method, {
      status,
      ...outcome,
    });
  }
  const read = readExposition(metrics.toText());
  const name = "asgi_requests_total";
  assertEquals(valueIn(read, name, { method: "GET", status: "2xx" }), 2);
  assertEquals(valueIn(read, name, { method: "other", status: "4xx" }), 1);
  assertEquals(read.get(name)!.samples.length, 2);
  assertEquals(valueIn(read, "asgi_request_duration_seconds_count"), 3);
  assertEquals(valueIn(read, "asgi_requests_in_progress"), 0);
});

Deno.test("Metrics counts a refused request by its status, an aborted one as a disconnect", () => {
  const metrics = new Metrics();
  const end = (status: number | null, refusal: number | undefined) =>
    metrics.requestEnded(metrics.requestBegan(), "GET", {
      status,
      refusal,
      aborted: true,
    });
  end(200, undefined);
  end(200, 408);
  end(200, 500);
  metrics.refused(431);
  const read = readExposition(metrics.toText());
  assertEquals(valueIn(read, "asgi_client_disconnects_total"), 1);
  assertEquals(sumIn(read, "asgi_requests_refused_total"), 2);
  for (const status of ["408", "431"]) {
    const name = "asgi_requests_refused_total";
    assertEquals(valueIn(read, name, { status }), 1);
  }
});

Deno.test("Metrics shows how many lines of logs were lost by now", () => {
  const metrics = new Metrics();
  let lost = 3;
  metrics.countLostLines(() => lost);
  for (; lost < 5; lost++) {
    const read = readExposition(metrics.toText());
    assertEquals(valueIn(read, "asgi_log_lines_lost_total"), lost);
  }
});

Deno.test("Metrics gives a snapshot that does not change any more", () => {
  const metrics = new Metrics();
  const snapshot = metrics.snapshot();
  metrics.requestEnded(metrics.requestBegan(), "GET", {
    status: 200,
    refusal: undefined,
    aborted: false,
  });
  assertEquals(
    Object.values(snapshot).flat().every((value) => value === 0),
    true,
  );
});
