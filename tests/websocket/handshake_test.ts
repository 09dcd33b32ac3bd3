// The opening handshake of RFC 6455, section 4.2, as tables: what is none, what
// is refused and how, what is accepted and with which fields.

import { assertEquals, assertThrows } from "@std/assert";
import type { Field } from "../../src/http/fields.ts";
import {
  acceptHeaders,
  acceptKey,
  agreementHeaders,
  checkExtendedConnect,
  checkHandshake,
  type ExtendedConnect,
  type Handshake,
} from "../../src/websocket/handshake.ts";
import type { Extension } from "../../src/websocket/extensions.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

const GOOD: readonly Field[] = [
  ["host", "example.com"],
  ["upgrade", "websocket"],
  ["connection", "Upgrade"],
  ["sec-websocket-key", KEY],
  ["sec-websocket-version", "13"],
];

/** The good fields, with those of `fields` in the place of equal names. */
function headers(...fields: (readonly [string, string | null])[]): Field[] {
  const names = new Set(fields.map(([name]) => name));
  const added = fields.filter((field): field is Field => field[1] !== null);
  return [...GOOD.filter(([name]) => !names.has(name)), ...added];
}

/** What comes of a GET over HTTP/1.1: "none", a status, or "accepted". */
function outcome(
  fields: readonly Field[],
  method = "GET",
  version = "1.1",
): string {
  const result = checkHandshake({ method, version, headers: fields });
  if (result === undefined) return "none";
  return result.type === "refusal" ? `${result.status}` : "accepted";
}

function accepted(...fields: (readonly [string, string | null])[]): Handshake {
  const request = {
    method: "GET",
    version: "1.1",
    headers: headers(...fields),
  };
  const result = checkHandshake(request);
  if (result?.type !== "handshake") throw new Error("It was not accepted");
  return result;
}

Deno.test("checkHandshake() accepts the usual request", () => {
  assertEquals(accepted(), {
    type: "handshake",
    key: KEY,
    subprotocols: [],
    extensions: [],
  });
});

Deno.test("checkHandshake() finds its tokens in lists, in any case", () => {
  for (
    const fields of [
      headers(["connection", "keep-alive, Upgrade"]),
      headers(["connection", "keep-alive"], ["connection", "UPGRADE"]),
      headers(["upgrade", "WebSocket"]),
      headers(["upgrade", "h2c , websocket"]),
    ]
  ) assertEquals(outcome(fields), "accepted", JSON.stringify(fields));
});

Deno.test("checkHandshake() leaves other requests alone", () => {
  for (
    const fields of [
      [],
      headers(["upgrade", null]),
      headers(["connection", null]),
      headers(["upgrade", "h2c"]),
      headers(["upgrade", "websockets"]),
      headers(["connection", "close"]),
    ]
  ) assertEquals(outcome(fields), "none", JSON.stringify(fields));
  assertEquals(outcome(headers(), "GET", "1.0"), "none");
  assertEquals(outcome(headers(), "POST", "1.0"), "none");
});

Deno.test("checkHandshake() refuses malformed handshakes with 400", () => {
  const faults: Field[][] = [
    headers(["sec-websocket-key", null]),
    headers(["sec-websocket-key", ""]),
    headers(["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ"]),
    headers(["sec-websocket-key", "dGhlIHNhbXBsZSBub25j"]),
    headers(["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQAA"]),
    headers(["sec-websocket-key", "dGhlIHNhbXBsZSBub25j!Q=="]),
    headers(["sec-websocket-key", KEY], ["sec-websocket-key", KEY]),
    headers(["sec-websocket-version", "13"], ["sec-websocket-version", "13"]),
    headers(["content-length", "5"]),
    headers(["transfer-encoding", "chunked"]),
    headers(["sec-websocket-protocol", "chat, chat"]),
    headers(["sec-websocket-protocol", "a"], ["sec-websocket-protocol", "a"]),
    headers(["sec-websocket-protocol", "a b"]),
    headers(["sec-websocket-protocol", "a;q=1"]),
    headers(["sec-websocket-protocol", ""]),
    headers(["sec-websocket-protocol", ","]),
    headers(["sec-websocket-extensions", "a b"]),
    headers(["sec-websocket-extensions", "a;"]),
    headers(["sec-websocket-extensions", "a; b=c d"]),
  ];
  for (const fields of faults) {
    assertEquals(outcome(fields), "400", JSON.stringify(fields));
  }
  for (const method of ["POST", "HEAD", "OPTIONS", "get"]) {
    assertEquals(outcome(headers(), method), "400", method);
  }
});

