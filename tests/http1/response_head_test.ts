// How responses are framed, and which fields are the connection's own. Each
// response is read back by the strict reader of `_responses.ts`.

import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import type { Http1Options } from "../../src/http1/options.ts";
import { httpDate } from "../../src/http/date.ts";
import type { Field } from "../../src/http/fields.ts";
import { header, parseResponses, type Response } from "./_responses.ts";
import { answer, exchangeOne, request, responseTo } from "./_exchanging.ts";

// Framing.

Deno.test("A response with a content-length is framed by it, and the connection stays", async () => {
  const response = await responseTo("GET / HTTP/1.1", {
    headers: [["content-length", "5"], ["x-a", "caf\xe9"]],
    chunks: ["he", "llo"],
  });
  assertEquals(response.headers, [["content-length", "5"], ["x-a", "caf\xe9"]]);
  assertEquals(response.body, "hello");
  assert(response.stayedOpen);
});

Deno.test("A response of unknown length to HTTP/1.1 is chunked, and the connection stays", async () => {
  const response = await responseTo("GET / HTTP/1.1", {
    chunks: ["he", "", "llo, this is more than 16 bytes", ""],
  });
  assertEquals(response.headers, [["transfer-encoding", "chunked"]]);
  assertEquals(response.body, "hello, this is more than 16 bytes");
  assert(response.stayedOpen);
});

Deno.test("Chunked responses end right, whatever their last piece is", async () => {
  for (const chunks of [[""], ["a"], ["a", ""], ["", "a"], ["", ""]]) {
    const { output } = await exchangeOne(
      request("GET / HTTP/1.1"),
      answer({ chunks }),
    );
    const [response] = parseResponses(output);
    assertEquals(response.body, chunks.join(""));
    assertEquals(output.split("0\r\n\r\n").length, 2, output);
  }
});

Deno.test("A response of unknown length to HTTP/1.0 ends with the connection", async () => {
  for (const fields of [[], ["Connection: keep-alive"]]) {
    const response = await responseTo("GET / HTTP/1.0", {
      chunks: ["he", "llo"],
    }, fields);
    assertEquals(response.headers, [["connection", "close"]]);
    assertEquals(response.body, "hello");
    assertFalse(response.stayedOpen);
  }
});

Deno.test("A response of known length keeps an HTTP/1.0 connection that asks for it", async () => {
  const headers: Field[] = [["content-length", "5"]];
  const kept = await responseTo("GET / HTTP/1.0", { headers }, [
    "Connection: keep-alive",
  ]);
  assertEquals(header(kept, "connection"), "keep-alive");
  assert(kept.stayedOpen);
  const closed = await responseTo("GET / HTTP/1.0", { headers });
  assertEquals(header(closed, "connection"), "close");
  assertFalse(closed.stayedOpen);
});

Deno.test("Responses to HEAD keep their headers and lose their content", async () => {
  const known = await responseTo("HEAD / HTTP/1.1", {
    headers: [["content-length", "5"]],
  });
  assertEquals(known.headers, [["content-length", "5"]]);
  assert(known.wire.endsWith("\r\n\r\n"));
  assert(known.stayedOpen);
  const unknown = await responseTo("HEAD / HTTP/1.1", { chunks: ["a", "b"] });
  assert(unknown.wire.endsWith("\r\n\r\n"));
  assertEquals(unknown.body, "");
  assert(unknown.stayedOpen);
});

Deno.test("204 and 304 have no content, and no chunked framing", async () => {
  for (const status of [204, 304]) {
    const response = await responseTo("GET / HTTP/1.1", {
      status,
      chunks: ["dropped", "too"],
    });
    assertEquals(response.status, status);
    assertEquals(response.headers, []);
    assert(response.wire.endsWith("\r\n\r\n"));
    assert(response.stayedOpen);
  }
});

Deno.test("A 205 has no content, and a length of 0 whatever the application says", async () => {
  const lengths: Field[][] = [[], [["content-length", "7"]]];
  for (const line of ["GET / HTTP/1.1", "HEAD / HTTP/1.1"]) {
    for (const headers of lengths) {
      const response = await responseTo(line, {
        status: 205,
        headers,
        chunks: ["dropped", "too"],
      });
      assertEquals(response.headers, [["content-length", "0"]]);
      assert(response.wire.endsWith("\r\n\r\n"));
      assert(response.stayedOpen);
    }
  }
});

Deno.test("A content-length is dropped from 204, and kept in 304", async () => {
  const headers: Field[] = [["content-length", "5"], ["etag", '"a"']];
  const none = await responseTo("GET / HTTP/1.1", { status: 204, headers });
  assertEquals(none.headers, [["etag", '"a"']]);
  const same = await responseTo("GET / HTTP/1.1", { status: 304, headers });
  assertEquals(same.headers, headers);
});

