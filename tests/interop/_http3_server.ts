// The server that clients of others ask over HTTP/3: the application is that of
// HTTP/2, and shuts the server down amid requests when it is asked to.

import { X509Certificate } from "node:crypto";
import { type AsgiApp, respond } from "../../mod.ts";
import { createCertificate } from "../e2e/_certificates.ts";
import { TestFolder } from "../e2e/_other_clients.ts";
import { pause, start, type TestServer } from "../e2e/_testing.ts";
import { unawaited } from "../_unawaited.ts";
import { peerApp } from "./_http2_server.ts";

/** What clients send at once. */
export const UPLOAD = 10 * 1024 * 1024;
/** How long the application takes for requests that a shutdown overtakes. */
const WAIT_MS = 500;

/** A server that is asked over HTTP/3. */
export interface Http3Server extends TestServer {
  /** The file of its certificate. */
  readonly certificate: string;
  /** The hash of its public key, for clients that know no authority. */
  readonly keyHash: string;
  /** The paths of the requests that the application has seen. */
  readonly paths: readonly string[];
}

/** Starts a server for as long as a function runs. */
export async function withHttp3Server(
  fn: (server: Http3Server) => Promise<void>,
  app: AsgiApp = peerApp,
): Promise<void> {
  using folder = new TestFolder();
  const pair = await createCertificate();
  const certificate = folder.file("cert.pem", pair.cert);
  const paths: string[] = [];
  const stopping: AsgiApp = async (scope, receive, send) => {
    if (scope.type === "http") paths.push(scope.path);
    if (scope.type !== "http") await app(scope, receive, send);
    else if (scope.path === "/wait") {
      await pause(WAIT_MS);
      await respond(send, 200, { body: "Waited" });
    } else if (scope.path === "/refuse") {
      await respond(send, 401, { body: "Refused" });
    } else if (scope.path === "/stop") {
      await respond(send, 200, { body: "Stopping" });
      unawaited(server.server.shutdown());
    } else await app(scope, receive, send);
  };
  await using server = start(stopping, { tls: pair, http3: true });
  const keyHash = await hashOf(pair.cert);
  await fn(Object.assign(server, { certificate, keyHash, paths }));
}

async function hashOf(certificate: string): Promise<string> {
  const { publicKey } = new X509Certificate(certificate);
  const spki = publicKey.export({ type: "spki", format: "der" });
  const hash = await crypto.subtle.digest("SHA-256", new Uint8Array(spki));
  return new Uint8Array(hash).toBase64();
}
