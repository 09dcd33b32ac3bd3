// Who is redirected to https, and to which URL.

import { assertEquals, assertThrows } from "@std/assert";
import type { AsgiApp, HttpScope } from "../../src/asgi/types.ts";
import {
  httpsRedirect,
  type HttpsRedirectOptions,
} from "../../src/middleware/https_redirect.ts";
import { forwarded } from "../../src/middleware/forwarded.ts";
import { rootPath } from "../../src/middleware/root_path.ts";
import {
  eventsOf,
  headOf,
  httpScopeOf,
  lifespanScope,
  seenThrough,
  webSocketScopeOf,
} from "./_calls.ts";

async function redirected(
  scope: HttpScope,
  options?: HttpsRedirectOptions,
) {
  const events = await eventsOf(httpsRedirect(() => {}, options), scope);
  const { status, headers } = headOf(events);
  return [status, headers.get("location")];
}

for (
  const [host, target, location] of [
    ["a.test", "/", "https://a.test/"],
    ["a.test:8000", "/x", "https://a.test/x"],
    ["[::1]:8000", "/x?y=%20&z", "https://[::1]/x?y=%20&z"],
    ["a.test", "/a%2Fb/%C3%A9", "https://a.test/a%2Fb/%C3%A9"],
    ["a.test", "//evil.test/x", "https://a.test//evil.test/x"],
    ["a.test", "*", "https://a.test/"],
  ]
) {
  Deno.test(`httpsRedirect() sends ${host} ${target} to ${location}`, async () => {
    const scope = httpScopeOf({ target, headers: [["host", host]] });
    assertEquals(await redirected(scope), [308, location]);
  });
}

Deno.test("httpsRedirect() takes another status, and another port", async () => {
  const scope = httpScopeOf({ headers: [["host", "a.test:8000"]] });
  assertEquals(
    await redirected(scope, { status: 302, port: 8443 }),
    [302, "https://a.test:8443/"],
  );
});

Deno.test("httpsRedirect() gives back what a proxy took off the path", async () => {
  const app = rootPath(httpsRedirect(() => {}), "/outer path");
  const scope = httpScopeOf({ target: "/a%2Fb" });
  const { headers } = headOf(await eventsOf(app, scope));
  assertEquals(
    headers.get("location"),
    "https://example.com/outer%20path/a%2Fb",
  );
});

Deno.test("httpsRedirect() answers a request without a sane host with a 400", async () => {
  for (const host of ["", "a/b", "a\\b", "user@a.test", "a b"]) {
    const scope = httpScopeOf({ headers: [["host", host]] });
    assertEquals(await redirected(scope), [400, undefined], host);
  }
  assertEquals(await redirected(httpScopeOf({ headers: [] })), [
    400,
    undefined,
  ]);
});

Deno.test("httpsRedirect() sends a WebSocket to wss, or closes it", async () => {
  const app = httpsRedirect(() => {});
  const scope = webSocketScopeOf({ target: "/chat?a" });
  const { type, status, headers } = headOf(await eventsOf(app, scope));
  assertEquals(
    [type, status, headers.get("location")],
    ["websocket.http.response.start", 308, "wss://example.com/chat?a"],
  );
  delete scope.extensions["websocket.http.response"];
  assertEquals(await eventsOf(app, scope), [{ type: "websocket.close" }]);
});

Deno.test("httpsRedirect() lets through what came by TLS, and lifespan", async () => {
  const wrap = (app: AsgiApp) => httpsRedirect(app);
  for (
    const scope of [
      httpScopeOf({ scheme: "https" }),
      webSocketScopeOf({ scheme: "https" }),
      lifespanScope(),
    ]
  ) {
    assertEquals(await seenThrough(wrap, scope), scope);
  }
});

Deno.test("httpsRedirect() lets through what came to the proxy by TLS", async () => {
  const wrap = (app: AsgiApp) =>
    forwarded(httpsRedirect(app), { trust: ["127.0.0.1"] });
  const secure = httpScopeOf({ headers: [["x-forwarded-proto", "https"]] });
  assertEquals((await seenThrough(wrap, secure))?.type, "http");
  assertEquals(await seenThrough(wrap, httpScopeOf()), undefined);
});

Deno.test("httpsRedirect() refuses a status that redirects nobody, and a port that is none", () => {
  const options = { status: 200 } as unknown as HttpsRedirectOptions;
  assertThrows(
    () => httpsRedirect(() => {}, options),
    RangeError,
    "Cannot redirect with status 200",
  );
  for (const port of [0, 65_536, 1.5]) {
    assertThrows(
      () => httpsRedirect(() => {}, { port }),
      RangeError,
      `Cannot redirect to port ${port}`,
    );
  }
});
