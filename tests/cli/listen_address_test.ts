// Addresses to listen on, as texts.

import { assertEquals } from "@std/assert";
import {
  parseEndpoint,
  parseListenAddress,
} from "../../src/cli/listen_address.ts";

const tcp = (hostname: string, port: number, secure = false) =>
  ({ transport: "tcp", hostname, port, secure }) as const;

Deno.test("parseListenAddress() reads URLs, also with the port of their scheme", () => {
  assertEquals(parseListenAddress("http://a.test:80"), tcp("a.test", 80));
  assertEquals(parseListenAddress("https://[::]:443/"), tcp("::", 443, true));
  assertEquals(parseListenAddress("HTTP://127.0.0.1:0"), tcp("127.0.0.1", 0));
});

Deno.test("parseListenAddress() reads paths of unix sockets", () => {
  const address = { transport: "unix", path: "/run/a b.sock" } as const;
  assertEquals(parseListenAddress("unix:/run/a b.sock"), address);
});

Deno.test("parseListenAddress() refuses all other texts", () => {
  const faulty = ["", "a:1", "http://a", "http://a:65536", "http://a:1/b"];
  for (const text of [...faulty, "unix:", "ftp://a:1", "http://a b:1"]) {
    assertEquals(parseListenAddress(text), undefined, text);
  }
});

Deno.test("parseEndpoint() reads an address and a port", () => {
  const local = { hostname: "127.0.0.1", port: 9090 };
  assertEquals(parseEndpoint("127.0.0.1:9090"), local);
  assertEquals(parseEndpoint("[::1]:0"), { hostname: "::1", port: 0 });
  for (const text of ["9090", "a", "a:1/", "unix:a", "http://a:1"]) {
    assertEquals(parseEndpoint(text), undefined, text);
  }
});
