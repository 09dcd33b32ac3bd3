// Access records become lines that log analysers can read, and whatever a
// client sends, one record stays one line.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { accessFormatter, type AccessRecord } from "../../src/logs/mod.ts";
import { Random } from "../_feeding.ts";
import {
  accessRecord,
  assertVisible,
  HOSTILE,
  hostileText,
} from "./_records.ts";

/** What a record is in a format, without the newline. */
function format(name: string, parts: Partial<AccessRecord> = {}): string {
  const line = accessFormatter(name)(accessRecord(parts));
  assert(line.endsWith("\n"), `No newline ends ${JSON.stringify(line)}`);
  return line.slice(0, -1);
}

// The formats that have names.

Deno.test("The common format is that of the first web servers", () => {
  assertEquals(
    format("common"),
    "192.0.2.1 - - [10/Oct/2000:13:55:36 +0000] " +
      '"GET /items?page=2 HTTP/1.1" 200 2326',
  );
});

Deno.test("The combined format adds where the client came from and what it is", () => {
  assertEquals(
    format("combined"),
    "192.0.2.1 - - [10/Oct/2000:13:55:36 +0000] " +
      '"GET /items?page=2 HTTP/1.1" 200 2326 ' +
      '"http://example.com/" "test/1.0 (of lines)"',
  );
});

Deno.test("What is missing from a record is a hyphen", () => {
  assertEquals(
    format("combined", {
      client: null,
      method: "",
      target: "",
      headers: [],
      status: 400,
      bytesSent: 0,
    }),
    '- - - [10/Oct/2000:13:55:36 +0000] "-" 400 - "-" "-"',
  );
});

for (const name of ["common", "combined"]) {
  Deno.test(`A response that was cut short is marked at the end of a ${name} line`, () => {
    assertEquals(
      format(name, { aborted: true }),
      `${format(name)} aborted`,
    );
  });
}

Deno.test("A response that was never begun has the status 499", () => {
  const parts = { status: null, bytesSent: 0, aborted: true };
  assertMatch(format("common", parts), / HTTP\/1\.1" 499 - aborted$/);
});

Deno.test("A JSON line holds the record, and its time for people", () => {
  assertEquals(JSON.parse(format("json")), {
    time: "2000-10-10T13:55:36.007Z",
    type: "http",
    client: "192.0.2.1",
    clientPort: 50000,
    scheme: "http",
    httpVersion: "1.1",
    method: "GET",
    target: "/items?page=2",
    status: 200,
    bytesSent: 2326,
    duration: 1234.568,
    aborted: false,
    referer: "http://example.com/",
    userAgent: "test/1.0 (of lines)",
  });
});

Deno.test("What is missing from a record is null in JSON", () => {
  const parts = { client: null, headers: [], status: null, aborted: true };
  const line = JSON.parse(format("json", parts));
  const { client, clientPort, status, referer, userAgent, aborted } = line;
  assertEquals([client, clientPort, status, referer, userAgent], [
    null,
    null,
    null,
    null,
    null,
  ]);
  assertEquals(aborted, true);
});

// Atoms.

const ATOMS: Record<string, string> = {
  "%h": "192.0.2.1",
  "%{remote}p": "50000",
  "%l": "-",
  "%u": "-",
  "%t": "[10/Oct/2000:13:55:36 +0000]",
  "%r": "GET /items?page=2 HTTP/1.1",
  "%m": "GET",
  "%U": "/items",
  "%q": "?page=2",
  "%H": "HTTP/1.1",
  "%s": "200",
  "%>s": "200",
  "%b": "2326",
  "%B": "2326",
  "%{host}i": "example.com",
  "%{User-Agent}i": "test/1.0 (of lines)",
  "%{x-unknown}i": "-",
  "%D": "1234568",
  "%T": "1",
  "%{s}T": "1",
  "%{ms}T": "1234",
  "%{us}T": "1234568",
  "%X": "-",
  "%%": "%",
};

for (const [atom, value] of Object.entries(ATOMS)) {
  Deno.test(`The atom ${atom} becomes ${value}`, () => {
    assertEquals(format(`<${atom}> 100%% %s`), `<${value}> 100% 200`);
  });
}

Deno.test("Atoms of values that are missing become a hyphen, or nothing", () => {
  const record = { client: null, method: "", target: "", bytesSent: 0 };
  assertEquals(
    format("%h %{remote}p %r %m %U [%q] %b %B", record),
    "- - - - - [] - 0",
  );
});

Deno.test("The atom %X shows that a response was cut short", () => {
  assertEquals(format("%X", { aborted: true }), "X");
});

Deno.test("A field that was sent twice is shown with both values", () => {
  const headers = [["x-a", "1"], ["x-b", "2"], ["x-a", "3"]] as const;
  assertEquals(format("%{X-A}i", { headers }), "1, 3");
});

Deno.test("Times are those of each record, also where they go back", () => {
  const formatter = accessFormatter("%t");
  const json = accessFormatter("json");
  for (const second of [0, 1, 1, 0, 86_399]) {
    for (const ms of [0, 999]) {
      const time = second * 1000 + ms;
      const clock = new Date(time).toISOString().slice(11, 19);
      const record = accessRecord({ time });
      assertEquals(formatter(record), `[01/Jan/1970:${clock} +0000]\n`);
      const { time: shown } = JSON.parse(json(record));
      assertEquals(shown, new Date(time).toISOString());
    }
  }
});

for (
  const [wrong, atom] of [
    ["%h %z", "%z"],
    ["%{host}z", "%{host}z"],
    ["%h %", "%"],
    ["%(h)s", "%("],
    ["%{host", "%{"],
    ["%{}i", "%{}i"],
    ["%i", "%i"],
    ["%{x}h", "%{x}h"],
    ["%p", "%p"],
    ["%{days}T", "%{days}T"],
    ["%{toString}T", "%{toString}T"],
    ["%>h", "%>h"],
  ]
) {
  Deno.test(`A format with ${wrong} is refused, and the message says why`, () => {
    const error = assertThrows(() => accessFormatter(wrong), RangeError);
    const { message } = error as Error;
    assert(message.includes(`unknown atom "${atom}"`), message);
    for (const known of Object.keys(ATOMS).filter((a) => /^%\w$/.test(a))) {
      assert(message.includes(known), `${known} is not in: ${message}`);
    }
  });
}

Deno.test("A format that is no format is refused", () => {
  for (const wrong of ["", "combinde", "apache"]) {
    assertThrows(() => accessFormatter(wrong), RangeError, `"${wrong}"`);
  }
  for (const wrong of ["%h\n", "\x1b[31m%h", "%h\x9b"]) {
    assertThrows(() => accessFormatter(wrong), RangeError, "it has a control");
  }
  assertEquals(format("%h\t%s"), "192.0.2.1\t200");
});

// What clients may send.

Deno.test("Quotes, backslashes and all but printable ASCII are escaped", () => {
  const headers = [["x", 'a"b\\c\x00\n\x1b\x7f\x85\xe9~ ']] as const;
  assertEquals(
    format("%{x}i", { headers }),
    String.raw`a\x22b\x5cc\x00\x0a\x1b\x7f\x85\xe9~ `,
  );
});

/** Written from the format's description alone. */
const COMBINED =
  /^(\S+) - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "([^"]*)" ([0-9]{3}) ([0-9]+|-) "([^"]*)" "([^"]*)"( aborted)?$/;

