// What trusted proxies say, field by field; what it changes is tested with
// `forwarded()`.

import { assertEquals, assertThrows } from "@std/assert";
import {
  type ForwardedField,
  type ForwardedOptions,
  ForwardedReader,
} from "../../src/middleware/forwarded_fields.ts";

const PEER = {
  client: ["10.0.0.1", 50_000],
  server: ["10.0.0.9", 80],
} as const;
const TRUST = ["10.0.0.0/8"];

function reader(options: Partial<ForwardedOptions> = {}): ForwardedReader {
  return new ForwardedReader({ trust: TRUST, ...options });
}

Deno.test("ForwardedReader reads nothing from a peer that is not trusted", () => {
  const headers = [["x-forwarded-for", "192.0.2.1"]] as const;
  const other = { ...PEER, client: ["192.0.2.9", 1] as const };
  assertEquals(reader().read(other, headers), undefined);
  assertEquals(reader({ trust: [] }).read(PEER, headers), undefined);
  assertEquals(reader({ trust: [] }).trustsNobody, true);
});

Deno.test("ForwardedReader finds the first address that is not trusted", () => {
  const headers = [
    ["x-forwarded-for", "192.0.2.66, 192.0.2.1, 10.0.0.2"],
    ["x-forwarded-proto", "http, https, http"],
  ] as const;
  const origin = reader().read(PEER, headers);
  assertEquals(origin?.client, ["192.0.2.1", 0]);
  assertEquals(origin?.secure, true);
});

Deno.test("ForwardedReader reads the fields that it is given only", () => {
  const fields: ForwardedField[] = ["x-forwarded-host", "x-forwarded-port"];
  const origin = reader({ fields }).read(PEER, [
    ["x-forwarded-for", "192.0.2.1"],
    ["x-forwarded-host", "a.test"],
    ["x-forwarded-port", "8443"],
  ]);
  assertEquals(origin, {
    client: undefined,
    secure: undefined,
    host: { name: "a.test", port: undefined },
    port: 8443,
    prefix: undefined,
  });
});

Deno.test("ForwardedReader trusts peers on a unix socket if unix is in its list", () => {
  const peer = { client: null, server: ["/run/app.sock", null] } as const;
  const headers = [["x-forwarded-for", "192.0.2.1"]] as const;
  assertEquals(reader().read(peer, headers), undefined);
  const origin = reader({ trust: ["unix"] }).read(peer, headers);
  assertEquals(origin?.client, ["192.0.2.1", 0]);
});

Deno.test("ForwardedReader refuses fields that exclude each other", () => {
  assertThrows(
    () => reader({ fields: ["forwarded", "x-forwarded-for"] }),
    TypeError,
    'together with "forwarded"',
  );
});
