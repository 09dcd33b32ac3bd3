// The metrics as Prometheus' own parser for Python reads them, beside the
// reader of these tests, which must not be kinder.

import { assert, assertEquals } from "@std/assert";
import { Metrics } from "../../src/metrics/mod.ts";
import { granted, netTest } from "../e2e/_testing.ts";
import { readExposition } from "../metrics/_exposition.ts";

const SCRIPT = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
text = sys.stdin.read()
print(json.dumps([
  [metric.type, metric.documentation, [[s.name, s.labels, s.value] for s in metric.samples]]
  for metric in text_string_to_metric_families(text)
]))
`;

/** Runs Python with a text as its input. */
async function python(script: string, input: string): Promise<string> {
  const process = new Deno.Command("python3", {
    args: ["-c", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = process.output();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout } = await output;
  assert(success, "Python has failed");
  return new TextDecoder().decode(stdout);
}

function lacksParser(): string | undefined {
  if (!granted("run")) return undefined; // Ignored for that.
  try {
    const { success } = new Deno.Command("python3", {
      args: ["-c", "import prometheus_client.parser"],
      stdout: "null",
      stderr: "null",
    }).outputSync();
    if (success) return undefined;
  } catch {
    // There is no Python.
  }
  return "there is no python3 with prometheus_client";
}

netTest("Prometheus' parser reads the metrics as they were meant", async () => {
  const metrics = new Metrics();
  const outcome = { refusal: undefined, aborted: false };
  for (const [method, status] of [["GET", 200], ["BREW", 418]] as const) {
    metrics.requestEnded(metrics.requestBegan(), method, {
      ...outcome,
      status,
    });
  }
  metrics.refused(408);
  const text = metrics.toText();
  const expected = [...readExposition(text).values()]
    .map(({ type, help, samples }) => [
      type,
      help,
      samples.map(({ name, labels, value }) => {
        return [name, Object.fromEntries(labels), value];
      }),
    ]);
  assertEquals(JSON.parse(await python(SCRIPT, text)), expected);
}, { permissions: ["run"], lacks: lacksParser() });
