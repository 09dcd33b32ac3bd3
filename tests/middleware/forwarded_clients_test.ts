// Which member of a list is the client: the walk from the right, and members that
// cannot be parsed.

import { assertEquals } from "@std/assert";
import type { HostPort } from "../../src/asgi/types.ts";
import { clientOf, seen } from "./_forwarded.ts";

const WALKS: [values: string[], client: HostPort][] = [
  [["192.0.2.1"], ["192.0.2.1", 0]],
  [["192.0.2.1, 198.51.100.2"], ["198.51.100.2", 0]],
  [["192.0.2.1, 198.51.100.2, 10.1.1.1"], ["198.51.100.2", 0]],
  [["192.0.2.1,198.51.100.2,10.1.1.1,10.2.2.2"], ["198.51.100.2", 0]],
  [["192.0.2.1", "198.51.100.2", "10.1.1.1"], ["198.51.100.2", 0]],
  [["198.51.100.2, 10.1.1.1", "10.2.2.2"], ["198.51.100.2", 0]],
  [["10.1.1.1"], ["10.1.1.1", 0]],
  [["10.1.1.1, 10.2.2.2"], ["10.1.1.1", 0]],
  [["192.0.2.1,, ,10.1.1.1,"], ["192.0.2.1", 0]],
  [["\t192.0.2.1\t,\t10.1.1.1 "], ["192.0.2.1", 0]],
];

for (const [values, client] of WALKS) {
  Deno.test(`forwarded() finds ${client[0]} in X-Forwarded-For: ${values.join(" | ")}`, async () => {
    assertEquals(await clientOf(...values), client);
  });
}

const NODES: Record<string, HostPort> = {
  "192.0.2.1:47011": ["192.0.2.1", 47011],
  "2001:db9::1": ["2001:db9::1", 0],
  "2001:DB9:0::1": ["2001:db9::1", 0],
  "[2001:db9::1]": ["2001:db9::1", 0],
  "[2001:db9::1]:47011": ["2001:db9::1", 47011],
  "::ffff:192.0.2.1": ["192.0.2.1", 0],
  "[::ffff:192.0.2.1]:80": ["192.0.2.1", 80],
  "192.0.2.1:_port": ["192.0.2.1", 0],
  "192.0.2.1:0": ["192.0.2.1", 0],
  "unknown": ["unknown", 0],
  "_hidden": ["_hidden", 0],
  "_SEVKISEK.a-b": ["_SEVKISEK.a-b", 0],
  "_hidden:81": ["_hidden", 81],
};

for (const [text, client] of Object.entries(NODES)) {
  Deno.test(`forwarded() takes ${text} as a client, in both kinds of field`, async () => {
    assertEquals(await clientOf(text), client);
    const field = ["forwarded", `for="${text}"`] as const;
    const scope = await seen([field], { fields: ["forwarded"] });
    assertEquals(scope.client, client);
  });
}

for (
  const text of [
    "192.0.2.256",
    "192.0.2.1:",
    "192.0.2.1:123456",
    "192.0.2.1:80:80",
    "[192.0.2.1",
    "[]",
    "[unknown]",
    "2001:db9::1::",
    "localhost",
    "client.example",
    "<script>",
    "_",
    "_a b",
    "a\xffb",
    "127.0.0.1 127.0.0.1",
  ]
) {
  Deno.test(`forwarded() takes ${text} as unknown, and reads nothing left of it`, async () => {
    assertEquals(await clientOf(text), ["unknown", 0]);
    assertEquals(await clientOf(`192.0.2.1, ${text}`), ["unknown", 0]);
    assertEquals(await clientOf(`${text}, 192.0.2.1`), ["192.0.2.1", 0]);
    assertEquals(await clientOf(`10.0.0.9, ${text}, 10.0.0.1`), ["unknown", 0]);
  });
}