Deno.test("checkHandshake() allows a content-length that says 0", () => {
  assertEquals(outcome(headers(["content-length", "0"])), "accepted");
});

Deno.test("checkHandshake() answers another version with 426 and the right one", () => {
  for (const version of [null, "8", "0", "12", "14", "013", "13, 8", ""]) {
    const fields = headers(["sec-websocket-version", version]);
    const request = { method: "GET", version: "1.1", headers: fields };
    assertEquals(checkHandshake(request), {
      type: "refusal",
      status: 426,
      headers: [
        ["connection", "upgrade"],
        ["upgrade", "websocket"],
        ["sec-websocket-version", "13"],
      ],
    }, `${version}`);
  }
});

Deno.test("checkHandshake() reads subprotocols from all lines, in order", () => {
  const handshake = accepted(
    ["sec-websocket-protocol", "soap,  wamp"],
    ["sec-websocket-protocol", "chat.v2,"],
  );
  assertEquals(handshake.subprotocols, ["soap", "wamp", "chat.v2"]);
});

const EXTENSIONS: [value: string, expected: Extension[] | null][] = [
  ["a", [{ name: "a", parameters: [] }]],
  ["a, b", [{ name: "a", parameters: [] }, { name: "b", parameters: [] }]],
  ["a , , b,", [
    { name: "a", parameters: [] },
    { name: "b", parameters: [] },
  ]],
  ["a;x", [{ name: "a", parameters: [["x", true]] }]],
  ["a ; x = 1;y\t", [{ name: "a", parameters: [["x", "1"], ["y", true]] }]],
  ['a; x="12"', [{ name: "a", parameters: [["x", "12"]] }]],
  ['a; x="1\\2"', [{ name: "a", parameters: [["x", "12"]] }]],
  ["a; x=1; x=2", [{ name: "a", parameters: [["x", "1"], ["x", "2"]] }]],
  ["__proto__; constructor=1", [
    { name: "__proto__", parameters: [["constructor", "1"]] },
  ]],
  ['a; x="1,2"', null],
  ['a; x="1;2"', null],
  ['a; x=""', null],
  ['a; x="12', null],
  ['"a"', null],
  ['a; "x"', null],
  ['a; x="1" 2', null],
  ["a; x=", null],
  ["a; =1", null],
  ["a; x=1=2", null],
  ["a;; x", null],
  ["; x", null],
  ["a/b", null],
  ["=", null],
];

Deno.test("checkHandshake() reads extensions by their grammar", () => {
  for (const [value, expected] of EXTENSIONS) {
    const fields = headers(["sec-websocket-extensions", value]);
    if (expected === null) assertEquals(outcome(fields), "400", value);
    else {
      const { extensions } = accepted(["sec-websocket-extensions", value]);
      assertEquals(extensions, expected, value);
    }
  }
});

Deno.test("checkHandshake() joins the lines of extensions", () => {
  const handshake = accepted(
    ["sec-websocket-extensions", "a; x"],
    ["sec-websocket-extensions", "b"],
  );
  assertEquals(handshake.extensions.map(({ name }) => name), ["a", "b"]);
});

