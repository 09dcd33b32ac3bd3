/**
 * The text format of Prometheus, version 0.0.4: metrics with what they mean,
 * their type, and a line for each of their values.
 *
 * @module
 */

/** The media type of the text. */
export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What distinguishes the values of a metric. */
export type Labels = Readonly<Record<string, string>>;

/** One line of a metric. */
export interface Sample {
  /** What the name of the metric is followed by, such as "_sum". Default: "". */
  readonly suffix?: string;
  /** Default: none. */
  readonly labels?: Labels;
  /** The value. */
  readonly value: number;
}

/** A metric and its values. */
export interface Metric {
  /** The name. */
  readonly name: string;
  /** What it means. */
  readonly help: string;
  /** What kind of numbers these are. */
  readonly type: "counter" | "gauge" | "histogram";
  /** The values. */
  readonly samples: readonly Sample[];
}

/** Writes metrics as text. */
export function formatMetrics(metrics: readonly Metric[]): string {
  return metrics.map(formatMetric).join("");
}

function formatMetric({ name, help, type, samples }: Metric): string {
  const lines = [
    `# HELP ${name} ${escapeText(help)}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ suffix = "", labels = {}, value }) =>
      `${name}${suffix}${formatLabels(labels)} ${formatValue(value)}`
    ),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(value: string): string {
  return escapeText(value).replaceAll('"', '\\"');
}

function formatValue(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
