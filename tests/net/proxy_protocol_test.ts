// Headers of the PROXY protocol, whole and in pieces. They are written here by
// hand, byte for byte, as the protocol's text describes them.

import { assertEquals, assertThrows } from "@std/assert";
import {
  parseProxyHeader,
  type ProxyHeader,
  ProxyHeaderError,
} from "../../src/net/proxy_protocol.ts";
import { bytes, Random } from "../_feeding.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const LENGTH_LIMIT = 4096;

/** A header of version 2: the command, the family and protocol, what follows. */
function v2(command: number, family: number, rest: string): string {
  const [high, low] = [rest.length >> 8, rest.length & 0xff];
  return SIGNATURE + String.fromCharCode(command, family, high, low) + rest;
}

function tcp(hostname: string, port: number) {
  return { transport: "tcp" as const, hostname, port };
}

function unix(path: string) {
  return { transport: "unix" as const, path };
}

const V4 = "\xc0\x00\x02\x01" + "\xcb\x00\x71\x09" + "\xdc\x04" + "\x01\xbb";
const V6 = "\x20\x01\x0d\xb8" + "\0".repeat(11) + "\x01" +
  "\0".repeat(15) + "\x01" + "\xff\xff" + "\x00\x50";
const UNIX = "/run/a.sock".padEnd(108, "\0") + "/run/b.sock".padEnd(108, "\0");
const TLVS = "\x04\x00\x03abc" + "\x01\x00\x02h2";

const V4_ADDRESSES = {
  source: tcp("192.0.2.1", 56324),
  destination: tcp("203.0.113.9", 443),
};
const V6_ADDRESSES = {
  source: tcp("2001:db8::1", 65535),
  destination: tcp("::1", 80),
};

/** Headers, and whose connection they say it is. */
const VALID: [what: string, wire: string, ProxyHeader["addresses"]][] = [
  [
    "v1 of IPv4",
    "PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n",
    V4_ADDRESSES,
  ],
  ["v1 of IPv6", "PROXY TCP6 2001:db8::1 ::1 65535 80\r\n", V6_ADDRESSES],
  ["v1 that knows nothing", "PROXY UNKNOWN\r\n", null],
  [
    "v1 that knows nothing, and says more",
    `PROXY UNKNOWN ${"f".repeat(107 - 16)}\r\n`,
    null,
  ],
  [
    "v1 as long as its addresses can be",
    `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${
      "ffff:".repeat(7)
    }ffff 65535 65535\r\n`,
    {
      source: tcp(`${"ffff:".repeat(7)}ffff`, 65535),
      destination: tcp(`${"ffff:".repeat(7)}ffff`, 65535),
    },
  ],
  ["v2 of IPv4", v2(0x21, 0x11, V4), V4_ADDRESSES],
  ["v2 of IPv4 over UDP", v2(0x21, 0x12, V4), V4_ADDRESSES],
  ["v2 of IPv4 with more after it", v2(0x21, 0x11, V4 + TLVS), V4_ADDRESSES],
  ["v2 of IPv6", v2(0x21, 0x21, V6), V6_ADDRESSES],
  ["v2 of unix sockets", v2(0x21, 0x31, UNIX), {
    source: unix("/run/a.sock"),
    destination: unix("/run/b.sock"),
  }],
  [
    "v2 of unix sockets with paths of full length",
    v2(0x21, 0x31, "p".repeat(216)),
    {
      source: unix("p".repeat(108)),
      destination: unix("p".repeat(108)),
    },
  ],
  ["v2 of the proxy itself", v2(0x20, 0x00, ""), null],
  ["v2 of the proxy itself, with addresses", v2(0x20, 0x11, V4), null],
  ["v2 that knows nothing", v2(0x21, 0x00, TLVS), null],
  [
    "v2 as long as it may be",
    v2(0x21, 0x11, V4.padEnd(LENGTH_LIMIT, "\0")),
    V4_ADDRESSES,
  ],
];

for (const [what, wire, addresses] of VALID) {
  const header = { length: wire.length, addresses };

  Deno.test(`parseProxyHeader() reads ${what}, and nothing after it`, () => {
    assertEquals(parseProxyHeader(bytes(wire)), header);
    assertEquals(parseProxyHeader(bytes(`${wire}GET / HTTP/1.1\r\n`)), header);
    assertEquals(parseProxyHeader(bytes(wire + wire)), header);
  });

  Deno.test(`parseProxyHeader() asks for more until ${what} is whole`, () => {
    for (let length = 0; length < wire.length; length++) {
      const given = bytes(wire.slice(0, length));
      assertEquals(parseProxyHeader(given), undefined, `${length} bytes`);
    }
  });
}

