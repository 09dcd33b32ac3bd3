// Requests that break a rule for fields (RFC 9113, section 8; RFC 8441), and those
// that are well-formed and cannot be served: a reset or a status, never a call of
// the handler, and the connection serves on.

import { assertEquals } from "@std/assert";
import type { Field } from "../../src/http/fields.ts";
import type { Http2Options } from "../../src/http2/options.ts";
import { type ClientRequest, requestFields } from "./_client.ts";
import { routes } from "./_outcomes.ts";
import { leave, serve } from "./_serving.ts";

/** A request whose fields are these, besides or instead of the usual ones. */
function instead(...fields: Field[]): ClientRequest {
  const names = new Set(fields.map(([name]) => name));
  const others = requestFields().filter(([name]) => !names.has(name));
  return { fields: [...fields, ...others] };
}

/** A request without one of its fields. */
function without(name: string): ClientRequest {
  return { fields: requestFields().filter((field) => field[0] !== name) };
}

function after(...fields: Field[]): ClientRequest {
  return { fields: [...requestFields(), ...fields] };
}

const MALFORMED: Record<string, ClientRequest> = {
  "no :method": without(":method"),
  "no :scheme": without(":scheme"),
  "no :path": without(":path"),
  "no :authority and no host": without(":authority"),
  "two :path": instead([":path", "/"], [":path", "/"]),
  "two :method": instead([":method", "GET"], [":method", "GET"]),
  "two :scheme": instead([":scheme", "http"], [":scheme", "http"]),
  "two :authority": instead([":authority", "a"], [":authority", "a"]),
  "an empty :path": instead([":path", ""]),
  "an empty :method": instead([":method", ""]),
  "an empty :authority": instead([":authority", ""]),
  "an unknown pseudo-field": instead([":other", "x"]),
  ":status": instead([":status", "200"]),
  "a pseudo-field after a field": after(["x-a", "b"], [":other", "x"]),
  ":path after a field": { fields: [["x-a", "b"], ...requestFields()] },
  "a :path without a slash": instead([":path", "a"]),
  "a :path that is absolute": instead([":path", "http://test/"]),
  "* without OPTIONS": instead([":path", "*"]),
  "a :path with a space": instead([":path", "/a b"]),
  "a :path with a control": instead([":path", "/\x7f"]),
  "a :path with a fragment": instead([":path", "/#a"]),
  "a :path beyond ASCII": instead([":path", "/\xe9"]),
  "a :method that is no token": instead([":method", "G T"]),
  "a :scheme of another protocol": instead([":scheme", "ftp"]),
  "userinfo in :authority": instead([":authority", "user@test"]),
  "an :authority that is no host": instead([":authority", "te st"]),
  "another host than :authority": after(["host", "other"]),
  "two hosts": after(["host", "test"], ["host", "test"]),
  "an uppercase name": after(["X-A", "b"]),
  "an empty name": after(["", "b"]),
  "a name with a space": after(["x a", "b"]),
  "a name with a colon": after(["x:a", "b"]),
  "a name beyond ASCII": after(["x-\xe9", "b"]),
  "a value with NUL": after(["x-a", "b\0c"]),
  "a value with CR": after(["x-a", "b\rc"]),
  "a value with LF": after(["x-a", "b\nc: d"]),
  "a value with a space before it": after(["x-a", " b"]),
  "a value with HTAB after it": after(["x-a", "b\t"]),
  "connection": after(["connection", "close"]),
  "keep-alive": after(["keep-alive", "timeout=5"]),
  "proxy-connection": after(["proxy-connection", "keep-alive"]),
  "transfer-encoding": after(["transfer-encoding", "chunked"]),
  "upgrade": after(["upgrade", "h2c"]),
  "http2-settings": after(["http2-settings", "AAMAAABkAAQAAP__"]),
  "te with more than trailers": after(["te", "trailers, gzip"]),
  "content-length without content": after(["content-length", "1"]),
  "a content-length that is no number": after(["content-length", "x"]),
  "a content-length with a sign": after(["content-length", "+0"]),
  "two content-lengths": after(["content-length", "0"], [
    "content-length",
    "0",
  ]),
  ":protocol without CONNECT": { protocol: "websocket" },
  "CONNECT with a :path": { method: "CONNECT" },
  "extended CONNECT without a :path": {
    fields: [
      [":method", "CONNECT"],
      [":protocol", "websocket"],
      [":scheme", "http"],
      [":authority", "test"],
    ],
  },
  "two :protocols": {
    fields: [
      [":protocol", "websocket"],
      ...requestFields({ method: "CONNECT", protocol: "websocket" }),
    ],
  },
};

