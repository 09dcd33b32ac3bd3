// Behind proxies: which fields count, how far, what they change, and that nothing
// that a client can send changes anything else.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { AsgiApp, Scope } from "../../src/asgi/types.ts";
import { forwarded } from "../../src/middleware/forwarded.ts";
import type { ForwardedField } from "../../src/middleware/forwarded_fields.ts";
import {
  httpScopeOf,
  lifespanScope,
  type ScopeFacts,
  seenThrough,
  webSocketScopeOf,
} from "./_calls.ts";
import {
  ALL,
  clientOf,
  type Fields,
  scopeWith,
  seen,
  standard,
  TRUST,
} from "./_forwarded.ts";

// Which fields count.

const FORGED: Fields = [
  ["x-forwarded-for", "192.0.2.1"],
  ["x-forwarded-proto", "https"],
  ["x-forwarded-host", "evil.test"],
  ["x-forwarded-port", "444"],
  ["x-forwarded-prefix", "/evil"],
  ["forwarded", "for=192.0.2.1;proto=https;host=evil.test"],
];

// How far.

/** Both kinds of field, with a client and so many proxies that are trusted. */
function throughProxies(count: number): Record<string, string> {
  const hops = ["192.0.2.1", ...new Array(count).fill("10.0.0.1")];
  return {
    "x-forwarded-for": hops.join(","),
    "forwarded": hops.map((hop) => `for=${hop}`).join(","),
  };
}

for (const field of ["x-forwarded-for", "forwarded"] as const) {
  for (
    const [count, client] of [
      [31, "192.0.2.1"],
      [32, "unknown"],
      [5000, "unknown"],
    ] as const
  ) {
    Deno.test(`forwarded() finds ${client} behind ${count} trusted proxies in ${field}`, async () => {
      const fields = [[field, throughProxies(count)[field]]] as const;
      const scope = await seen(fields, { fields: [field] });
      assertEquals(scope.client, [client, 0]);
      const lines = throughProxies(count)[field].split(",")
        .map((line) => [field, line] as const);
      assertEquals(
        (await seen(lines, { fields: [field] })).client?.[0],
        client,
      );
    });
  }
}

Deno.test("forwarded() takes what is far too long as unknown, or not at all", async () => {
  const long = `_${"a".repeat(60_000)}`;
  assertEquals(await clientOf(long), ["unknown", 0]);
  assertEquals((await standard(`for=${long}`))[0], ["unknown", 0]);
  const parameters = Array.from({ length: 40 }, (_, i) => `a${i}=b`).join(";");
  assertEquals((await standard(`${parameters};for=192.0.2.1`))[0], [
    "unknown",
    0,
  ]);
  const fields: Fields = [["x-forwarded-prefix", "/a".repeat(30_000)]];
  const { root_path } = await seen(fields, { fields: ALL });
  assertEquals(root_path, "");
});

Deno.test("forwarded() passes over what is empty, wherever it stands", async () => {
  for (
    const list of [",192.0.2.1", "192.0.2.1,", ",,192.0.2.1 , ,", " ,192.0.2.1"]
  ) {
    assertEquals(await clientOf(list), ["192.0.2.1", 0]);
    assertEquals(await clientOf(",", list, " , ,"), ["192.0.2.1", 0]);
  }
});

for (
  const [who, facts] of [
    ["another address", { client: ["203.0.113.7", 1] }],
    ["an address of IPv6", { client: ["2001:db9::1", 1] }],
    ["a unix socket", { client: null, server: ["/a.sock", null] }],
    ["nobody knows where", { client: null, server: null }],
  ] as [string, ScopeFacts][]
) {
  Deno.test(`forwarded() changes nothing for a peer at ${who} that is not trusted`, async () => {
    for (const fields of [ALL, ["forwarded"] as const]) {
      assertEquals(
        await seen(FORGED, { fields }, facts),
        scopeWith(FORGED, facts),
      );
    }
  });
}

Deno.test("forwarded() changes nothing when nobody is trusted", async () => {
  const options = { trust: [], fields: ALL };
  assertEquals(await seen(FORGED, options), scopeWith(FORGED));
});

Deno.test("forwarded() believes a unix socket if that is trusted", async () => {
  const facts = { client: null, server: ["/a.sock", null] } as const;
  const { client } = await seen(FORGED, { trust: ["unix"] }, facts);
  assertEquals(client, ["192.0.2.1", 0]);
  const nowhere = { client: null, server: null };
  assertEquals((await seen(FORGED, { trust: ["unix"] }, nowhere)).client, null);
});

