// The options of a server: their defaults, what is refused, and that the
// documentation of each says the default that holds.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { DEFAULT_HTTP2_OPTIONS } from "../../src/http2/options.ts";
import { Metrics } from "../../src/metrics/mod.ts";
import {
  DEFAULT_OPTIONS,
  resolveOptions,
  type ServeOptions,
} from "../../src/server/options.ts";

const SOURCE = new URL("../../src/server/options.ts", import.meta.url);

/** Resolves what an application in plain JavaScript may give. */
function resolve(options: unknown): ReturnType<typeof resolveOptions> {
  return resolveOptions(options as ServeOptions);
}

/** The options by what they take; every option stands in one row. */
const LIMITS = [
  "maxRequestLineBytes",
  "maxHeaderBytes",
  "maxHeaders",
  "maxBodyBytes",
  "maxConnections",
  "maxConcurrentRequests",
  "maxRequestsPerConnection",
  "drainBytes",
];
const TIMES = [
  "handshakeTimeout",
  "headerTimeout",
  "keepAliveTimeout",
  "bodyTimeout",
  "writeTimeout",
  "shutdownTimeout",
  "drainTimeout",
];

/** Options that are not there unless they are given. */
const ABSENT = [
  "tls",
  "listen",
  "signal",
  "onListen",
  "log",
  "accessLog",
  "proxyProtocol",
  "metrics",
];

Deno.test("resolveOptions() fills in every default", () => {
  assertEquals(resolveOptions({}), DEFAULT_OPTIONS);
});

Deno.test("A connection of HTTP/2 alone has the defaults of a server", () => {
  const together = { ...DEFAULT_OPTIONS, ...DEFAULT_HTTP2_OPTIONS };
  assertEquals(DEFAULT_OPTIONS, together);
});

Deno.test("resolveOptions() keeps what is given, and fills in the rest", () => {
  const given = { port: 0, hostname: "::1", serverHeader: null };
  assertEquals(resolveOptions(given), { ...DEFAULT_OPTIONS, ...given });
});

Deno.test("resolveOptions() changes neither what it is given nor the defaults", () => {
  const given = Object.freeze({ port: 1 });
  const defaults = { ...DEFAULT_OPTIONS };
  const resolved = resolveOptions(given);
  resolved.port = 2;
  assertEquals(DEFAULT_OPTIONS, defaults);
});

Deno.test("resolveOptions() takes undefined as absent, for every option", () => {
  const names = [...Object.keys(DEFAULT_OPTIONS), ...ABSENT];
  for (const name of names) {
    assertEquals(resolve({ [name]: undefined }), DEFAULT_OPTIONS, name);
  }
});

Deno.test("resolveOptions() takes a signal and functions", () => {
  resolve({
    signal: new AbortController().signal,
    onListen: () => {},
    log: () => {},
  });
});

for (const name of LIMITS) {
  Deno.test(`resolveOptions() takes a count, or none, as ${name}`, () => {
    accepts(name, [1, 65_536, Number.MAX_SAFE_INTEGER, Infinity]);
    refuses(name, [0, -1, 1.5, NaN, -Infinity, 2 ** 53], RangeError);
    refuses(name, ["1", null, true, 1n, {}, [1]], TypeError);
  });
}

for (const name of TIMES) {
  Deno.test(`resolveOptions() takes a time, or none, as ${name}`, () => {
    accepts(name, [1, 0.5, 60_000, Infinity]);
    refuses(name, [0, -1, NaN, -Infinity], RangeError);
    refuses(name, ["1s", null, true, 1n, {}, new Date()], TypeError);
  });
}

Deno.test("resolveOptions() takes a port", () => {
  accepts("port", [0, 1, 8000, 65_535]);
  refuses("port", [-1, 65_536, 80.5, NaN, Infinity], RangeError);
  refuses("port", ["80", null, true], TypeError);
});

Deno.test("resolveOptions() takes a backlog", () => {
  accepts("backlog", [1, 511, 65_535]);
  refuses("backlog", [0, -1, 65_536, 1.5, Infinity], RangeError);
  refuses("backlog", ["511", null], TypeError);
});

Deno.test("resolveOptions() takes a number of streams", () => {
  accepts("maxConcurrentStreams", [1, 100, 2 ** 31 - 1]);
  const outOfRange = [0, -1, 1.5, NaN, Infinity, 2 ** 31];
  refuses("maxConcurrentStreams", outOfRange, RangeError);
  refuses("maxConcurrentStreams", ["100", null, true], TypeError);
});

for (const name of ["http2StreamWindow", "http2BufferBytes"]) {
  Deno.test(`resolveOptions() takes a flow-control window as ${name}`, () => {
    accepts(name, [65_535, 65_536, 2 ** 31 - 1]);
    const outOfRange = [0, 65_534, 65_535.5, NaN, Infinity, 2 ** 31];
    refuses(name, outOfRange, RangeError);
    refuses(name, ["64KiB", null, true], TypeError);
  });
}

for (const name of ["reusePort", "signals", "http2"]) {
  Deno.test(`resolveOptions() takes a boolean as ${name}`, () => {
    accepts(name, [true, false]);
    refuses(name, [null, "yes", {}], TypeError);
  });
}

Deno.test("resolveOptions() refuses what cannot say where to listen", () => {
  refuses("tls", [null, true, "cert.pem"], TypeError);
  refuses("listen", [null, true, "127.0.0.1"], TypeError);
});

