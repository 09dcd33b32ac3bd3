// Forwarded (RFC 7239), through `forwarded()`.

import { assertEquals } from "@std/assert";
import type { HostPort } from "../../src/asgi/types.ts";
import { seen, standard } from "./_forwarded.ts";

const INNER = "inner:8000";
const PEER: HostPort = ["127.0.0.1", 50_000];
const STANDARD: [
  lines: string[],
  client: HostPort,
  scheme: string,
  host: string,
][] = [
  [["for=192.0.2.1"], ["192.0.2.1", 0], "http", INNER],
  [["For=192.0.2.1;PROTO=HTTPS"], ["192.0.2.1", 0], "https", INNER],
  [["for=192.0.2.1 ; proto=https ;"], ["192.0.2.1", 0], "https", INNER],
  [
    ['for="[2001:db9::1]:4711";host="a.test:81";by=10.0.0.1'],
    ["2001:db9::1", 4711],
    "http",
    "a.test:81",
  ],
  [["for=[2001:db9::1]"], ["2001:db9::1", 0], "http", INNER],
  [['for="192.0.\\2.1"'], ["192.0.2.1", 0], "http", INNER],
  [["for=192.0.2.1, for=10.0.0.1"], ["192.0.2.1", 0], "http", INNER],
  [["for=192.0.2.1", "for=10.0.0.1"], ["192.0.2.1", 0], "http", INNER],
  [
    ["for=192.0.2.1;proto=http", "for=198.51.100.2;proto=https,for=10.0.0.1"],
    ["198.51.100.2", 0],
    "https",
    INNER,
  ],
  [["proto=https"], PEER, "https", INNER],
  [["for=192.0.2.1, proto=https"], PEER, "https", INNER],
  [
    ["for=10.0.0.2, proto=https, for=10.0.0.1"],
    ["10.0.0.1", 0],
    "https",
    INNER,
  ],
  [["for=unknown;proto=https"], ["unknown", 0], "https", INNER],
  [['x="a,b;c\\"";for=192.0.2.1'], ["192.0.2.1", 0], "http", INNER],
  [['for=192.0.2.1;x="\\\\"'], ["192.0.2.1", 0], "http", INNER],
  [[", ,for=192.0.2.1,"], ["192.0.2.1", 0], "http", INNER],
];

for (const [lines, ...expected] of STANDARD) {
  Deno.test(`forwarded() reads Forwarded: ${lines.join(" | ")}`, async () => {
    assertEquals(await standard(...lines), expected);
  });
}

for (
  const text of [
    "192.0.2.1",
    "for",
    "for=",
    "=192.0.2.1",
    "for=192.0.2.1;for=192.0.2.1",
    'for="192.0.2.1',
    'for=192.0.2.1"',
    'for="192.0.2.1"x',
    "for=192.0.2.1 proto=https",
    "fo r=192.0.2.1",
    '"for=192.0.2.1"',
  ]
) {
  Deno.test(`forwarded() takes the element ${text} as unknown, and reads nothing left of it`, async () => {
    const unknown = [["unknown", 0], "http", INNER];
    assertEquals(await standard(text), unknown);
    assertEquals(await standard(`${text}, for=10.0.0.1`), unknown);
    assertEquals(await standard(`for=192.0.2.1;proto=https, ${text}`), unknown);
    assertEquals(await standard("for=192.0.2.1", text), unknown);
  });
}

Deno.test("forwarded() reads what a proxy appended, whatever quotes a client left open", async () => {
  const appended = 'for="[2001:db9::1]";proto=https';
  const expected = [["2001:db9::1", 0], "https", INNER];
  for (
    const forged of [
      'for="',
      'for="x',
      'for=192.0.2.1;x="',
      'for="\\',
      '"',
      '\\"',
      'a="b", c="',
    ]
  ) {
    assertEquals(await standard(`${forged}, ${appended}`), expected, forged);
    assertEquals(await standard(forged, appended), expected, forged);
  }
});

Deno.test("forwarded() reads a Forwarded of 60 KiB, whatever stands in it", async () => {
  const lines = [`for="${"\\".repeat(60_000)}, for=192.0.2.1`];
  assertEquals((await standard(...lines))[0], ["192.0.2.1", 0]);
  const quotes = `${'"\\'.repeat(30_000)}, for=10.0.0.1`;
  assertEquals((await standard(quotes))[0], ["unknown", 0]);
});

Deno.test("forwarded() reads Forwarded together with the prefix, which that lacks", async () => {
  const scope = await seen(
    [["forwarded", "for=192.0.2.1"], ["x-forwarded-prefix", "/api"]],
    { fields: ["forwarded", "x-forwarded-prefix"] },
  );
  assertEquals([scope.client?.[0], scope.root_path], ["192.0.2.1", "/api"]);
});
