// What an application sees of a client behind a proxy. The proxy comes from an
// address of its own on the loopback interface, so that it cannot be mistaken
// for the client.

import { type AsgiApp, respond } from "../../mod.ts";
import { request } from "../e2e/_raw_client.ts";
import type { ProxyProcess } from "./_proxy_process.ts";

/** The address that proxies come from. */
export const PROXY_ADDRESS = "127.0.0.3";

/** What the application sees. */
export interface Seen {
  readonly client: readonly [string, number];
  readonly server: readonly [string, number];
  readonly scheme: string;
}

/** Answers with what it sees. */
export const seenApp: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new TypeError(`No ${scope.type} here`);
  const { client, server, scheme } = scope;
  const body = JSON.stringify({ client, server, scheme });
  await respond(send, 200, { body });
};

/** A client's own port, and what the application sees of it. */
export interface Sight {
  readonly ownPort: number;
  readonly seen: Seen;
}

/** Asks through a proxy, with these fields. */
export async function ask(
  { port }: ProxyProcess,
  ...fields: string[]
): Promise<Sight> {
  return await askOver(
    await Deno.connect({ hostname: "127.0.0.1", port }),
    fields,
  );
}

/** Asks through a proxy over TLS. */
export async function askSecurely(
  { port, cert }: ProxyProcess,
  ...fields: string[]
): Promise<Sight> {
  return await askOver(
    await Deno.connectTls({
      hostname: "localhost",
      port,
      caCerts: [cert],
    }),
    fields,
  );
}

async function askOver(
  conn: Deno.TcpConn | Deno.TlsConn,
  fields: readonly string[],
): Promise<Sight> {
  using _conn = conn;
  const text = request("GET", "/", "connection: close", ...fields);
  await conn.write(new TextEncoder().encode(text));
  const answer = await new Response(conn.readable).text();
  const [body] = /\{.*\}/.exec(answer) ?? [];
  if (body === undefined) throw new Error(`No such answer: ${answer}`);
  return { ownPort: conn.localAddr.port, seen: JSON.parse(body) };
}
