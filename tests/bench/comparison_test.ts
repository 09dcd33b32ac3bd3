// What goes into the comparison, and what comes out: flags, the lines of load
// generators, the chart and the tables.

import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { BROWSER_FIELDS, BROWSER_REQUEST } from "../../bench/_requests.ts";
import { drawChart } from "../../bench/compare/chart.ts";
import { parseH2load } from "../../bench/compare/http2_load.ts";
import { parseFigures } from "../../bench/compare/load.ts";
import { formatCase, formatNumber } from "../../bench/compare/report.ts";
import { parseSettings } from "../../bench/compare/settings.ts";
import { ByteReader, RequestHeadParser } from "../../src/http1/mod.ts";
import { streamOf } from "../_feeding.ts";
import { resultsOf } from "./_results.ts";

Deno.test("settings are five runs of two seconds by default", () => {
  const settings = parseSettings([]);
  assertEquals([settings?.runs, settings?.seconds], [5, 2]);
});

Deno.test("settings are quick on demand, and what is given still holds", () => {
  const settings = parseSettings(["--quick", "--seconds", "3"]);
  assertEquals([settings?.runs, settings?.seconds], [1, 3]);
});

Deno.test("settings collect the cases that are named", () => {
  const settings = parseSettings(["--case", "one", "--case=two"]);
  assertEquals(settings?.cases, ["one", "two"]);
});

Deno.test("settings are none where help is asked for", () => {
  assertEquals(parseSettings(["--help"]), undefined);
});

Deno.test("settings that are no whole number, or below their least, throw", () => {
  for (const value of ["0", "1.5", "many", "-1"]) {
    assertThrows(
      () => parseSettings([`--runs=${value}`]),
      RangeError,
      `Cannot use --runs: it must be a whole number from 1, not "${value}"`,
    );
  }
  assertEquals(parseSettings(["--server-core=0"])?.serverCore, 0);
});

Deno.test("figures are found among what a generator prints", () => {
  const output = "Running 2s test\n  2 errors\nfigures 90 2000000 500 1500 2\n";
  assertEquals(parseFigures(output), {
    count: 90,
    seconds: 2,
    p50: 0.5,
    p99: 1.5,
    errors: 2,
    cpu: undefined,
  });
});

Deno.test("figures have the generator's processor time, if it gives one", () => {
  assertEquals(parseFigures("figures 1 2 3 4 0 1500000")?.cpu, 1.5);
});

Deno.test("figures are none where the generator printed none", () => {
  assertEquals(parseFigures("unable to connect\n"), undefined);
});

Deno.test("figures of h2load are its successes, and how fast they came", () => {
  const output = `progress: 100% of clients started

finished in 2.01s, 1500.00 req/s, 3.57MB/s
requests: 3010 total, 3020 started, 3010 done, 3000 succeeded, 10 failed, 8 errored, 2 timeout
status codes: 3000 2xx, 0 3xx, 0 4xx, 2 5xx
`;
  assertEquals(parseH2load(output), {
    count: 3000,
    seconds: 2,
    p50: 0,
    p99: 0,
    errors: 12,
    cpu: undefined,
  });
});

Deno.test("figures of h2load are none where it could not connect", () => {
  assertEquals(parseH2load("starting benchmark...\n"), undefined);
});

Deno.test("the browser's request has 30 fields that the parser accepts", async () => {
  const reader = new ByteReader(streamOf([BROWSER_REQUEST]));
  const head = await new RequestHeadParser(reader).read();
  assertEquals(head?.headers.length, 30);
  assertEquals(
    head?.headers,
    BROWSER_FIELDS.map(([name, value]) => [
      name,
      value,
    ]),
  );
});

Deno.test("numbers keep three digits that matter", () => {
  const numbers = [12_345.6, 99.94, 1.234, undefined].map(formatNumber);
  assertEquals(numbers, ["12,346", "99.9", "1.23", ""]);
});

Deno.test("a table says when the load generator was the limit", () => {
  const { cases } = resultsOf({
    one: {
      "x-asgi": { value: 100, loadCores: 0.99 },
      ws: { value: 50, loadCores: 0.5 },
    },
  });
  const text = formatCase(cases[0]);
  assertStringIncludes(text, "x-asgi: the load generator was the limit");
  assert(!text.includes("ws: the load generator was the limit"));
  assertStringIncludes(text, "0.50");
});

Deno.test("the chart's bars are as long as figures, the longest first", () => {
  const svg = drawChart(
    resultsOf({ one: { ws: { value: 25 }, "x-asgi": { value: 100 } } }),
    ["one"],
  );
  const widths = [...svg.matchAll(/class="(bar[a-z ]*)".* width="([\d.]+)"/g)]
    .map(([, kind, width]) => ({ kind, width: Number(width) }));
  assertEquals(widths.map(({ kind }) => kind), ["bar ours", "bar"]);
  assertEquals(widths[1].width * 4, widths[0].width);
  const [, room] = /viewBox="0 0 (\d+) /.exec(svg)!;
  assert(widths[0].width < Number(room), "A bar is wider than the picture");
});

Deno.test("the chart has only the cases that it is asked for", () => {
  const results = resultsOf({
    one: { ws: { value: 1 } },
    two: { ws: { value: 1 } },
  });
  const svg = drawChart(results, ["two"]);
  assertStringIncludes(svg, "title of two");
  assert(!svg.includes("title of one"));
});

Deno.test("the chart is well-formed, whatever a machine is called", () => {
  const svg = drawChart(resultsOf({}), []);
  assertStringIncludes(svg, "A &amp; B &lt;1>");
});
