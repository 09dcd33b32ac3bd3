// Certificates and keys, before anything is bound.

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
