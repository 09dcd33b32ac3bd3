import { assert, assertEquals } from "@std/assert";
import {
  type Counts,
  createCounts,
  DURATION_BOUNDS,
  durationIndex,
  isCounts,
  METHODS,
  pastCounts,
  requestIndex,
  STATUS_CLASSES,
  sumCounts,
} from "../../src/metrics/counts.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { readExposition, sumIn, valueIn } from "./_exposition.ts";

/** Counts in which every number is another, so that none can be mixed up. */
function variedCounts(start: number): Counts {
  let next = start;
  return JSON.parse(
    JSON.stringify(createCounts(), (_, value) => {
      return typeof value === "number" ? next++ : value;
    }),
  );
}

function numbersOf(counts: Counts): number[] {
  return Object.values(counts).flat();
}

Deno.test("sumCounts() adds up every number", () => {
  const [a, b] = [variedCounts(1), variedCounts(1000)];
  const sum = numbersOf(sumCounts([a, b]));
  const [first, second] = [numbersOf(a), numbersOf(b)];
  assertEquals(sum, first.map((value, index) => value + second[index]));
});

Deno.test("sumCounts() of nothing is nothing, and of one is a copy", () => {
  assertEquals(sumCounts([]), createCounts());
  const counts = variedCounts(1);
  const sum = sumCounts([counts]);
  assertEquals(sum, counts);
  sum.requests[0] = -1;
  assert(counts.requests[0] !== -1);
});

Deno.test("pastCounts() keeps what has happened, and drops what is", () => {
  const counts = variedCounts(1);
  const before = structuredClone(counts);
  const past = pastCounts(counts);
  assertEquals(past, {
    ...before,
    connectionsOpen: 0,
    requestsInProgress: 0,
    webSocketsOpen: 0,
    bufferedBytes: 0,
    residentBytes: 0,
    ready: 0,
  });
  assertEquals(counts, before);
});

Deno.test("isCounts() takes counts, also from another process", () => {
  assert(isCounts(createCounts()));
  assert(isCounts(JSON.parse(JSON.stringify(variedCounts(1)))));
});

Deno.test("isCounts() takes nothing else", () => {
  const counts = createCounts();
  const wrong: unknown[] = [
    ...[null, undefined, 1, "counts", [], {}],
    { ...counts, appErrors: "1" },
    { ...counts, appErrors: NaN },
    { ...counts, requests: 1 },
    { ...counts, requests: [1] },
    { ...counts, refused: counts.refused.map(String) },
    Object.fromEntries(Object.entries(counts).slice(1)),
  ];
  for (const value of wrong) assert(!isCounts(value), JSON.stringify(value));
});

Deno.test("requestIndex() has a place for every method and class of status", () => {
  const statuses = [null, 101, 204, 304, 499, 500];
  const indices = METHODS.flatMap((method) =>
    statuses.map((status) => requestIndex(method, status))
  );
  const all = METHODS.length * STATUS_CLASSES.length;
  assertEquals(indices, Array.from({ length: all }, (_, index) => index));
});

Deno.test("requestIndex() counts odd methods and statuses with others", () => {
  const other = requestIndex("other", 500);
  for (const method of ["", "get", "BREW", "__proto__", "constructor"]) {
    assertEquals(requestIndex(method, 599), other, method);
  }
  assertEquals(requestIndex("GET", 999), requestIndex("GET", 500));
});

Deno.test("durationIndex() counts a bound with what is below it", () => {
  assertEquals(durationIndex(0), 0);
  DURATION_BOUNDS.forEach((bound, index) => {
    assertEquals(durationIndex(bound), index);
    assertEquals(durationIndex(bound * 1.01), index + 1);
  });
  assertEquals(durationIndex(1e9), DURATION_BOUNDS.length);
});

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
  assertEquals(numbersOf(snapshot).every((value) => value === 0), true);
});
