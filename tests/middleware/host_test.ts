// Hosts with an optional port.

import { assertEquals } from "@std/assert";
import { formatHost, hostOf, parseHost } from "../../src/middleware/_host.ts";
import { httpScopeOf } from "./_calls.ts";

Deno.test("parseHost() separates name and port", () => {
  assertEquals(parseHost("a.test"), { name: "a.test", port: undefined });
  assertEquals(parseHost("a.test:"), { name: "a.test", port: undefined });
  assertEquals(parseHost("a.test:80"), { name: "a.test", port: 80 });
  assertEquals(parseHost("[::1]:8080"), { name: "[::1]", port: 8080 });
});

Deno.test("parseHost() refuses text that is no host", () => {
  const faulty = ["", ":80", "a b", "a:b", "a:65536", "::1", "a/b", "a@b"];
  for (const text of [...faulty, "a".repeat(261)]) {
    assertEquals(parseHost(text), undefined, text);
  }
});

Deno.test("formatHost() omits the port of the scheme", () => {
  const name = "a.test";
  assertEquals(formatHost({ name, port: 443 }, true), "a.test");
  assertEquals(formatHost({ name, port: 443 }, false), "a.test:443");
  assertEquals(formatHost({ name, port: undefined }, false), "a.test");
});

Deno.test("hostOf() is undefined unless there is exactly one host", () => {
  const hostIn = (...hosts: string[]) =>
    hostOf(httpScopeOf({ headers: hosts.map((host) => ["host", host]) }));
  assertEquals(hostIn("a.test:81"), { name: "a.test", port: 81 });
  assertEquals(hostIn(), undefined);
  assertEquals(hostIn("a.test", "a.test"), undefined);
});