for (const peer of ["::ffff:127.0.0.1", "::ffff:7f00:1", "2001:db8::9"]) {
  Deno.test(`forwarded() believes the trusted peer ${peer}`, async () => {
    const { client } = await seen(FORGED, {}, { client: [peer, 1] });
    assertEquals(client, ["192.0.2.1", 0]);
  });
}

Deno.test("forwarded() changes nothing when a trusted peer says nothing", async () => {
  assertEquals(await seen([], { fields: ALL }), scopeWith([]));
  assertEquals(await seen([], { fields: ["forwarded"] }), scopeWith([]));
  const empty: Fields = [["x-forwarded-for", ""], ["x-forwarded-for", " , "]];
  assertEquals(await seen(empty), scopeWith(empty));
});

Deno.test("forwarded() reads client and scheme, and no other field unless it is asked for", async () => {
  const scope = await seen(FORGED);
  assertEquals(scope, {
    ...scopeWith(FORGED),
    client: ["192.0.2.1", 0],
    scheme: "https",
  });
});

Deno.test("forwarded() reads only the fields that it is asked for", async () => {
  const scope = await seen(FORGED, { fields: ["x-forwarded-proto"] });
  assertEquals(scope, { ...scopeWith(FORGED), scheme: "https" });
});

Deno.test("forwarded() leaves the scope that it was given as it was", async () => {
  const scope = scopeWith(FORGED);
  const copy = structuredClone(scope);
  const wrap = (app: AsgiApp) => forwarded(app, { trust: TRUST, fields: ALL });
  const inner = await seenThrough(wrap, scope);
  assertEquals(scope, copy);
  assert(inner !== scope);
});

Deno.test("forwarded() passes lifespan on", async () => {
  const scope: Scope = lifespanScope();
  const wrap = (app: AsgiApp) => forwarded(app, { trust: TRUST });
  assertEquals(await seenThrough(wrap, scope), scope);
});

// Scheme, host, port and prefix.

for (
  const [text, scheme] of [
    ["https", "https"],
    ["HTTPS", "https"],
    ["wss", "https"],
    ["http", "http"],
    ["ws", "http"],
    ["ftp", "http"],
    ["https ftp", "http"],
    ["", "http"],
  ]
) {
  Deno.test(`forwarded() makes the scheme ${scheme} of "${text}" without TLS`, async () => {
    const { scheme: actual } = await seen([["x-forwarded-proto", text]]);
    assertEquals(actual, scheme);
  });
}

Deno.test("forwarded() makes the scheme http of https that ended TLS twice", async () => {
  const facts = { scheme: "https" } as const;
  const { scheme } = await seen([["x-forwarded-proto", "http"]], {}, facts);
  assertEquals(scheme, "http");
});

Deno.test("forwarded() makes the scheme of a WebSocket wss, or ws", async () => {
  const wrap = (app: AsgiApp) => forwarded(app, { trust: TRUST });
  for (
    const [proto, before, after] of [
      ["https", "http", "wss"],
      ["wss", "http", "wss"],
      ["http", "https", "ws"],
    ] as const
  ) {
    const headers: [string, string][] = [["x-forwarded-proto", proto]];
    const scope = webSocketScopeOf({ headers, scheme: before });
    const inner = await seenThrough(wrap, scope);
    assert(inner?.type === "websocket");
    assertEquals(inner.scheme, after);
  }
});

Deno.test("forwarded() takes from a list what was said of the same hop", async () => {
  const chain: Fields = [
    ["x-forwarded-for", "forged, 192.0.2.1, 10.0.0.1"],
    ["x-forwarded-proto", "ftp, https, http"],
    ["x-forwarded-host", "forged, outer.test, inner.test"],
  ];
  const scope = await seen(chain, { fields: ALL });
  assertEquals([scope.client?.[0], scope.scheme], ["192.0.2.1", "https"]);
  assertEquals(scope.headers[0], ["host", "outer.test"]);
});

Deno.test("forwarded() takes from a list that was overwritten what there is", async () => {
  const { scheme } = await seen([
    ["x-forwarded-for", "192.0.2.1, 10.0.0.1, 10.0.0.2"],
    ["x-forwarded-proto", "https"],
  ]);
  assertEquals(scheme, "https");
});

Deno.test("forwarded() takes no scheme that the client has sent to a proxy that appends", async () => {
  const { scheme, client } = await seen([
    ["x-forwarded-for", "10.0.0.1, 192.0.2.1"],
    ["x-forwarded-proto", "https, http"],
  ]);
  assertEquals([scheme, client?.[0]], ["http", "192.0.2.1"]);
});

