// The text is read by a parser that was written for these tests alone.

import { assertEquals, assertThrows } from "@std/assert";
import { formatMetrics } from "../../src/metrics/exposition.ts";
import { readExposition, valueIn } from "./_exposition.ts";

Deno.test("formatMetrics() writes help, type and values", () => {
  const text = formatMetrics([
    {
      name: "a_total",
      help: "All a.",
      type: "counter",
      samples: [{ value: 3 }],
    },
    {
      name: "b",
      help: "All b.",
      type: "gauge",
      samples: [
        { labels: { one: "1", two: "2" }, value: -0.5 },
        { labels: { one: "2", two: "2" }, value: 1e21 },
      ],
    },
  ]);
  assertEquals(
    text,
    "# HELP a_total All a.\n# TYPE a_total counter\na_total 3\n" +
      '# HELP b All b.\n# TYPE b gauge\nb{one="1",two="2"} -0.5\nb{one="2",two="2"} 1e+21\n',
  );
});

Deno.test("formatMetrics() writes nothing for nothing", () => {
  assertEquals(formatMetrics([]), "");
});

Deno.test("formatMetrics() escapes help and the values of labels", () => {
  const nasty = 'a "quote", a \\backslash\\n, a\nline {end}=,';
  const metrics = readExposition(formatMetrics([{
    name: "a",
    help: nasty,
    type: "gauge",
    samples: [{ labels: { label: nasty, other: "" }, value: 1 }],
  }]));
  assertEquals(metrics.get("a")!.help, nasty);
  assertEquals(valueIn(metrics, "a", { label: nasty, other: "" }), 1);
});

Deno.test("formatMetrics() writes numbers that are not finite", () => {
  const values = [Infinity, -Infinity, NaN];
  const samples = values.map((value, index) => {
    return { labels: { index: String(index) }, value };
  });
  const text = formatMetrics([{ name: "a", help: "", type: "gauge", samples }]);
  assertEquals(
    readExposition(text).get("a")!.samples.map(({ value }) => value),
    values,
  );
});

// A reader that takes anything would prove nothing.
const HEAD = "# HELP a b\n# TYPE a counter\n";
const WRONG: [what: string, text: string][] = [
  ["a line without end", `${HEAD}a 1`],
  ["a metric without help", "# TYPE a counter\na 1\n"],
  ["a metric without type", "# HELP a b\na 1\n"],
  ["a type for another metric", "# HELP a b\n# TYPE b counter\na 1\n"],
  ["an unknown type", "# HELP a b\n# TYPE a number\na 1\n"],
  ["another metric's value", `${HEAD}b 1\n`],
  ["a value twice", `${HEAD}a 1\na 1\n`],
  ["a metric twice", `${HEAD}a 1\n${HEAD}a 1\n`],
  ["no number", `${HEAD}a one\n`],
  ["a counter below 0", `${HEAD}a -1\n`],
  ["a label without quotes", `${HEAD}a{b=1} 1\n`],
  ["a label that ends too soon", `${HEAD}a{b="1"c"} 1\n`],
  ["a label twice", `${HEAD}a{b="1",b="2"} 1\n`],
  ["an unknown escape", `${HEAD}a{b="\\t"} 1\n`],
  ["a name with a hyphen", "# HELP a-b c\n# TYPE a-b counter\na-b 1\n"],
];

for (const [what, text] of WRONG) {
  Deno.test(`the reader of these tests refuses ${what}`, () => {
    assertThrows(() => readExposition(text), Error);
  });
}

Deno.test("the reader of these tests refuses a histogram that does not add up", () => {
  const head = "# HELP h b\n# TYPE h histogram\n";
  const tail = "h_sum 1\nh_count 3\n";
  readExposition(`${head}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\n${tail}`);
  const wrong = [
    `h_bucket{le="1"} 2\n`,
    `h_bucket{le="1"} 4\nh_bucket{le="+Inf"} 3\n`,
    `h_bucket{le="2"} 2\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\n`,
    `h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 2\n`,
  ];
  for (const buckets of wrong) {
    assertThrows(() => readExposition(head + buckets + tail), Error);
  }
});
