// Addresses and ranges: what is one, in which forms, and who is in a range.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  formatAddress,
  parseAddress,
  TrustedPeers,
} from "../../src/middleware/address.ts";

const CANONICAL: Record<string, string> = {
  "0.0.0.0": "0.0.0.0",
  "192.0.2.255": "192.0.2.255",
  "::": "::",
  "::1": "::1",
  "1::": "1::",
  "2001:DB8:0:0:0:0:0:1": "2001:db8::1",
  "2001:0db8::0001": "2001:db8::1",
  "1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
  "::2:3:4:5:6:7:8": "0:2:3:4:5:6:7:8",
  "64:ff9b::192.0.2.33": "64:ff9b::c000:221",
  "1:2:3:4:5:6:1.2.3.4": "1:2:3:4:5:6:102:304",
  "::ffff:192.0.2.1": "192.0.2.1",
  "::ffff:c000:201": "192.0.2.1",
  "0:0:0:0:0:ffff:192.0.2.1": "192.0.2.1",
};

for (const [text, canonical] of Object.entries(CANONICAL)) {
  Deno.test(`parseAddress() takes ${text}, which is ${canonical}`, () => {
    const address = parseAddress(text);
    assert(address !== undefined);
    assertEquals(formatAddress(address), canonical);
  });
}

Deno.test("parseAddress() refuses what is no address", () => {
  const faulty = [
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.",
    " 1.2.3.4",
    "0x1.2.3.4",
    "1.2.3.4:80",
    "localhost",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1::",
    "1::2::3",
    ":1:2:3:4:5:6:7",
    "12345::",
    "g::",
    "[::1]",
    "::1%eth0",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3",
    "::ffff:1.2.3.256",
  ];
  assertEquals(faulty.filter((text) => parseAddress(text) !== undefined), []);
});

const RANGES: [entry: string, inside: string[], outside: string[]][] = [
  ["192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.2", "::1"]],
  ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["11.0.0.0", "9.255.255.255"]],
  [
    "192.0.2.128/25",
    ["192.0.2.128", "192.0.2.255"],
    ["192.0.2.127", "192.0.3.128"],
  ],
  ["192.0.2.4/30", ["192.0.2.7"], ["192.0.2.3", "192.0.2.8"]],
  ["192.0.2.4/32", ["192.0.2.4"], ["192.0.2.5"]],
  ["0.0.0.0/0", ["1.2.3.4", "::ffff:1.2.3.4"], ["::1", "::"]],
  ["::/0", ["::1", "2001:db8::1"], ["1.2.3.4", "::ffff:1.2.3.4"]],
  ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]],
  ["2001:db8::/33", ["2001:db8:7fff::1"], ["2001:db8:8000::", "2001:db9::"]],
  ["fe80::/10", ["fe80::1", "febf::1", "fe80::1%eth0"], ["fec0::1"]],
  ["::ffff:10.0.0.0/104", ["10.1.2.3"], ["11.0.0.1", "::10.1.2.3"]],
];

for (const [entry, inside, outside] of RANGES) {
  Deno.test(`TrustedPeers has what is in ${entry}, and nothing else`, () => {
    const peers = new TrustedPeers([entry]);
    const has = [...inside, ...outside].filter((host) => peers.has(host));
    assertEquals(has, inside);
  });
}

Deno.test("TrustedPeers never has what is no address", () => {
  const peers = new TrustedPeers(["0.0.0.0/0", "::/0", "unix"]);
  for (const host of ["", "unix", "unknown", "_hidden", "localhost", "/a"]) {
    assertEquals(peers.has(host), false, host);
  }
});

Deno.test("TrustedPeers has the peers of unix sockets only if asked to", () => {
  assertEquals(new TrustedPeers(["unix"]).hasUnix, true);
  assertEquals(new TrustedPeers(["0.0.0.0/0", "::/0"]).hasUnix, false);
});

Deno.test("TrustedPeers is empty without entries", () => {
  assertEquals(new TrustedPeers([]).isEmpty, true);
  assertEquals(new TrustedPeers(["unix"]).isEmpty, false);
  assertEquals(new TrustedPeers(["::1"]).isEmpty, false);
});

const FAULTY: Record<string, string> = {
  "*": "it is no address, no range",
  "": "it is no address",
  "localhost": "it is no address",
  "10.0.0": "it is no address",
  "[::1]": "it is no address",
  "10.0.0.0/8/8": "it is no address",
  "Unix": "it is no address",
  "10.0.0.0/33": '"33" is no length',
  "10.0.0.0/": '"" is no length',
  "10.0.0.0/-1": '"-1" is no length',
  "10.0.0.0/08": '"08" is no length',
  "10.0.0.0/255.0.0.0": '"255.0.0.0" is no length',
  "::/129": '"129" is no length',
  "::ffff:10.0.0.0/95": '"95" is no length',
  "10.0.0.1/8": "begins with 10.0.0.0",
  "2001:db8::1/32": "begins with 2001:db8::",
};

for (const [entry, reason] of Object.entries(FAULTY)) {
  Deno.test(`TrustedPeers refuses "${entry}", and says why`, () => {
    const error = assertThrows(() => new TrustedPeers([entry]), TypeError);
    assert(error.message.startsWith(`Cannot trust "${entry}": `));
    assert(error.message.includes(reason), error.message);
  });
}