/** What an escaped field says. */
function unescape(field: string): string {
  return field.replaceAll(
    /\\x([0-9a-f]{2})|\\u\{([0-9a-f]+)\}/g,
    (_, byte, code) => String.fromCodePoint(Number.parseInt(byte ?? code, 16)),
  );
}

function hostileRecord(random: Random): AccessRecord {
  return accessRecord({
    client: [hostileText(random), 1],
    httpVersion: hostileText(random),
    method: hostileText(random),
    target: hostileText(random),
    headers: [
      ["referer", hostileText(random)],
      ["user-agent", hostileText(random)],
      [hostileText(random), hostileText(random)],
    ],
    status: random.pick([null, 200, 404]),
    bytesSent: random.below(3),
    aborted: random.below(2) === 0,
  });
}

Deno.test("Whatever a client sends, a combined line can be taken apart again", () => {
  const combined = accessFormatter("combined");
  const random = new Random(0xacce55);
  for (let round = 0; round < 3_000; round++) {
    const record = hostileRecord(random);
    // An address has no spaces.
    const client = ["192.0.2.1", 1] as const;
    const line = combined({ ...record, client });
    const match = COMBINED.exec(line.slice(0, -1));
    assert(match !== null, JSON.stringify(line));
    const [, host, requestLine, status, bytes, referer, agent, aborted] = match;
    const { method, target, httpVersion } = record;
    assertEquals(host, "192.0.2.1");
    assertEquals(
      unescape(requestLine),
      method === "" ? "-" : `${method} ${target} HTTP/${httpVersion}`,
    );
    assertEquals(status, String(record.status ?? 499));
    assertEquals(bytes, String(record.bytesSent || "-"));
    assertEquals(unescape(referer), record.headers[0][1] || "-");
    assertEquals(unescape(agent), record.headers[1][1] || "-");
    assertEquals(aborted !== undefined, record.aborted);
  }
});

Deno.test("Whatever a client sends, a line is one line of printable ASCII", () => {
  const format = `${Object.keys(ATOMS).join(" ")} %{referer}i %{user-agent}i`;
  const formatter = accessFormatter(format);
  const random = new Random(0x11e5);
  for (let round = 0; round < 3_000; round++) {
    assertMatch(formatter(hostileRecord(random)), /^[\x20-\x7e]+\n$/);
  }
});

Deno.test("Whatever a client sends, a JSON line is one line, and gives it back", () => {
  const json = accessFormatter("json");
  const random = new Random(0x1550);
  const records = Array.from({ length: 3_000 }, () => hostileRecord(random));
  for (const text of HOSTILE) records.push(accessRecord({ target: text }));
  for (const record of records) {
    const line = json(record);
    assertEquals(line.indexOf("\n"), line.length - 1, JSON.stringify(line));
    assertVisible(line);
    const { method, target, client, referer, userAgent } = JSON.parse(line);
    const sent = [record.method, record.target, record.client?.[0]];
    assertEquals([method, target, client], sent);
    const fields = new Map(record.headers);
    assertEquals([referer, userAgent], [
      fields.get("referer"),
      fields.get("user-agent"),
    ]);
  }
});
