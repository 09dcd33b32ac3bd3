// Addresses and ranges: which notations are read, and which addresses are in a
// range.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AddressSet,
  formatAddress,
  formatIpv4,
  formatIpv6,
  isAddressList,
  parseAddress,
} from "../../src/net/addresses.ts";

Deno.test("AddressSet has an address that is given as such", () => {
  const set = AddressSet.parse(["127.0.0.1", "::1"]);
  assert(set.has("127.0.0.1"));
  assert(set.has("::1"));
  assert(!set.has("127.0.0.2"));
  assert(!set.has("::2"));
});

Deno.test("AddressSet has an address in any notation of IPv6", () => {
  const set = AddressSet.parse(["2001:db8::a"]);
  for (const host of ["2001:DB8:0:0:0:0:0:A", "2001:0db8::000a"]) {
    assert(set.has(host), host);
  }
});

Deno.test("AddressSet has the addresses of a range, and no others", () => {
  const cases: [entry: string, inside: string[], outside: string[]][] = [
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], [
      "9.255.255.255",
      "11.0.0.0",
    ]],
    ["192.168.4.0/22", ["192.168.7.255"], ["192.168.8.0", "192.168.3.255"]],
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], [
      "192.0.2.127",
      "192.0.3.128",
    ]],
    ["192.0.2.4/30", ["192.0.2.7"], ["192.0.2.3", "192.0.2.8"]],
    ["1.2.3.4/32", ["1.2.3.4"], ["1.2.3.5"]],
    ["0.0.0.0/0", ["255.255.255.255", "::ffff:1.2.3.4"], ["::1", "::"]],
    ["fd00::/8", ["fd00::1", "fdff:ffff::"], ["fe00::", "fc00::"]],
    ["2001:db8::/33", ["2001:db8:7fff::"], ["2001:db8:8000::"]],
    ["::/0", ["::", "ffff::"], ["1.2.3.4", "::ffff:1.2.3.4"]],
    ["fe80::/10", ["fe80::1", "febf::1", "fe80::1%eth0"], ["fec0::1"]],
    ["::ffff:10.0.0.0/104", ["10.1.2.3"], ["11.0.0.1", "::10.1.2.3"]],
  ];
  for (const [entry, inside, outside] of cases) {
    const set = AddressSet.parse([entry]);
    for (const host of inside) assert(set.has(host), `${host} in ${entry}`);
    for (const host of outside) assert(!set.has(host), `${host} in ${entry}`);
  }
});

Deno.test("AddressSet takes an IPv4 address that is mapped into IPv6 as itself", () => {
  const set = AddressSet.parse(["10.0.0.0/8"]);
  assert(set.has("::ffff:10.1.2.3"));
  assert(set.has("::ffff:a01:203"));
  assert(!set.has("::ffff:11.1.2.3"));
  assert(!set.has("::10.1.2.3"));
  assert(AddressSet.parse(["::ffff:10.0.0.1"]).has("10.0.0.1"));
});

Deno.test("AddressSet has peers on unix sockets only if unix is given", () => {
  assert(AddressSet.parse(["unix"]).has(null));
  assert(!AddressSet.parse(["0.0.0.0/0", "::/0"]).has(null));
  assert(!AddressSet.parse(["unix"]).has("127.0.0.1"));
});

Deno.test("AddressSet is empty, and has nobody, if nothing is given", () => {
  const set = AddressSet.parse([]);
  assert(set.isEmpty);
  assert(!set.has("127.0.0.1"));
  assert(!set.has(null));
  assert(!AddressSet.parse(["unix"]).isEmpty);
  assert(!AddressSet.parse(["::1"]).isEmpty);
});

Deno.test("AddressSet has nothing that is no address", () => {
  const set = AddressSet.parse(["0.0.0.0/0", "::/0", "unix"]);
  for (
    const host of [
      ...["", "unix", "unknown", "_hidden", "localhost", "/a"],
      ...["[::1]", "1.2.3.4:80", "1.2.3"],
    ]
  ) {
    assert(!set.has(host), host);
  }
});

Deno.test("AddressSet refuses entries that are no address, and quotes them", () => {
  const entries = [
    "",
    "*",
    "localhost",
    "UNIX",
    " 127.0.0.1",
    "127.1",
    "127.0.0.01",
    "0x7f.0.0.1",
    "1.2.3.4.5",
    "256.0.0.1",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.0/255.0.0.0",
    "[::1]",
    "::1%eth0",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1::2::3",
    "12345::",
    "::g",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1.2.3.4::",
    "::1.2.3.4:5",
  ];
  for (const entry of entries) {
    assertThrows(
      () => AddressSet.parse([entry]),
      TypeError,
      `Cannot read address "${entry}"`,
    );
  }
});

Deno.test("AddressSet refuses a range that is longer than its address", () => {
  for (const entry of ["10.0.0.0/33", "::/129"]) {
    assertThrows(() => AddressSet.parse([entry]), RangeError, "longer than");
  }
});

Deno.test("AddressSet refuses a range that does not begin with its address", () => {
  const firsts = {
    "10.0.0.1/8": "10.0.0.0",
    "fd00::1/64": "fd00::",
    "1.2.3.4/0": "0.0.0.0",
    "2001:db8::1/32": "2001:db8::",
    "::ffff:10.0.0.0/95": "::fffe:0:0",
  };
  for (const [entry, first] of Object.entries(firsts)) {
    assertThrows(
      () => AddressSet.parse([entry]),
      RangeError,
      `Cannot read address "${entry}": the range of this length begins with ${first}`,
    );
  }
});

Deno.test("isAddressList() accepts what AddressSet.parse() does", () => {
  assert(isAddressList([]));
  assert(isAddressList(["10.0.0.0/8", "unix"]));
  for (const value of ["10.0.0.0/8", ["*"], ["10.0.0.1/8"], [1], null]) {
    assert(!isAddressList(value));
  }
});

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
  Deno.test(`parseAddress() reads ${text}, which is ${canonical}`, () => {
    const address = parseAddress(text);
    assert(address !== null);
    assertEquals(formatAddress(address), canonical);
  });
}

Deno.test("parseAddress() refuses text that is no address", () => {
  const faulty = [
    ...["", "1", "localhost", "g::", "[::1]", "12345::", "::1%eth0"],
    ...["1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.", " 1.2.3.4"],
    ...["0x1.2.3.4", "1.2.3.4:80", "1.2.3.4::", "::1.2.3.4:5", "::1.2.3"],
    ...["::ffff:1.2.3.256", ":", ":::", "::1::", "1::2::3"],
    ...["1:2:3:4:5:6:7", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9"],
    ...["1:2:3:4:5:6:7:8::"],
  ];
  assertEquals(faulty.filter((text) => parseAddress(text) !== null), []);
});

Deno.test("formatIpv6 writes the form of RFC 5952", () => {
  const texts = [
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "2001:db8:0:1:1:1:1:1",
    "2001:0:0:1::1",
    "2001:db8::1:0:0:1",
    "1:2:3:4:5:6:7:8",
    "::ffff:10.0.0.1",
  ];
  for (const text of texts) {
    assertEquals(formatIpv6(parseAddress(text)!), text);
  }
});

Deno.test("formatIpv4 writes four numbers", () => {
  assertEquals(formatIpv4(Uint8Array.of(192, 0, 2, 1)), "192.0.2.1");
});
