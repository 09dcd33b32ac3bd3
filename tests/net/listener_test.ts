// Binding an address: what is bound, and what an error says of it.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { Listener } from "../../src/net/listener.ts";
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
