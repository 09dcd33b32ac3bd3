// From what a test asks for to the request that a server would have read.

import { assertEquals, assertThrows } from "@std/assert";
import {
  adjustScope,
  buildHandshake,
  buildRequest,
  httpScopeOf,
  type RequestParts,
  webSocketScopeOf,
} from "../../src/testing/_request.ts";
import {
  type RequestBody,
  RequestContent,
} from "../../src/testing/_request_content.ts";

function build(target: string, parts?: RequestParts, body?: RequestBody) {
  return buildRequest(target, parts ?? {}, new RequestContent(body));
}

Deno.test("buildRequest() takes a path as it is, and escapes what no request holds", () => {
  const { info } = build("/a/../b ü%20?q=ü#hash");
  assertEquals(info.target, { path: "/a/../b%20%C3%BC%20", query: "q=%C3%BC" });
  assertEquals(info.headers, [["host", "localhost"]]);
});

Deno.test("buildRequest() takes scheme, host and port of a URL", () => {
  const { info, connection } = build("https://a.test:8443/x?y");
  assertEquals(info.target, { path: "/x", query: "y" });
  assertEquals(info.headers, [["host", "a.test:8443"]]);
  assertEquals(connection.scheme, "https");
  assertEquals(connection.server, ["a.test", 8443]);
});

Deno.test("buildRequest() frames content as its version of HTTP does", () => {
  const framing = (parts: RequestParts, body: RequestBody) =>
    build("/", { method: "post", ...parts }, body).info.headers.slice(1);
  const stream = () => ReadableStream.from([new Uint8Array(1)]);
  assertEquals(framing({}, "abc"), [["content-length", "3"]]);
  assertEquals(framing({}, stream()), [["transfer-encoding", "chunked"]]);
  assertEquals(framing({ httpVersion: "2" }, stream()), []);
  const headers = { "Content-Length": "1" };
  const given = framing({ httpVersion: "1.0", headers }, stream());
  assertEquals(given, [["content-length", "1"]]);
  assertThrows(
    () => framing({ httpVersion: "1.0" }, stream()),
    TypeError,
    "a stream needs a content-length",
  );
});

Deno.test("buildRequest() refuses what no client could send", () => {
  const wrong: [target: string, parts: RequestParts, message: string][] = [
    ["/", { method: "A B" }, '"A B" is no method'],
    ["/", { headers: { "a b": "" } }, '"a b" is no token'],
    ["/", { headers: { a: "\n" } }, "no byte string without controls"],
    ["a", {}, "neither a path nor a URL"],
    ["ftp://a.test/", {}, "neither a path nor a URL"],
  ];
  for (const [target, parts, message] of wrong) {
    assertThrows(() => build(target, parts), TypeError, message);
  }
});

Deno.test("buildHandshake() offers subprotocols", () => {
  const request = buildHandshake("/chat", {}, ["a", "b"]);
  const fields = new Map(request.info.headers);
  assertEquals(fields.get("upgrade"), "websocket");
  assertEquals(fields.get("sec-websocket-protocol"), "a, b");
  assertEquals(webSocketScopeOf(request, ["a"]).subprotocols, ["a"]);
  assertThrows(() => buildHandshake("/", {}, ["a", "a"]), TypeError);
  assertThrows(
    () => buildHandshake("/", { httpVersion: "1.0" }, []),
    TypeError,
  );
});

Deno.test("adjustScope() mounts, adds extensions and takes some away", () => {
  const scope = adjustScope(httpScopeOf(build("/app/x")), {
    rootPath: "/app",
    extensions: { "test": {}, "http.response.pathsend": undefined },
  });
  assertEquals(scope.root_path, "/app");
  assertEquals("test" in scope.extensions, true);
  assertEquals("http.response.pathsend" in scope.extensions, false);
});
