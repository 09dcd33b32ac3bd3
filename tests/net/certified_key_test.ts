// Certificates and keys, before anything is bound.

import { createPrivateKey } from "node:crypto";
import { assertEquals, assertThrows } from "@std/assert";
import { readCertifiedKey } from "../../src/net/certified_key.ts";
import { createCertificate } from "../e2e/_certificates.ts";

const ONE = await createCertificate("one");
const TWO = await createCertificate("two");

Deno.test({
  name: "a certificate and its key are checked without a permission",
  permissions: "none",
  fn() {
    const { cert, key } = ONE;
    assertEquals(readCertifiedKey(ONE), { cert, key });
    assertThrows(
      () => readCertifiedKey({ cert, key: TWO.key }),
      TypeError,
      "Cannot use key: it does not fit the certificate",
    );
  },
});

for (const type of ["pkcs8", "sec1"] as const) {
  Deno.test(`a key that is encrypted (${type}) is decrypted`, () => {
    const { cert } = ONE;
    const key = encrypted(type);
    const read = readCertifiedKey({ cert, key, passphrase: "secret" });
    assertEquals(read, { cert, key: ONE.key });
  });
}

Deno.test("a key that is encrypted needs its passphrase", () => {
  const { cert } = ONE;
  const key = encrypted("pkcs8");
  assertThrows(
    () => readCertifiedKey({ cert, key }),
    TypeError,
    "Cannot use key: it needs a passphrase",
  );
  for (const passphrase of ["wrong", ""]) {
    assertThrows(
      () => readCertifiedKey({ cert, key, passphrase }),
      TypeError,
      "Cannot use key: the passphrase does not decrypt it",
    );
  }
});

Deno.test("a key that is not encrypted needs no passphrase, and takes one", () => {
  const { cert, key } = ONE;
  assertEquals(readCertifiedKey({ cert, key, passphrase: "a" }), { cert, key });
});

/** The key of one certificate, encrypted. */
function encrypted(type: "pkcs8" | "sec1"): string {
  return createPrivateKey(ONE.key).export({
    type,
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "secret",
  }).toString();
}
