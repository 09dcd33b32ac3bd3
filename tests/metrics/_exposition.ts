// A strict reader of the text format of Prometheus, version 0.0.4, written from
// its description and sharing nothing with what writes it. It refuses what a
// scraper would, and what it would take for a mistake: a metric without HELP or
// TYPE, samples that are not together, a value that is there twice, a histogram
// that does not add up.

/** One value. */
export interface ReadSample {
  /** The name, with its suffix. */
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** A metric and its values. */
export interface ReadMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ReadSample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) (.*)$`);
const TYPE = new RegExp(
  `^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`,
);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i;

/** Reads a text; throws for one that is not of the format. */
export function readExposition(text: string): Map<string, ReadMetric> {
  if (!text.endsWith("\n")) throw new Error("The last line has no end");
  const lines = text.slice(0, -1).split("\n");
  const metrics = new Map<string, ReadMetric>();
  while (lines.length > 0) {
    const metric = takeMetric(lines);
    if (metrics.has(metric.name)) throw new Error(`Twice: ${metric.name}`);
    checkMetric(metric);
    metrics.set(metric.name, metric);
  }
  return metrics;
}

/** The value of a metric with exactly these labels. */
export function valueIn(
  metrics: ReadonlyMap<string, ReadMetric>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = metrics.get(name) ??
    metrics.get(name.replace(/_(bucket|sum|count)$/, ""));
  return family?.samples.find((one) =>
    one.name === name && keyOf(one) === keyOf({ name, labels: mapOf(labels) })
  )?.value;
}

/** The sum of all values of a metric. */
export function sumIn(
  metrics: ReadonlyMap<string, ReadMetric>,
  name: string,
): number {
  const samples = metrics.get(name)?.samples ?? [];
  return samples.reduce((sum, { value }) => sum + value, 0);
}

function takeMetric(lines: string[]): ReadMetric {
  const [, name, help] = match(HELP, lines.shift());
  const [, typed, type] = match(TYPE, lines.shift());
  if (typed !== name) throw new Error(`TYPE of ${typed} below HELP of ${name}`);
  const samples: ReadSample[] = [];
  while (lines.length > 0 && !lines[0].startsWith("#")) {
    samples.push(readSample(lines.shift()!));
  }
  return { name, type, samples, help: unescape(help, "\\n") };
}

function readSample(line: string): ReadSample {
  const [, name, labels, value] = match(SAMPLE, line);
  if (!VALUE.test(value)) throw new Error(`No value: ${line}`);
  const number = Number(value.replace(/inf$/i, "Infinity"));
  return { name, labels: readLabels(labels ?? ""), value: number };
}

function readLabels(text: string): Map<string, string> {
  const labels = new Map<string, string>();
  for (let rest = text; rest !== "";) {
    const [all, name, value] = match(LABEL, rest);
    if (labels.has(name)) throw new Error(`A label twice: ${text}`);
    labels.set(name, unescape(value, '\\n"'));
    rest = rest.slice(all.length);
  }
  return labels;
}

function unescape(text: string, known: string): string {
  return text.replaceAll(/\\(.?)/gs, (_, char: string) => {
    if (char === "" || !known.includes(char)) {
      throw new Error(`Escape: ${text}`);
    }
    return char === "n" ? "\n" : char;
  });
}

function checkMetric({ name, type, samples }: ReadMetric): void {
  const keys = samples.map(keyOf);
  if (new Set(keys).size < keys.length) {
    throw new Error(`A sample twice: ${name}`);
  }
  if (type === "histogram") return checkHistogram(name, samples);
  for (const sample of samples) {
    if (sample.name !== name) throw new Error(`${sample.name} in ${name}`);
    const wrong = type === "counter" && !(sample.value >= 0);
    if (wrong) throw new Error(`A counter below 0: ${name}`);
  }
}

function checkHistogram(name: string, samples: readonly ReadSample[]): void {
  const buckets = samples.filter((one) => one.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) =>
    Number(labels.get("le")!.replace("Inf", "Infinity"))
  );
  const [sum, count] = samples.slice(buckets.length);
  const sound = sum?.name === `${name}_sum` &&
    count?.name === `${name}_count` &&
    samples.length === buckets.length + 2 && isAscending(bounds) &&
    isAscending(buckets.map(({ value }) => value)) &&
    bounds.at(-1) === Infinity && buckets.at(-1)!.value === count.value;
  if (!sound) throw new Error(`No histogram: ${name}`);
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((one, i) => i === 0 || one >= numbers[i - 1]);
}

function match(pattern: RegExp, line = "(the end)"): RegExpExecArray {
  const found = pattern.exec(line);
  if (found === null) throw new Error(`Not ${pattern}: ${line}`);
  return found;
}

function keyOf({ name, labels }: Pick<ReadSample, "name" | "labels">): string {
  return JSON.stringify([name, [...labels].sort()]);
}

function mapOf(labels: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries(labels));
}