Deno.test("resolveOptions() takes text as hostname", () => {
  accepts("hostname", ["127.0.0.1", "::", "localhost"]);
  refuses("hostname", [null, true, {}], TypeError);
});

Deno.test("resolveOptions() takes addresses, ranges and unix as trustedProxies", () => {
  accepts("trustedProxies", [[], ["127.0.0.1", "10.0.0.0/8", "::1", "unix"]]);
  const faulty = [null, "127.0.0.1", ["*"], ["10.0.0.1/8"], [1], {}];
  refuses("trustedProxies", faulty, TypeError);
});

Deno.test("resolveOptions() takes the prefix of a path as rootPath", () => {
  accepts("rootPath", ["", "/api", "/api/v2"]);
  refuses("rootPath", [null, "api", "/", "/api/", "//a", "/a?b"], TypeError);
});

Deno.test("resolveOptions() takes a boolean as dateHeader", () => {
  accepts("dateHeader", [true, false]);
  refuses("dateHeader", [null, "yes", {}], TypeError);
});

Deno.test("resolveOptions() takes a field value, or null, as serverHeader", () => {
  accepts("serverHeader", ["x", "a b/1.0 (c)", null]);
  const faulty = ["a\r\nb: c", "a\n", "a\0", "€", false, {}];
  refuses("serverHeader", faulty, TypeError);
});

Deno.test("resolveOptions() takes a Metrics as metrics", () => {
  accepts("metrics", [new Metrics()]);
  const counts = new Metrics().counts;
  refuses("metrics", [null, true, "", {}, [], Metrics, counts], TypeError);
});

Deno.test("resolveOptions() refuses what is no function, and no signal", () => {
  refuses("onListen", [null, "log", {}], TypeError);
  refuses("log", [null, true, {}], TypeError);
  refuses("signal", [null, new AbortController(), {}], TypeError);
});

for (const name of ["unknown", "Port", "toString", "constructor", ""]) {
  Deno.test(`resolveOptions() refuses the unknown option "${name}"`, () => {
    assertThrows(
      () => resolve({ [name]: 1 }),
      TypeError,
      `unknown option "${name}"`,
    );
  });
}

Deno.test("resolveOptions() refuses __proto__ as an option", () => {
  assertThrows(
    () => resolve(JSON.parse('{"__proto__": {"port": 1}}')),
    TypeError,
    'unknown option "__proto__"',
  );
});

Deno.test("resolveOptions() says which option is wrong, what it takes, and what it got", () => {
  assertThrows(
    () => resolve({ port: 65_536 }),
    RangeError,
    'Cannot serve: option "port" must be a whole number from 0 to 65535, not 65536',
  );
  assertThrows(
    () => resolve({ bodyTimeout: "1s" }),
    TypeError,
    'Cannot serve: option "bodyTimeout" must be a number of milliseconds above 0, or Infinity, not "1s"',
  );
});

Deno.test({
  name: "Every option says its default, and that is the one that holds",
  ignore: Deno.permissions.querySync({ name: "read", path: SOURCE }).state !==
    "granted",
  fn() {
    const documented = documentedDefaults(Deno.readTextFileSync(SOURCE));
    assert(documented.size > ABSENT.length);
    for (const [name, text] of documented) {
      if (ABSENT.includes(name)) continue;
      const value = DEFAULT_OPTIONS[name as keyof typeof DEFAULT_OPTIONS];
      assertEquals(valueOf(text), value, `${name}: "${text}"`);
    }
    assertEquals(
      [...documented.keys()].sort(),
      [...Object.keys(DEFAULT_OPTIONS), ...ABSENT].sort(),
    );
  },
});

/** The properties of `ServeOptions`, with the defaults that are documented. */
function documentedDefaults(source: string): Map<string, string> {
  const [, members] = /export interface ServeOptions \{\n(.*?)\n\}/s
    .exec(source) ?? [];
  assert(members !== undefined, "The interface ServeOptions is not found");
  const member = /\/\*\*(?<doc>.*?)\*\/\s+(?<name>\w+)(?<optional>\??):/gs;
  return new Map([...members.matchAll(member)].map(({ groups }) => {
    const { doc, name, optional } = groups!;
    assertEquals(optional, "?", `The option ${name} is not optional`);
    const [, text] = /Default: (.+?)\.(?:\s|$)/s.exec(doc) ?? [];
    assert(text !== undefined, `The option ${name} does not say its default`);
    return [name, text];
  }));
}

/** The value that a documented default stands for. */
function valueOf(text: string): unknown {
  if (text === "none") return Infinity;
  const [, digits, unit] = /^(\d+)(?: (KiB|MiB|s|ms))?$/.exec(text) ?? [];
  if (digits === undefined) return JSON.parse(text);
  const factors: Record<string, number> = {
    KiB: 1024,
    MiB: 1024 ** 2,
    s: 1000,
    ms: 1,
  };
  return Number(digits) * (unit === undefined ? 1 : factors[unit]);
}

function accepts(name: string, values: unknown[]): void {
  for (const value of values) {
    assertEquals(resolve({ [name]: value }), {
      ...DEFAULT_OPTIONS,
      [name]: value,
    });
  }
}

function refuses(
  name: string,
  values: unknown[],
  ErrorClass: typeof TypeError | typeof RangeError,
): void {
  for (const value of values) {
    assertThrows(() => resolve({ [name]: value }), ErrorClass, `"${name}"`);
  }
}
