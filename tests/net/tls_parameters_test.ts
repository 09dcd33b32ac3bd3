// What a TLS handshake has agreed on, in the numbers of the protocol.

import { assertEquals } from "@std/assert";
import {
  firstCertificate,
  tlsParameters,
} from "../../src/net/tls_parameters.ts";

const NAMES = {
  version: "TLSv1.3",
  cipherSuite: "TLS_AES_128_GCM_SHA256",
};

Deno.test("tlsParameters() gives the numbers of names", () => {
  assertEquals(tlsParameters("PEM", NAMES.version, NAMES.cipherSuite), {
    serverCert: "PEM",
    version: 0x0304,
    cipherSuite: 0x1301,
  });
});

Deno.test("tlsParameters() is undefined for a name that is not known", () => {
  const { version, cipherSuite } = NAMES;
  assertEquals(tlsParameters("PEM", null, cipherSuite), undefined);
  assertEquals(tlsParameters("PEM", "TLSv1.1", cipherSuite), undefined);
  assertEquals(tlsParameters("PEM", version, "TLS_RSA"), undefined);
});

Deno.test("firstCertificate() is the server's own, without those that follow", () => {
  const pem = (text: string) =>
    `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
  assertEquals(firstCertificate(pem("a") + pem("b")), pem("a"));
  assertEquals(firstCertificate(`note\n${pem("a")}`), pem("a"));
});
