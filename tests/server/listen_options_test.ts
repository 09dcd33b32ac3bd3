// Where a server is to listen: what the options come to, and what is refused.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type ListenChoice,
  listenTargets,
} from "../../src/server/listen_options.ts";

const TLS = { cert: "cert.pem", key: "key.pem" };

function targets(options: unknown): ReturnType<typeof listenTargets> {
  return listenTargets(options as ListenChoice);
}

Deno.test("listenTargets() is one TCP address by default", () => {
  assertEquals(targets({}), [
    { transport: "tcp", hostname: "127.0.0.1", port: 8000, tls: undefined },
  ]);
});

Deno.test("listenTargets() takes the simple form", () => {
  assertEquals(targets({ hostname: "::", port: 1, tls: TLS }), [{
    transport: "tcp",
    hostname: "::",
    port: 1,
    tls: {
      ...TLS,
      passphrase: undefined,
      alpn: ["h2", "http/1.1"],
      noDelay: false,
      minVersion: "TLSv1.2",
    },
  }]);
});

Deno.test("listenTargets() takes a list, in its order", () => {
  const listen = [{ path: "a.sock", mode: 0o660 }, { port: 0 }];
  assertEquals(targets({ listen }), [
    { transport: "unix", path: "a.sock", mode: 0o660 },
    { transport: "tcp", hostname: "127.0.0.1", port: 0, tls: undefined },
  ]);
});

for (const other of [{ port: 1 }, { hostname: "::" }, { tls: TLS }]) {
  const [name] = Object.keys(other);
  Deno.test(`listenTargets() refuses ${name} beside listen`, () => {
    assertThrows(
      () => targets({ listen: { port: 1 }, ...other }),
      TypeError,
      `Cannot serve: option "${name}" cannot be given beside option "listen"`,
    );
  });
}

Deno.test("listenTargets() reads the proxies of each address", () => {
  const proxyProtocol = ["10.0.0.0/8"];
  const [simple] = targets({ port: 0, proxyProtocol });
  assertEquals(simple.proxies?.has("10.1.2.3"), true);
  assertEquals(simple.proxies?.has("11.1.2.3"), false);
  const [one, other, unix] = targets({
    listen: [{ port: 0 }, { port: 0, proxyProtocol }, {
      path: "a",
      proxyProtocol: ["unix"],
    }],
  });
  assertEquals(one.proxies, undefined);
  assertEquals(other.proxies?.has("10.1.2.3"), true);
  assertEquals(unix.proxies?.has(null), true);
});

Deno.test("listenTargets() offers h2 where it is listed, and HTTP/2 is spoken", () => {
  const cases: [alpn: string[] | undefined, http2: boolean, string[]][] = [
    [undefined, true, ["h2", "http/1.1"]],
    [undefined, false, ["http/1.1"]],
    [["h2"], true, ["h2"]],
    [["http/1.1", "h2"], true, ["http/1.1", "h2"]],
    [["http/1.1", "h2"], false, ["http/1.1"]],
    [["http/1.1"], true, ["http/1.1"]],
  ];
  for (const [alpn, http2, offered] of cases) {
    const tls = { ...TLS, alpn };
    for (const choice of [{ tls }, { listen: { tls } }]) {
      const [target] = targets({ ...choice, http2 });
      assert(target.transport === "tcp");
      assertEquals(target.tls?.alpn, offered);
    }
  }
  assertThrows(
    () => targets({ tls: { ...TLS, alpn: ["h2"] }, http2: false }),
    TypeError,
    '"alpn" lists "h2" alone, and option "http2" is false',
  );
});