Deno.test("acceptKey() gives the answer of the RFC's example", () => {
  assertEquals(acceptKey(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

Deno.test("acceptHeaders() answers the key", () => {
  assertEquals(acceptHeaders(accepted()), [
    ["upgrade", "websocket"],
    ["sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
  ]);
});

Deno.test("acceptHeaders() names the subprotocol and the extensions", () => {
  const handshake = accepted(["sec-websocket-protocol", "a, b"]);
  const fields = acceptHeaders(handshake, {
    subprotocol: "b",
    extensions: "permessage-deflate",
  });
  assertEquals(fields.slice(2), [
    ["sec-websocket-protocol", "b"],
    ["sec-websocket-extensions", "permessage-deflate"],
  ]);
  assertEquals(acceptHeaders(handshake, { subprotocol: null }).length, 2);
});

Deno.test("acceptHeaders() refuses a subprotocol that was not offered", () => {
  const handshake = accepted(["sec-websocket-protocol", "a"]);
  for (const subprotocol of ["b", "A", ""]) {
    assertThrows(
      () => acceptHeaders(handshake, { subprotocol }),
      TypeError,
      "not offered",
    );
  }
});

// Over HTTP/2 and HTTP/3.

/** An extended CONNECT that is in order, but for what the test says. */
function connect(
  fields: readonly Field[] = [["sec-websocket-version", "13"]],
  given: Partial<Parameters<typeof checkExtendedConnect>[0]> = {},
): ReturnType<typeof checkExtendedConnect> {
  return checkExtendedConnect({
    method: "CONNECT",
    version: "2",
    protocol: "websocket",
    headers: fields,
    ...given,
  });
}

const EXTENDED: ExtendedConnect = {
  type: "extended connect",
  subprotocols: [],
  extensions: [],
};

Deno.test("checkExtendedConnect() accepts a request without a key, in both versions", () => {
  assertEquals(connect(), EXTENDED);
  assertEquals(connect(undefined, { version: "3" }), EXTENDED);
  assertEquals(connect(undefined, { protocol: "WebSocket" }), EXTENDED);
});

Deno.test("checkExtendedConnect() leaves other requests alone", () => {
  for (
    const given of [
      { protocol: undefined },
      { protocol: "connect-udp" },
      { method: "GET" },
      { version: "1.1" },
      { version: "1.0" },
    ]
  ) assertEquals(connect(undefined, given), undefined, JSON.stringify(given));
});

Deno.test("checkExtendedConnect() answers another version with 400 and the right one", () => {
  for (const versions of [[], ["8"], ["13, 8"], [""], ["13", "13"]]) {
    const fields = versions.map((version): Field => [
      "sec-websocket-version",
      version,
    ]);
    assertEquals(connect(fields), {
      type: "refusal",
      status: 400,
      headers: [["sec-websocket-version", "13"]],
    }, versions.join());
  }
});

Deno.test("checkExtendedConnect() reads what is offered, or refuses it", () => {
  const version: Field = ["sec-websocket-version", "13"];
  const offer = connect([
    version,
    ["sec-websocket-protocol", "a, b"],
    ["sec-websocket-extensions", "c"],
  ]);
  assertEquals(offer, {
    type: "extended connect",
    subprotocols: ["a", "b"],
    extensions: [{ name: "c", parameters: [] }],
  });
  const bad = { type: "refusal" as const, status: 400 as const, headers: [] };
  assertEquals(connect([version, ["sec-websocket-protocol", "a,a"]]), bad);
  assertEquals(connect([version, ["sec-websocket-extensions", "a;"]]), bad);
});

Deno.test("agreementHeaders() says what was agreed on, and nothing of a key", () => {
  const offer = { subprotocols: ["a", "b"], extensions: [] };
  assertEquals(agreementHeaders(offer), []);
  assertEquals(agreementHeaders(offer, { subprotocol: "b", extensions: "c" }), [
    ["sec-websocket-protocol", "b"],
    ["sec-websocket-extensions", "c"],
  ]);
  assertThrows(() => agreementHeaders(offer, { subprotocol: "c" }), TypeError);
});