/** The Host field and the server that come of what was forwarded. */
async function hostAfter(
  ...fields: (readonly [string, string])[]
): Promise<unknown[]> {
  const scope = await seen(fields, { fields: ALL });
  const hosts = scope.headers.filter(([name]) => name === "host");
  assertEquals(hosts.length, 1);
  return [hosts[0][1], scope.server];
}

const HOST = "x-forwarded-host";
const PORT = "x-forwarded-port";
const PROTO = "x-forwarded-proto";

Deno.test("forwarded() makes the field host and server of host, port and scheme", async () => {
  assertEquals(
    await hostAfter([HOST, "a.test"]),
    ["a.test", ["a.test", 80]],
  );
  assertEquals(
    await hostAfter([HOST, "a.test"], [PROTO, "https"]),
    ["a.test", ["a.test", 443]],
  );
  assertEquals(
    await hostAfter([HOST, "a.test:8443"], [PROTO, "https"]),
    ["a.test:8443", ["a.test", 8443]],
  );
  assertEquals(
    await hostAfter([HOST, "a.test"], [PORT, "8443"], [PROTO, "https"]),
    ["a.test:8443", ["a.test", 8443]],
  );
  assertEquals(
    await hostAfter([HOST, "a.test"], [PORT, "443"], [PROTO, "https"]),
    ["a.test", ["a.test", 443]],
  );
  assertEquals(
    await hostAfter([HOST, "[2001:db8::1]:81"]),
    ["[2001:db8::1]:81", ["2001:db8::1", 81]],
  );
  assertEquals(
    await hostAfter([PORT, "81"]),
    ["inner:81", ["inner", 81]],
  );
});

Deno.test("forwarded() ignores a host and a port that are none", async () => {
  const untouched = ["inner:8000", ["127.0.0.1", 8000]];
  for (const host of ["a b", "a/b", "a@b", "a:b", "[::1", "a:99999", "\xe9"]) {
    assertEquals(await hostAfter([HOST, host]), untouched, host);
  }
  for (const port of ["0", "-1", "65536", "80a", "1e3", ""]) {
    assertEquals(await hostAfter([PORT, port]), untouched, port);
  }
});

Deno.test("forwarded() keeps a request without a host as it is when only a port is said", async () => {
  const headers: [string, string][] = [[PORT, "81"]];
  const wrap = (app: AsgiApp) => forwarded(app, { trust: TRUST, fields: ALL });
  const scope = httpScopeOf({ headers });
  assertEquals(await seenThrough(wrap, scope), scope);
});

Deno.test("forwarded() puts the prefix into root_path and path, and not into raw_path", async () => {
  for (
    const [text, prefix] of [
      ["/api", "/api"],
      ["/api/", "/api"],
      ["/a/b", "/a/b"],
      ["/caf%C3%A9", "/café"],
    ]
  ) {
    const field = ["x-forwarded-prefix", text] as const;
    const scope = await seen([field], { fields: ALL }, { target: "/x%20y?q" });
    assertEquals(
      [scope.root_path, scope.path, scope.raw_path, scope.query_string],
      [prefix, `${prefix}/x y`, "/x%20y", "q"],
    );
  }
});

for (
  const text of [
    "/",
    "api",
    "//evil.test",
    "/a//b",
    "/..",
    "/a/../b",
    "/%2e%2e/b",
    "/a?b",
    "/a#b",
    "/a%3Fb",
    "/%0d%0a",
    "/\\evil.test",
    "/a b",
    "https://evil.test",
  ]
) {
  Deno.test(`forwarded() ignores the prefix ${text}`, async () => {
    const scope = await seen(
      [["x-forwarded-prefix", text]],
      { fields: ALL },
      { target: "/x" },
    );
    assertEquals([scope.root_path, scope.path], ["", "/x"]);
  });
}

// Its options.

Deno.test("forwarded() refuses two fields that say the same", () => {
  for (const field of ALL.slice(0, 3)) {
    assertThrows(
      () => forwarded(() => {}, { trust: [], fields: ["forwarded", field] }),
      TypeError,
      `Cannot read field "${field}" together with "forwarded"`,
    );
  }
});

Deno.test("forwarded() refuses a field that it does not know", () => {
  const fields = ["x-real-ip"] as unknown as ForwardedField[];
  assertThrows(
    () => forwarded(() => {}, { trust: [], fields }),
    TypeError,
    'Cannot read field "x-real-ip": it must be one of forwarded, x-forwarded-for',
  );
});

Deno.test("forwarded() refuses entries of trust that are no addresses", () => {
  assertThrows(
    () => forwarded(() => {}, { trust: ["10.0.0.0/8", "proxy"] }),
    TypeError,
    'Cannot read address "proxy"',
  );
});
