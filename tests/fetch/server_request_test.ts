// The `Request` of a scope.

import { assert, assertEquals } from "@std/assert";
import type { HttpScope } from "../../src/asgi/types.ts";
import type { RequestEvents } from "../../src/fetch/_request_events.ts";
import { ServerRequest } from "../../src/fetch/_server_request.ts";
import { httpScopeOf } from "../middleware/_calls.ts";

const EVENTS = {
  signal: new AbortController().signal,
  body: () => new Blob(["content"]).stream(),
} as unknown as RequestEvents;

function requestFor(scope: Partial<HttpScope>): ServerRequest {
  const request = ServerRequest.from({ ...httpScopeOf(), ...scope }, EVENTS);
  assert(request instanceof ServerRequest);
  return request;
}

Deno.test("ServerRequest keeps the URL as the client has written it", () => {
  const scope = httpScopeOf({ target: "/a/../b?q=1" });
  const request = requestFor(scope);
  assertEquals(request.url, "http://example.com/a/../b?q=1");
  assertEquals(request.clone().url, request.url);
});

Deno.test("ServerRequest puts the root path into the URL where the path lacks it", () => {
  const scope = httpScopeOf({ target: "/x" });
  const { url } = requestFor({ ...scope, root_path: "/a b", path: "/a b/x" });
  assertEquals(url, "http://example.com/a%20b/x");
});

Deno.test("ServerRequest has content unless the method has none", async () => {
  assertEquals(requestFor({ method: "GET" }).body, null);
  assertEquals(await requestFor({ method: "POST" }).text(), "content");
});

Deno.test("ServerRequest joins repeated fields, and cookies by semicolons", () => {
  const { headers } = requestFor({
    headers: [["cookie", "a=1"], ["x", "1"], ["cookie", "b=2"], ["x", "2"]],
  });
  assertEquals(headers.get("cookie"), "a=1; b=2");
  assertEquals(headers.get("x"), "1, 2");
});

Deno.test("ServerRequest.from() gives a status for what no Request can be", () => {
  const scope = httpScopeOf();
  assertEquals(ServerRequest.from({ ...scope, method: "TRACE" }, EVENTS), 501);
  const headers: [string, string][] = [["host", "a b"]];
  assertEquals(ServerRequest.from({ ...scope, headers }, EVENTS), 400);
});
