// The statistics of the comparison, and the medians of several runs.

import { assertEquals, assertThrows } from "@std/assert";
import { summarize } from "../../bench/compare/results.ts";
import { median, percentile } from "../../bench/compare/statistics.ts";

Deno.test("median is the value in the middle, whatever the order", () => {
  assertEquals(median([10, 2, 33]), 10);
});

Deno.test("median is the mean of the two in the middle, for an even count", () => {
  assertEquals(median([1, 100, 3, 5]), 4);
});

Deno.test("median leaves its values as they are", () => {
  const values = [3, 1, 2];
  median(values);
  assertEquals(values, [3, 1, 2]);
});

Deno.test("median of nothing throws", () => {
  assertThrows(() => median([]), RangeError, "Cannot take median of nothing");
});

Deno.test("percentile is a value that so many do not exceed", () => {
  const values = Array.from({ length: 200 }, (_, i) => i + 1);
  assertEquals(percentile(values, 0.5), 100);
  assertEquals(percentile(values, 0.99), 198);
  assertEquals(percentile([7], 0.99), 7);
});

Deno.test("percentile of nothing throws", () => {
  assertThrows(() => percentile([], 0.5), RangeError);
});

Deno.test("summarize takes the median of each figure on its own", () => {
  const runs = [
    { value: 1, p99: 30 },
    { value: 2, p99: 10 },
    { value: 3, p99: 20 },
  ];
  assertEquals(summarize("one", runs), {
    server: "one",
    value: 2,
    p99: 20,
    runs,
  });
});

Deno.test("summarize leaves out a run that lacks a figure, for that figure", () => {
  const { value, p50 } = summarize("one", [{ value: 1, p50: 5 }, { value: 3 }]);
  assertEquals([value, p50], [2, 5]);
});
