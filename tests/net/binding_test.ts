// What is bound, and which address an error names.

import { assertEquals, assertThrows } from "@std/assert";
import { bind } from "../../src/net/binding.ts";
import { netTest } from "../e2e/_testing.ts";

const OPTIONS = { backlog: 511, reusePort: false };

netTest("bind() binds a TCP address", () => {
  const target = { transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;
  using listener = bind(target, OPTIONS, undefined);
  assertEquals((listener.addr as Deno.NetAddr).hostname, "127.0.0.1");
});

netTest("bind() names the TCP address that is taken", () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const target = { transport: "tcp", hostname: "127.0.0.1", port } as const;
  assertThrows(
    () => bind(target, OPTIONS, undefined),
    Deno.errors.AddrInUse,
    `Cannot listen on 127.0.0.1:${port}: the address is already in use`,
  );
});

netTest("bind() names the path that cannot be bound", () => {
  const target = {
    transport: "unix",
    path: "/no/a.sock",
    mode: undefined,
  } as const;
  assertThrows(
    () => bind(target, OPTIONS, undefined),
    Deno.errors.NotFound,
    "Cannot listen on /no/a.sock: ",
  );
}, { permissions: ["read", "write"] });

Deno.test({
  name: "bind() refuses reusePort without the flag that it needs",
  ignore: "listenDatagram" in Deno,
  fn() {
    const target = {
      transport: "tcp",
      hostname: "127.0.0.1",
      port: 0,
    } as const;
    assertThrows(
      () => bind(target, { ...OPTIONS, reusePort: true }, undefined),
      Deno.errors.NotSupported,
      "--unstable-net",
    );
  },
});
