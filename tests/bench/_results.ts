// Results of a comparison, as a test needs them.

import type {
  CaseResult,
  Figures,
  Results,
} from "../../bench/compare/results.ts";
import { summarize } from "../../bench/compare/results.ts";

/** Results of some cases: for each, the figures of its servers. */
export function resultsOf(
  cases: Record<string, Record<string, Figures>>,
): Results {
  return {
    date: "2026-01-31T12:00:00.000Z",
    machine: { processor: "A & B <1>", cores: 2, memory: 24, system: "linux" },
    versions: {},
    runs: 1,
    seconds: 2,
    connections: 1000,
    missing: [],
    cases: Object.entries(cases).map(([name, servers]) =>
      caseOf(name, servers)
    ),
  };
}

function caseOf(name: string, servers: Record<string, Figures>): CaseResult {
  return {
    case: name,
    title: `title of ${name}`,
    unit: "requests/s",
    better: "higher",
    servers: Object.entries(servers)
      .map(([server, figures]) => summarize(server, [figures])),
    failures: [],
  };
}