/** What begins no header, or a wrong one. */
const INVALID: [what: string, wire: string, message: string][] = [
  ["a request", "GET / HTTP/1.1\r\n", "there is none"],
  ["a request that begins alike", "PROPFIND / HTTP/1.1\r\n", "there is none"],
  ["an empty line", "\r\nGET", "there is none"],
  ["a handshake of TLS", "\x16\x03\x01", "there is none"],
  ["lower case", "proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "there is none"],
  ["a line without end", `PROXY UNKNOWN ${"f".repeat(93)}`, "no end"],
  ["an unknown family", "PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n", "malformed"],
  ["a family alone", "PROXY TCP4\r\n", "malformed"],
  ["no family", "PROXY \r\n", "malformed"],
  ["what only begins like UNKNOWN", "PROXY UNKNOWNS\r\n", "malformed"],
  ["IPv6 as IPv4", "PROXY TCP4 ::1 ::2 1 2\r\n", "malformed"],
  ["IPv4 as IPv6", "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", "malformed"],
  ["a name", "PROXY TCP4 localhost 2.2.2.2 1 2\r\n", "malformed"],
  ["a bad address", "PROXY TCP4 1.1.1.1 2.2.2.256 1 2\r\n", "malformed"],
  ["a port too many", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", "malformed"],
  ["a port too few", "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", "malformed"],
  ["a port too large", "PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n", "malformed"],
  ["a port with a zero", "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n", "malformed"],
  ["a port with a sign", "PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n", "malformed"],
  ["two spaces", "PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n", "malformed"],
  ["a trailing space", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", "malformed"],
  [
    "a line feed alone",
    `PROXY TCP4 1.1.1.1 2.2.2.2 1 2\nHost: ${"a".repeat(80)}`,
    "no end",
  ],
  ["version 1 in binary", v2(0x11, 0x11, V4), "version or command"],
  ["an unknown command", v2(0x22, 0x11, V4), "version or command"],
  ["an unknown family in binary", v2(0x21, 0x41, V4), "family or protocol"],
  ["an unknown protocol", v2(0x21, 0x13, V4), "family or protocol"],
  ["IPv4 addresses cut short", v2(0x21, 0x11, V4.slice(1)), "cut short"],
  ["IPv6 addresses cut short", v2(0x21, 0x21, V6.slice(1)), "cut short"],
  ["unix addresses cut short", v2(0x21, 0x31, UNIX.slice(1)), "cut short"],
  [
    "too much after the addresses",
    v2(0x21, 0x11, V4.padEnd(LENGTH_LIMIT + 1, "\0")),
    "longer than 4096",
  ],
];

for (const [what, wire, message] of INVALID) {
  Deno.test(`parseProxyHeader() refuses ${what}, however it arrives`, () => {
    assertThrows(
      () => parseProxyHeader(bytes(wire)),
      ProxyHeaderError,
      message,
    );
    assertThrows(() => grow(wire), ProxyHeaderError, message);
  });
}

/** Gives the parser one byte more each time, until it knows. */
function grow(wire: string): ProxyHeader | undefined {
  for (let length = 0; length <= wire.length; length++) {
    const header = parseProxyHeader(bytes(wire.slice(0, length)));
    if (header !== undefined) return header;
  }
}

Deno.test("parseProxyHeader() gives a header, asks for more or refuses, whatever the bytes", () => {
  const random = new Random(2024);
  const starts = [
    "",
    "PROXY ",
    "PROXY TCP4 1.1.1.1 ",
    SIGNATURE,
    SIGNATURE + "\x21\x11",
  ];
  const seen = new Set<string>();
  for (let round = 0; round < 5000; round++) {
    const wire = random.pick(starts) + random.bytes(120);
    try {
      const header = parseProxyHeader(bytes(wire));
      seen.add(header === undefined ? "more" : "header");
      if (header !== undefined) {
        assertEquals(header.length <= wire.length, true);
      }
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) throw error;
      seen.add("refused");
    }
  }
  assertEquals(seen.has("more") && seen.has("refused"), true);
});
