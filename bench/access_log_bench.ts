/**
 * What a line of the access log costs, in each format: made of a record, and
 * put into the writer that collects lines. A record like a browser's request.
 *
 *     deno bench bench/access_log_bench.ts
 *
 * @module
 */

import {
  accessFormatter,
  type AccessRecord,
  LineWriter,
} from "../src/logs/mod.ts";

const record: AccessRecord = {
  type: "http",
  time: Date.UTC(2026, 0, 31, 12),
  duration: 1.2345,
  client: ["192.0.2.1", 50_000],
  scheme: "https",
  httpVersion: "1.1",
  method: "GET",
  target: "/items/1234?sort=name&page=2",
  headers: [
    ["host", "www.example.com"],
    ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101"],
    ["accept", "text/html,application/xhtml+xml,application/xml;q=0.9"],
    ["accept-language", "en-US,en;q=0.5"],
    ["accept-encoding", "gzip, deflate, br, zstd"],
    ["referer", "https://www.example.com/items"],
    ["cookie", "session=0123456789abcdef"],
    ["connection", "keep-alive"],
  ],
  status: 200,
  bytesSent: 12_345,
  aborted: false,
};

const nowhere = { write: ({ length }: Uint8Array) => Promise.resolve(length) };

const FORMATS: Record<string, string> = {
  common: "common",
  combined: "combined",
  json: "json",
  "a format string": '%h %t "%r" %s %B %{ms}T "%{user-agent}i"',
};

for (const [name, format] of Object.entries(FORMATS)) {
  const toLine = accessFormatter(format);
  const lines = new LineWriter(nowhere, { delay: 60_000 });
  // Times advance, as they do: some 50,000 requests a second.
  let time = record.time;
  Deno.bench(`one line: ${name}`, () => {
    time += 0.02;
    lines.line(toLine({ ...record, time }));
  });
}

const toCombined = accessFormatter("combined");
const hostile = { ...record, target: "/\x1b[2J\x1b[31m".repeat(10) };
Deno.bench("one line: combined, with much to escape", () => {
  toCombined(hostile);
});