const WRONG: [unknown, typeof Error, string][] = [
  [[], TypeError, '"listen" must not be empty'],
  [[null], TypeError, "listen[0] must be an object"],
  [{ port: 65_536 }, RangeError, '"listen": "port" must be a whole number'],
  [[{ port: 1 }, { port: "1" }], TypeError, '"listen[1]": "port" must be'],
  [{ host: "::" }, TypeError, 'unknown key "host"'],
  [{ path: "" }, TypeError, '"path" must be a path'],
  [{ path: "a\0" }, TypeError, '"path" must be a path'],
  [{ path: "a", mode: 0o1000 }, RangeError, '"mode" must be a file mode'],
  [{ path: "a", mode: "660" }, TypeError, '"mode" must be a file mode'],
  [{ path: "a", port: 1 }, TypeError, 'unknown key "port"'],
  [{ tls: { cert: "a" } }, TypeError, '"tls": "key" must be PEM text'],
  [{ tls: { ...TLS, alpn: ["h3"] } }, TypeError, '"alpn" must be a list'],
  [{ tls: { ...TLS, alpn: [] } }, TypeError, '"alpn" must be a list'],
  [{ proxyProtocol: "unix" }, TypeError, '"proxyProtocol" must be a list'],
  [{ proxyProtocol: [1] }, TypeError, '"proxyProtocol" must be a list'],
  [{ proxyProtocol: ["a"] }, TypeError, 'Cannot read address "a"'],
  [{ proxyProtocol: ["::/129"] }, RangeError, 'Cannot read address "::/129"'],
  [
    { proxyProtocol: [], tls: TLS },
    TypeError,
    'can be given beside "tls" only',
  ],
  [{ tls: { ...TLS, noDelay: 1 } }, RangeError, '"noDelay" must be a boolean'],
  [{ tls: { ...TLS, passphrase: 1 } }, RangeError, '"passphrase" must be a'],
  [{ tls: { ...TLS, minVersion: "TLSv1.1" } }, TypeError, '"minVersion" must'],
  [{ tls: { ...TLS, minVersion: "TLSv1.3" } }, TypeError, 'needs "noDelay"'],
  [{ tls: { ...TLS, ca: "a" } }, TypeError, 'unknown key "ca"'],
];

Deno.test("listenTargets() refuses what is wrong, and names it", () => {
  for (const [listen, ErrorClass, message] of WRONG) {
    assertThrows(() => targets({ listen }), ErrorClass, message);
  }
});

const HTTP3 = {
  altSvc: undefined,
  maxConcurrentStreams: 64,
  maxPendingHandshakes: 256,
};

Deno.test("listenTargets() reads how HTTP/3 is served beside TLS", () => {
  const cases: [http3: unknown, read: unknown][] = [
    [true, HTTP3],
    [{}, HTTP3],
    [{ altSvc: false }, { ...HTTP3, altSvc: null }],
    [{ altSvc: 'h3=":1"' }, { ...HTTP3, altSvc: 'h3=":1"' }],
    [
      { maxConcurrentStreams: 1, maxPendingHandshakes: undefined },
      { ...HTTP3, maxConcurrentStreams: 1 },
    ],
    [false, undefined],
    [undefined, undefined],
  ];
  for (const [http3, read] of cases) {
    const address = { tls: TLS, http3 };
    for (const choice of [address, { listen: [{ port: 0, ...address }] }]) {
      const [target] = targets(choice);
      assert(target.transport === "tcp");
      assertEquals(target.http3, read);
    }
  }
});

Deno.test("listenTargets() refuses HTTP/3 that cannot be served", () => {
  const cases: [choice: object, reason: string][] = [
    [{ http3: true }, 'option "http3" needs "tls"'],
    [
      { listen: [{ http3: {} }] },
      'option "listen[0]": "http3" needs "tls"',
    ],
    [
      { http3: true, tls: { ...TLS, noDelay: true }, proxyProtocol: [] },
      '"http3" cannot be given beside "proxyProtocol"',
    ],
    [{ tls: TLS, http3: 1 }, '"http3" must be a boolean, or an object'],
    [{ tls: TLS, http3: { port: 1 } }, '"http3": unknown key "port"'],
    [{ tls: TLS, http3: { altSvc: true } }, '"altSvc" must be a field value'],
    [{ tls: TLS, http3: { altSvc: "a\n" } }, '"altSvc" must be a field value'],
    [
      { tls: TLS, http3: { maxConcurrentStreams: 0 } },
      '"maxConcurrentStreams" must be a whole number from 1 to 1000, not 0',
    ],
    [
      { tls: TLS, http3: { maxPendingHandshakes: 1e9 } },
      '"maxPendingHandshakes" must be a whole number from 1 to 65535',
    ],
    [{ listen: { path: "a", http3: true } }, 'unknown key "http3"'],
    [{ listen: { port: 1 }, http3: true }, 'beside option "listen"'],
  ];
  for (const [choice, reason] of cases) {
    assertThrows(() => targets(choice), Error, reason);
  }
});
