// The address of a listener, as people and clients write it.

import { assertEquals } from "@std/assert";
import {
  describeAddress,
  formatAuthority,
  plainAddress,
  reachable,
  urlOf,
} from "../../src/net/listener_address.ts";

Deno.test("formatAuthority writes an IPv6 address in brackets", () => {
  assertEquals(formatAuthority("127.0.0.1", 80), "127.0.0.1:80");
  assertEquals(formatAuthority("localhost", 80), "localhost:80");
  assertEquals(formatAuthority("::1", 80), "[::1]:80");
});

Deno.test("urlOf says under which URL an address is reached", () => {
  const tcp = { transport: "tcp", port: 80 } as const;
  const urls = [
    urlOf({ ...tcp, hostname: "127.0.0.1", secure: false }),
    urlOf({ ...tcp, hostname: "0.0.0.0", secure: true }),
    urlOf({ ...tcp, hostname: "::", secure: false }),
    urlOf({ transport: "unix", path: "/run/app.sock" }),
  ];
  assertEquals(urls, [
    "http://127.0.0.1:80/",
    "https://127.0.0.1:80/",
    "http://[::1]:80/",
    "unix:/run/app.sock",
  ]);
});

Deno.test("describeAddress says what is bound, and what to try where that differs", () => {
  const tcp = { transport: "tcp", port: 80, secure: false } as const;
  const describe = (hostname: string, path?: string) =>
    describeAddress({ ...tcp, hostname }, path);
  assertEquals(describe("127.0.0.1"), "http://127.0.0.1:80/");
  assertEquals(describe("192.0.2.1", "a"), "http://192.0.2.1:80/a");
  assertEquals(
    describe("0.0.0.0", "a"),
    "http://0.0.0.0:80/a (try http://127.0.0.1:80/a)",
  );
  assertEquals(describe("::"), "http://[::]:80/ (try http://[::1]:80/)");
  const unix = { transport: "unix", path: "/run/app.sock" } as const;
  assertEquals(describeAddress(unix), "unix:/run/app.sock");
});

Deno.test("plainAddress gives IPv4 addresses of IPv6 sockets back", () => {
  assertEquals(plainAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assertEquals(plainAddress("::1"), "::1");
  assertEquals(reachable("192.0.2.1"), "192.0.2.1");
});
