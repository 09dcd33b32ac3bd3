// Which host goes where, and which is refused.

import { assertEquals, assertThrows } from "@std/assert";
import type { AsgiApp, Header } from "../../src/asgi/types.ts";
import { allowedHosts, hosts } from "../../src/middleware/hosts.ts";
import {
  eventsOf,
  headOf,
  httpScopeOf,
  lifespanScope,
  seenThrough,
  webSocketScopeOf,
} from "./_calls.ts";

const PATTERNS = ["example.com", "*.example.com", "*.a.example.com", "[::1]"];

/** The pattern that takes a host, or the status of the refusal. */
async function routed(
  values: string[],
  fallback?: AsgiApp,
): Promise<string | number> {
  const calls: string[] = [];
  const apps = Object.fromEntries(
    PATTERNS.map((pattern) => [pattern, () => void calls.push(pattern)]),
  );
  const headers = values.map((value): Header => ["host", value]);
  const events = await eventsOf(
    hosts(apps, fallback),
    httpScopeOf({ headers }),
  );
  return calls[0] ?? headOf(events).status;
}

for (
  const [host, expected] of [
    ["example.com", "example.com"],
    ["EXAMPLE.com", "example.com"],
    ["example.com:8000", "example.com"],
    ["example.com.", "example.com"],
    ["example.com.:80", "example.com"],
    ["b.example.com", "*.example.com"],
    ["c.b.example.com", "*.example.com"],
    ["a.example.com", "*.example.com"],
    ["b.a.example.com", "*.a.example.com"],
    ["[::1]:8000", "[::1]"],
    ["notexample.com", 421],
    ["example.com.evil.test", 421],
    [".example.com", 421],
    ["com", 421],
    ["*.example.com", "*.example.com"],
    ["example.com:x", 421],
    ["example.com/x", 421],
    ["evil.test@example.com", 421],
    ["", 421],
    [`${"a".repeat(240)}.example.com`, "*.example.com"],
    [`${"a.".repeat(30_000)}example.com`, 421],
    [".".repeat(60_000), 421],
  ] as const
) {
  Deno.test(`hosts() gives "${host.slice(0, 30)}", ${host.length} long, to ${expected}`, async () => {
    assertEquals(await routed([host]), expected);
  });
}

Deno.test("hosts() refuses a request without a host, or with two", async () => {
  assertEquals(await routed([]), 421);
  assertEquals(await routed(["example.com", "example.com"]), 421);
});

Deno.test("hosts() gives what nothing else takes to the fallback", async () => {
  const calls: string[] = [];
  const fallback: AsgiApp = async (_scope, _receive, send) => {
    calls.push("fallback");
    await send({ type: "http.response.start", status: 200 });
  };
  assertEquals(await routed(["other.test"], fallback), 200);
  assertEquals(await routed([], fallback), 200);
  assertEquals(await routed(["example.com"], fallback), "example.com");
  assertEquals(calls.length, 2);
});

Deno.test("allowedHosts() lets its hosts through, and answers others with a 400", async () => {
  const wrap = (app: AsgiApp) => allowedHosts(app, PATTERNS);
  for (const host of ["example.com:81", "b.example.com", "[::1]"]) {
    const scope = httpScopeOf({ headers: [["host", host]] });
    assertEquals(await seenThrough(wrap, scope), scope);
  }
  for (const host of ["evil.test", "com", "[::2]", ""]) {
    const scope = httpScopeOf({ headers: [["host", host]] });
    assertEquals(await seenThrough(wrap, scope), undefined);
    assertEquals(headOf(await eventsOf(wrap(() => {}), scope)).status, 400);
  }
});

Deno.test("allowedHosts() denies a WebSocket to another host", async () => {
  const app = allowedHosts(() => {}, PATTERNS);
  const scope = webSocketScopeOf({ headers: [["host", "evil.test"]] });
  const { type, status } = headOf(await eventsOf(app, scope));
  assertEquals([type, status], ["websocket.http.response.start", 400]);
});

Deno.test("allowedHosts() passes lifespan on", async () => {
  const scope = lifespanScope();
  const wrap = (app: AsgiApp) => allowedHosts(app, []);
  assertEquals(await seenThrough(wrap, scope), scope);
});

for (
  const pattern of [
    "",
    "*",
    "*.",
    "a.*.com",
    "*example.com",
    "example.com:80",
    "https://example.com",
    "example.com/",
    ".example.com",
    "example..com",
    "-a.test",
    "::1",
    "müller.test",
  ]
) {
  Deno.test(`hosts() and allowedHosts() refuse the pattern "${pattern}"`, () => {
    const message = `Cannot match host "${pattern}"`;
    assertThrows(() => hosts({ [pattern]: () => {} }), TypeError, message);
    assertThrows(() => allowedHosts(() => {}, [pattern]), TypeError, message);
  });
}

Deno.test("hosts() refuses two patterns that are the same", () => {
  assertThrows(
    () => hosts({ "a.test": () => {}, "A.test": () => {} }),
    TypeError,
    'Cannot match host "A.test": it is there twice',
  );
});
