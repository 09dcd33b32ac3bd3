// The two ways to serve TLS: Deno's handshake, and that of Node.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { SocketConn } from "../../src/net/connection.ts";
import { handshakeTls, loadTerminator } from "../../src/net/tls.ts";
import { TlsTerminator } from "../../src/net/tls_socket.ts";
import { createCertificate } from "../e2e/_certificates.ts";

for (const alpnProtocol of ["h2", null]) {
  Deno.test(`handshakeTls() resolves to the connection, with what ALPN has chosen: ${alpnProtocol}`, async () => {
    const conn = {
      handshake: () => Promise.resolve({ alpnProtocol }),
    } as unknown as SocketConn;
    const secure = await handshakeTls(conn);
    assert(secure === conn);
    assertEquals(secure.alpnProtocol, alpnProtocol);
  });
}

Deno.test("handshakeTls() rejects if the handshake fails", async () => {
  const conn = { handshake: () => Promise.reject(new Error("no TLS")) };
  await assertRejects(
    () => handshakeTls(conn as unknown as SocketConn),
    Error,
    "no TLS",
  );
});

Deno.test("loadTerminator() makes a terminator of a certificate and its key", async () => {
  const certifiedKey = await createCertificate();
  const terminator = await loadTerminator(certifiedKey, {
    ...certifiedKey,
    alpn: ["http/1.1"],
    noDelay: true,
    minVersion: "TLSv1.2",
  });
  assert(terminator instanceof TlsTerminator);
});