Deno.test("A 2xx to CONNECT has no framing, and ends with the connection", async () => {
  const response = await responseTo("CONNECT a:443 HTTP/1.1", {
    headers: [["content-length", "5"], ["x-a", "b"]],
    chunks: ["tunnel", "led"],
  });
  assertEquals(response.headers, [["x-a", "b"], ["connection", "close"]]);
  assertEquals(response.body, "tunnelled");
  assertFalse(response.stayedOpen);
});

Deno.test("Any other status to CONNECT is framed as any response", async () => {
  for (const status of [300, 405]) {
    const response = await responseTo("CONNECT a:443 HTTP/1.1", {
      status,
      headers: [["content-length", "5"]],
    });
    assertEquals(response.headers, [["content-length", "5"]]);
    assert(response.stayedOpen);
  }
});

Deno.test("A status without a phrase is sent with an empty one", async () => {
  const { output } = await exchangeOne(
    request("GET / HTTP/1.1"),
    answer({ status: 299 }),
  );
  assert(output.startsWith("HTTP/1.1 299 \r\n"));
});

// Fields that are the connection's own.

Deno.test("The application's transfer-encoding and connection are not sent", async () => {
  const response = await responseTo("GET / HTTP/1.1", {
    headers: [
      ["transfer-encoding", "gzip"],
      ["connection", "keep-alive, x-a"],
      ["content-length", "5"],
    ],
  });
  assertEquals(response.headers, [["content-length", "5"]]);
  assertEquals(response.body, "hello");
  assert(response.stayedOpen);
});

Deno.test("The application can ask for a close", async () => {
  for (const value of ["close", "Close", "x, close"]) {
    const response = await responseTo("GET / HTTP/1.1", {
      headers: [["connection", value]],
    });
    assertEquals(header(response, "connection"), "close");
    assertFalse(response.stayedOpen);
  }
});

Deno.test("The application can offer an upgrade, and the connection stays", async () => {
  const response = await responseTo("GET / HTTP/1.1", {
    status: 426,
    headers: [["upgrade", "raw"], ["connection", "x, Upgrade"]],
  });
  assertEquals(response.headers, [
    ["upgrade", "raw"],
    ["transfer-encoding", "chunked"],
    ["connection", "upgrade"],
  ]);
  assert(response.stayedOpen);
});

Deno.test("A client that asks for a close gets it", async () => {
  const response = await responseTo("GET / HTTP/1.1", {}, [
    "Connection: close",
  ]);
  assertEquals(header(response, "connection"), "close");
  assertEquals(response.body, "hello");
  assertFalse(response.stayedOpen);
});

Deno.test("The connection is closed after its last response: half, then whole", async () => {
  const { transport } = await exchangeOne(
    request("GET / HTTP/1.1", "Connection: close"),
    answer({}),
  );
  assertEquals(transport.events, ["write", "closeWrite", "close"]);
});

Deno.test("Each response says date and server, unless the application did", async () => {
  async function fields(
    headers: Field[],
    options: Partial<Http1Options>,
  ): Promise<Response["headers"]> {
    const { output } = await exchangeOne(
      request("GET / HTTP/1.1"),
      answer({ headers: [["content-length", "5"], ...headers] }),
      options,
    );
    return parseResponses(output)[0].headers.slice(1);
  }
  const both = await fields([], { dateHeader: true });
  assertEquals(both.map(([name]) => name), ["date", "server"]);
  assertMatch(both[0][1], /^[A-Z][a-z]{2}, \d\d .* GMT$/);
  assert(Date.parse(httpDate()) - Date.parse(both[0][1]) <= 5_000);
  assertEquals(both[1][1], "x-asgi");

  const own: Field[] = [["date", "then"], ["server", "mine"]];
  assertEquals(await fields(own, { dateHeader: true }), own);
  assertEquals(await fields([], { dateHeader: false, serverHeader: "s" }), [
    ["server", "s"],
  ]);
  assertEquals(await fields([], { serverHeader: null }), []);
  assertEquals(await fields(own, { serverHeader: null }), own);

  const altSvc = 'h3=":443"';
  const none = { dateHeader: false, serverHeader: null };
  assertEquals(await fields([], { ...none, altSvc }), [["alt-svc", altSvc]]);
  const other: Field[] = [["Alt-Svc", "clear"]];
  assertEquals(await fields(other, { ...none, altSvc }), [
    ["alt-svc", "clear"],
  ]);
});
