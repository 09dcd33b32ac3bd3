// Binding an address: what is bound, and what an error says of it.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { Listener } from "../../src/net/listener.ts";
import {
  describeAddress,
  formatAuthority,
  plainAddress,
  reachable,
  urlOf,
} from "../../src/net/listener_address.ts";
import { netTest } from "../e2e/_testing.ts";

const OPTIONS = { backlog: 511, reusePort: false };

function listen(
  { hostname, port }: { hostname: string; port: number },
): { addr: Deno.NetAddr; [Symbol.dispose]: () => void } {
  const target = { transport: "tcp", hostname, port } as const;
  const listener = new Listener(target, OPTIONS);
  return {
    addr: listener.address as Deno.NetAddr,
    [Symbol.dispose]: () => listener.close(),
  };
}

netTest("listen binds a free port for port 0", () => {
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  assertEquals(listener.addr.hostname, "127.0.0.1");
  assert(listener.addr.port > 0);
});

netTest("listen says which address is taken", () => {
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const error = assertThrows(
    () => listen({ hostname: "127.0.0.1", port }),
    Deno.errors.AddrInUse,
    `Cannot listen on 127.0.0.1:${port}: the address is already in use`,
  );
  assertInstanceOf(error.cause, Deno.errors.AddrInUse);
});

netTest("listen says which address is not to be had", () => {
  // An address of a range that is kept for documentation.
  const error = assertThrows(
    () => listen({ hostname: "192.0.2.1", port: 0 }),
    Error,
    "Cannot listen on 192.0.2.1:0: ",
  );
  assertInstanceOf(error.cause, Error);
  assertEquals(error.constructor, error.cause.constructor);
});

Deno.test({
  name: "listen leaves a missing permission as Deno says it",
  permissions: { net: false },
  fn() {
    assertThrows(
      () => listen({ hostname: "127.0.0.1", port: 0 }),
      Deno.errors.NotCapable,
      "--allow-net",
    );
  },
});

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
