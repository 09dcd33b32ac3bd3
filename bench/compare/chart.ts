/**
 * The results as a picture: for each case a group of bars, one a server, as
 * long as its figure is to the largest of the group. It reads well on light and
 * dark pages, because its colours follow the reader's colour scheme.
 *
 * @module
 */

import { formatNumber } from "./report.ts";
import type { CaseResult, Results } from "./results.ts";

/** What a README has room for. */
const CHARTED = [
  "hello-32",
  "browser",
  "echo-1k",
  "pipelined",
  "websocket-text",
];

const WIDTH = 720;
const LABEL_WIDTH = 150;
const FIGURE_WIDTH = 80;
const BAR_HEIGHT = 14;
const ROW_HEIGHT = 20;
const TITLE_HEIGHT = 26;
const GAP = 18;

const STYLE = `
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .title { font-weight: 600; font-size: 13px; }
    .note { fill: #57606a; }
    .bar { fill: #afb8c1; }
    .ours { fill: #0969da; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .note { fill: #9198a1; }
      .bar { fill: #59636e; }
      .ours { fill: #4493f8; }
    }
  `;

/** A chart of some cases, in SVG. */
export function drawChart(
  results: Results,
  cases: readonly string[] = CHARTED,
): string {
  const groups = results.cases
    .filter((result) => cases.includes(result.case))
    .filter(({ servers }) => servers.length > 0);
  const parts: string[] = [];
  let y = 0;
  for (const group of groups) {
    parts.push(drawGroup(group, y));
    y += TITLE_HEIGHT + group.servers.length * ROW_HEIGHT + GAP;
  }
  const { processor, cores } = results.machine;
  const note = `${processor}, ${cores} cores, ${results.date.slice(0, 10)}; ` +
    `servers on one core; runs of each: ${results.runs}`;
  parts.push(text(0, y + 10, "note", note));
  const height = y + GAP;
  const title = "Throughput of servers; a longer bar is better";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
  <title>${title}</title>
  <style>${STYLE}</style>
${parts.join("\n")}
</svg>
`;
}

function drawGroup({ title, unit, servers }: CaseResult, top: number): string {
  const sorted = servers.toSorted((a, b) => b.value - a.value);
  const room = WIDTH - LABEL_WIDTH - FIGURE_WIDTH;
  const rows = sorted.map(({ server, value }, i) => {
    const y = top + TITLE_HEIGHT + i * ROW_HEIGHT;
    const width = Math.max(1, room * value / sorted[0].value).toFixed(1);
    const kind = server.startsWith("x-asgi") ? "bar ours" : "bar";
    return [
      text(0, y + 11, "", server),
      `  <rect class="${kind}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`,
      text(LABEL_WIDTH + Number(width) + 6, y + 11, "", formatNumber(value)),
    ].join("\n");
  });
  return [text(0, top + 14, "title", `${title} (${unit})`), ...rows].join("\n");
}

function text(x: number, y: number, kind: string, content: string): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const style = kind === "" ? "" : ` class="${kind}"`;
  return `  <text${style} x="${x}" y="${y}">${escaped}</text>`;
}
