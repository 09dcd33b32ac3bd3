// The guard against WebSockets that foreign pages open: which origins pass, and
// what becomes of the others.

import { assertEquals, assertThrows } from "@std/assert";
import { allowedOrigins, type AsgiApp, type Scope } from "../../mod.ts";
import { WebSocketCycle } from "../../src/asgi/websocket_cycle.ts";
import {
  exampleScope,
  FakeWebSocketWire,
  type WireCall,
} from "./_fake_websocket_wire.ts";
import { exampleScope as httpExample } from "./_fake_wire.ts";

const ORIGINS = ["https://example.com", "http://localhost:8000"];
const app: AsgiApp = async (_scope, _receive, send) => {
  await send({ type: "websocket.accept" });
};
const PASSED: WireCall[] = [["accept", null, []], ["close", 1000, ""]];
const DENIED: WireCall[] = [["refuse", 403]];

/** What the wire gets for a client with these Origin fields. */
async function callsFor(...origins: string[]): Promise<readonly WireCall[]> {
  const wire = new FakeWebSocketWire();
  const headers = origins.map((origin): [string, string] => ["origin", origin]);
  const returned = Promise.withResolvers<void>();
  const cycle = new WebSocketCycle(wire, exampleScope([], ...headers), {
    onAppError: (error) => returned.reject(error),
    onRefusedEvent: () => {},
    onIgnoredEvent: () => {},
    onAppReturned: () => returned.resolve(),
  });
  await cycle.run(allowedOrigins(app, ORIGINS));
  await returned.promise;
  return wire.calls;
}

for (const origin of ORIGINS) {
  Deno.test(`allowedOrigins() lets ${origin} through`, async () => {
    assertEquals(await callsFor(origin), PASSED);
  });
}

for (
  const origin of [
    "http://example.com",
    "https://example.com:444",
    "https://example.com.evil.test",
    "https://sub.example.com",
    "https://example.com/",
    "null",
    "",
  ]
) {
  Deno.test(`allowedOrigins() denies "${origin}" with a 403`, async () => {
    assertEquals(await callsFor(origin), DENIED);
  });
}

Deno.test("allowedOrigins() lets clients through that send no Origin", async () => {
  assertEquals(await callsFor(), PASSED);
});

Deno.test("allowedOrigins() denies two Origins of which one is foreign, in either order", async () => {
  const foreign = "https://evil.test";
  assertEquals(await callsFor(ORIGINS[0], foreign), DENIED);
  assertEquals(await callsFor(foreign, ORIGINS[0]), DENIED);
});

Deno.test("allowedOrigins() does not call the application for a denied client", async () => {
  const scopes: Scope[] = [];
  const guarded = allowedOrigins((scope) => void scopes.push(scope), ORIGINS);
  await callGuarded(guarded, exampleScope([], ["origin", "https://evil.test"]));
  assertEquals(scopes, []);
});

Deno.test("allowedOrigins() passes other scopes unchanged, whatever their Origin", async () => {
  const scopes: Scope[] = [];
  const guarded = allowedOrigins((scope) => void scopes.push(scope), ORIGINS);
  const http = httpExample();
  http.headers.push(["origin", "https://evil.test"]);
  const lifespan: Scope = {
    type: "lifespan",
    asgi: { version: "3.0", spec_version: "2.0" },
    state: {},
  };
  await callGuarded(guarded, http);
  await callGuarded(guarded, lifespan);
  assertEquals(scopes, [http, lifespan]);
});

for (
  const origin of [
    "example.com",
    "https://example.com/",
    "https://Example.com",
    "https://example.com:443",
    "*",
    "",
  ]
) {
  Deno.test(`allowedOrigins() refuses to be given "${origin}", which no browser sends`, () => {
    assertThrows(
      () => allowedOrigins(app, [origin]),
      TypeError,
      `"${origin}" is no origin`,
    );
  });
}

/** Calls an application by hand. */
async function callGuarded(app: AsgiApp, scope: Scope): Promise<void> {
  const receive = () => Promise.resolve({ type: "websocket.connect" });
  const send = () => Promise.resolve();
  await app(
    scope,
    receive as unknown as Parameters<AsgiApp>[1],
    send as unknown as Parameters<AsgiApp>[2],
  );
}
