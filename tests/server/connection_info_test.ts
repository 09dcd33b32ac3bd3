// What applications get to know of connections of each kind of listener.

import { assert, assertEquals } from "@std/assert";
import { connectionInfo } from "../../src/server/connection_info.ts";

const TCP = {
  transport: "tcp",
  hostname: "127.0.0.1",
  port: 80,
  secure: false,
} as const;
const UNIX = { transport: "unix", path: "/run/a" } as const;

function address(hostname: string, port: number): Deno.Addr {
  return { transport: "tcp", hostname, port };
}

Deno.test("A TCP connection has two addresses, and the scheme of its listener", () => {
  const connection = {
    remoteAddr: address("::ffff:10.0.0.1", 1),
    localAddr: address("127.0.0.1", 80),
    tls: undefined,
  };
  const info = {
    client: ["10.0.0.1", 1],
    server: ["127.0.0.1", 80],
    tls: undefined,
  } as const;
  assertEquals(connectionInfo(connection, TCP), { scheme: "http", ...info });
  assertEquals(
    connectionInfo(connection, { ...TCP, secure: true }),
    { scheme: "https", ...info },
  );
});

Deno.test("A connection of a unix socket has a path", () => {
  const connection = { remoteAddr: UNIX, localAddr: UNIX, tls: undefined };
  assertEquals(connectionInfo(connection, UNIX), {
    scheme: "http",
    client: null,
    server: ["/run/a", null],
    tls: undefined,
  });
});

Deno.test("What TLS has agreed on is shared by all scopes, so it is frozen", () => {
  const { tls } = connectionInfo({
    remoteAddr: address("10.0.0.1", 1),
    localAddr: address("10.0.0.2", 2),
    tls: { serverCert: "PEM", version: 0x0304, cipherSuite: 0x1301 },
  }, { ...TCP, secure: true });
  assert(Object.isFrozen(tls));
  assertEquals(tls?.server_cert, "PEM");
  assertEquals([tls?.tls_version, tls?.cipher_suite], [0x0304, 0x1301]);
});
