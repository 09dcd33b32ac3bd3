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
    http2StreamsOpen: 0,
    http3StreamsOpen: 0,
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
