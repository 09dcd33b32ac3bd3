// The scope of a `Request`.

import { assertEquals } from "@std/assert";
import {
  isHandshake,
  requestScope,
  webSocketRequestScope,
} from "../../src/fetch/_request_scope.ts";

const INFO = { remoteAddr: { hostname: "192.0.2.1", port: 50_000 } };

Deno.test("requestScope() takes the parts of the URL as they are written", () => {
  const request = new Request("https://a.test:8443/x%20y?q=%20", {
    method: "POST",
  });
  const scope = requestScope(request, INFO);
  assertEquals(
    [
      scope.method,
      scope.scheme,
      scope.path,
      scope.raw_path,
      scope.query_string,
    ],
    ["POST", "https", "/x y", "/x%20y", "q=%20"],
  );
  assertEquals(scope.client, ["192.0.2.1", 50_000]);
  assertEquals(scope.server, ["a.test", 8443]);
});

Deno.test("requestScope() adds the host where a runtime omits it", () => {
  const { headers, server } = requestScope(new Request("http://[::1]/"), {});
  assertEquals(headers, [["host", "[::1]"]]);
  assertEquals(server, ["::1", 80]);
});

Deno.test("requestScope() has no client where a runtime does not name it", () => {
  const request = new Request("http://a.test/");
  assertEquals(requestScope(request, undefined).client, null);
  assertEquals(requestScope(request, { remoteAddr: null }).client, null);
});

Deno.test("webSocketRequestScope() lists the subprotocols that are offered", () => {
  const headers = { "sec-websocket-protocol": "a, b,,c" };
  const request = new Request("http://a.test/", { headers });
  const scope = webSocketRequestScope(request, INFO);
  assertEquals([scope.type, scope.scheme], ["websocket", "ws"]);
  assertEquals(scope.subprotocols, ["a", "b", "c"]);
});

Deno.test("isHandshake() is true for a GET that asks for a WebSocket", () => {
  const asks = (method: string, upgrade: string) =>
    isHandshake({ method, headers: new Headers({ upgrade }) } as Request);
  assertEquals(asks("GET", "h2c, WebSocket"), true);
  assertEquals(asks("POST", "websocket"), false);
  assertEquals(asks("GET", "h2c"), false);
  assertEquals(isHandshake(new Request("http://a.test/")), false);
});
