// What tests of TLS share: what holds of TLS holds of both ways to serve it.

import { assertEquals } from "@std/assert";
import type { ServeOptions } from "../../mod.ts";
import { pathApp } from "./_apps.ts";
import { createCertificate, type TestCertificate } from "./_certificates.ts";
import { connectTls } from "./_other_clients.ts";
import {
  netTest,
  type NetTestOptions,
  start,
  type TestServer,
} from "./_testing.ts";

/** The two ways to serve TLS. */
const WAYS: readonly TlsWay[] = [
  { name: "Deno's TLS", noDelay: false },
  { name: "TLS without delay", noDelay: true },
];

/** Certificates that clients can distinguish. */
export const ONE: TestCertificate = await createCertificate("one");
export const TWO: TestCertificate = await createCertificate("two");

/** A way to serve TLS. */
export interface TlsWay {
  /** What it is called in the names of tests. */
  readonly name: string;
  /** The option that chooses it. */
  readonly noDelay: boolean;
}

/** Declares a test for each way to serve TLS. */
export function tlsTest(
  name: string,
  fn: (way: TlsWay) => Promise<void> | void,
  options?: NetTestOptions,
): void {
  for (const way of WAYS) {
    netTest(`${way.name}: ${name}`, () => fn(way), options);
  }
}

/** Starts a server that answers with the path of each request. */
export function startTls(
  { noDelay }: TlsWay,
  { tls, ...options }: ServeOptions = {},
): TestServer {
  return start(pathApp, { tls: { ...ONE, ...tls, noDelay }, ...options });
}

/** Asserts that a server is served with a certificate. */
export async function assertServes(
  server: TestServer,
  certificate: TestCertificate,
): Promise<void> {
  assertEquals(await get(server, certificate), "/served");
}

/** The content of the answer to one request. */
export async function get(
  { port }: TestServer,
  certificate: TestCertificate,
): Promise<string> {
  using client = await connectTls(port, certificate);
  await client.get("/served", "connection: close");
  return (await client.readResponse()).body;
}