const LIMITS: Partial<Http2Options> = {
  maxRequestLineBytes: 100,
  maxHeaderBytes: 2_000,
  maxHeaders: 10,
  maxBodyBytes: 100,
};

const REFUSED: Record<string, [request: ClientRequest, status: number]> = {
  "a long :path": [{ path: `/${"a".repeat(100)}` }, 414],
  "long fields": [{ headers: [["x", "a".repeat(2_000)]] }, 431],
  "many fields": [
    { headers: Array.from({ length: 11 }, (_, i) => [`x-${i}`, ""]) },
    431,
  ],
  "an unknown expectation": [{ headers: [["expect", "miracles"]] }, 417],
  "a plain CONNECT": [{
    fields: [[":method", "CONNECT"], [":authority", "test:443"]],
  }, 501],
  "a WebSocket without content": [
    { method: "CONNECT", protocol: "websocket" },
    400,
  ],
};

const ACCEPTED: Record<string, ClientRequest> = {
  "host without :authority": {
    fields: [...without(":authority").fields!, ["host", "test"]],
  },
  "the same host and :authority": after(["host", "TEST"]),
  "another scheme than the connection's": instead([":scheme", "https"]),
  "a scheme in uppercase": instead([":scheme", "HTTP"]),
  "OPTIONS *": instead([":method", "OPTIONS"], [":path", "*"]),
  "te: trailers": after(["te", "trailers"]),
  "a value with obs-text": after(["x-a", "\xe9"]),
  "an empty value": after(["x-a", ""]),
  "content-length 0": after(["content-length", "0"]),
  "a priority that cannot be parsed": after(["priority", "u=99, ???"]),
  "crumbs of a cookie": after(["cookie", "a=1"], ["cookie", "b=2"]),
};

/** Makes a request, and then another one; returns how often one was handled. */
async function callsFor(
  request: ClientRequest,
  check: (answer: { status: number; resetCode?: string }) => void,
): Promise<number> {
  let calls = 0;
  using connected = serve(async (exchange) => {
    calls++;
    await routes(exchange);
  }, LIMITS);
  const { client } = connected;
  check(await client.request(request));
  assertEquals((await client.request({ path: "/next" })).content, "GET /next ");
  await leave(connected);
  return calls - 1;
}

for (const [what, request] of Object.entries(MALFORMED)) {
  Deno.test(`A request with ${what} is reset`, async () => {
    const calls = await callsFor(request, ({ status, resetCode }) => {
      assertEquals([status, resetCode], [0, "PROTOCOL_ERROR"]);
    });
    assertEquals(calls, 0);
  });
}

for (const [what, [request, status]] of Object.entries(REFUSED)) {
  Deno.test(`A request with ${what} is answered ${status}`, async () => {
    const calls = await callsFor(request, (answer) => {
      assertEquals(answer.status, status);
    });
    assertEquals(calls, 0);
  });
}

for (const [what, request] of Object.entries(ACCEPTED)) {
  Deno.test(`A request with ${what} is handled`, async () => {
    const calls = await callsFor(request, ({ status }) => {
      assertEquals(status, 200);
    });
    assertEquals(calls, 1);
  });
}

/** Content that differs from its length, and trailers that are no fields. */
const CONTENTS: Record<string, [string | undefined, string, Field[]?]> = {
  "less content than content-length": ["5", "four"],
  "more content than content-length": ["3", "four"],
  "content where the length is 0": ["0", "four"],
  "a pseudo-field in trailers": [undefined, "four", [[":path", "/"]]],
  "an uppercase trailer": [undefined, "four", [["X-A", "b"]]],
  "a trailer of the connection": [undefined, "four", [["connection", "x"]]],
  "trailers after less content than its length": ["5", "four", [["x", "y"]]],
};

for (const [what, [length, content, trailers]] of Object.entries(CONTENTS)) {
  Deno.test(`A request with ${what} is reset, and its handler is lost`, async () => {
    let lost: unknown;
    using connected = serve(async (exchange) => {
      if (exchange.request.method === "GET") return await routes(exchange);
      try {
        while (await exchange.readBody() !== null);
      } catch (error) {
        lost = error;
      }
    });
    const { client } = connected;
    const stream = await client.request({
      method: "POST",
      headers: length === undefined ? [] : [["content-length", length]],
      content,
      trailers,
    });
    assertEquals([stream.status, stream.resetCode], [0, "PROTOCOL_ERROR"]);
    await client.sync();
    assertEquals(lost instanceof Error, true);
    assertEquals((await client.request()).status, 200);
    await leave(connected);
  });
}
