// The ports that workers share.

import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../src/cli/errors.ts";
import {
  checkSharable,
  isSharable,
  portsOf,
  tryAddresses,
  withPorts,
} from "../../src/cli/shared_ports.ts";
import { netTest } from "../e2e/_testing.ts";

Deno.test("withPorts puts the chosen ports in place of those that were asked for", () => {
  const ports = portsOf([
    { transport: "tcp", hostname: "::", port: 4001, secure: false },
    { transport: "unix", path: "/run/app.sock" },
    { transport: "tcp", hostname: "::1", port: 4002, secure: true },
  ]);
  const [first, socket] = [{ port: 0 }, { path: "/run/app.sock" }];
  assertEquals(withPorts({ port: 0 }, ports), { port: 4001 });
  assertEquals(
    withPorts({ listen: [first, socket, { hostname: "::1" }] }, ports),
    { listen: [{ port: 4001 }, socket, { hostname: "::1", port: 4002 }] },
  );
});

Deno.test("checkSharable refuses a unix socket, and names it", () => {
  checkSharable({ port: 8000 });
  assertThrows(
    () => checkSharable({ listen: [{ port: 8000 }, { path: "/run/a" }] }),
    UsageError,
    '"/run/a"',
  );
});

Deno.test("checkSharable refuses HTTP/3, and says why", () => {
  assertThrows(
    () => checkSharable({ tls: { cert: "c", key: "k" }, http3: true }),
    UsageError,
    "the UDP port of HTTP/3 between workers, because one process alone can",
  );
});

Deno.test("isSharable() is false for a unix socket, and for HTTP/3", () => {
  assertEquals(isSharable({ listen: { path: "/run/a" } }), false);
  const tls = { cert: "c", key: "k" };
  assertEquals(isSharable({ tls, http3: true }), false);
  assertEquals(isSharable({ tls }), Deno.build.os === "linux");
});

netTest("tryAddresses() chooses a port, and reports one that is taken", () => {
  const [address] = tryAddresses({ port: 0 });
  const { port } = address as Deno.NetAddr;
  using _taken = Deno.listen({ hostname: "127.0.0.1", port });
  assertThrows(
    () => tryAddresses({ port }),
    Deno.errors.AddrInUse,
    `Cannot listen on 127.0.0.1:${port}`,
  );
});
