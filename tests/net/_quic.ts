// QUIC for tests: an endpoint that accepts, and clients of it.

import { DeadlineClock } from "../../src/net/deadlines.ts";
import { type QuicEvents, QuicListener } from "../../src/net/quic.ts";
import type { QuicListenerOptions } from "../../src/net/quic.ts";
import type { QuicConnection } from "../../src/net/quic_connection.ts";
import { createCertificate } from "../e2e/_certificates.ts";
import type { TestCertificate } from "../e2e/_certificates.ts";
import { handled } from "../../src/streams/handled.ts";

/** Certificates that clients can distinguish. */
export const ONE: TestCertificate = await createCertificate("one");
export const TWO: TestCertificate = await createCertificate("two");

/** An endpoint that accepts. */
export interface TestListener extends Disposable {
  readonly listener: QuicListener;
  readonly port: number;
  /** Rejects if the endpoint is lost. */
  readonly over: Promise<void>;
  /** What handshakes have failed by. */
  readonly failures: unknown[];
  /** How many reservations were given back. */
  readonly released: number;
  /** Connections that were accepted and not taken so far. */
  readonly accepted: ReadableStreamDefaultReader<QuicConnection>;
}

/** Listens on a free port of the loopback interface. */
export function listenQuic(
  options: Partial<QuicListenerOptions> = {},
  reserve: QuicEvents["reserve"] = () => true,
): TestListener {
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const { port } = endpoint.addr;
  const listener = new QuicListener(endpoint, ONE, {
    alpn: ["h3"],
    maxConcurrentStreams: 4,
    maxPendingHandshakes: 4,
    idleTimeout: 10_000,
    clock: new DeadlineClock(50),
    ...options,
  });
  const failures: unknown[] = [];
  const queue = new TransformStream<QuicConnection, QuicConnection>(
    {},
    { highWaterMark: 100 },
    { highWaterMark: 100 },
  );
  const writer = queue.writable.getWriter();
  const listening = {
    listener,
    port,
    failures,
    released: 0,
    accepted: queue.readable.getReader(),
    [Symbol.dispose]: () => listener.close(0),
  };
  const over = listener.run({
    reserve,
    release: () => listening.released++,
    onConnection: (connection) => {
      handled(writer.write(connection)); // The queue takes them all.
    },
    onHandshakeFailed: (error) => failures.push(error),
  });
  return Object.assign(listening, { over });
}

/** The next connection that was accepted. */
export async function accept(
  { accepted }: TestListener,
): Promise<QuicConnection> {
  return (await accepted.read()).value!;
}

/** A client, and the connection as this side has accepted it. */
export interface ConnectedPair extends Disposable {
  readonly client: Deno.QuicConn;
  readonly connection: QuicConnection;
}

/** Connects a client. */
export async function connectPair(
  listening: TestListener,
): Promise<ConnectedPair> {
  const [client, connection] = await Promise.all([
    connectQuic(listening.port),
    accept(listening),
  ]);
  return { client, connection, [Symbol.dispose]: () => client.close() };
}

/** Connects a client that trusts one certificate, and offers some protocols. */
export async function connectQuic(
  port: number,
  { cert }: TestCertificate = ONE,
  alpnProtocols: string[] = ["h3"],
): Promise<Deno.QuicConn> {
  const conn = await Deno.connectQuic<false>({
    hostname: "localhost",
    port,
    alpnProtocols,
    caCerts: [cert],
  });
  handled(conn.closed); // Tests that care await it.
  return conn;
}

/** Sends bytes, and says that no more come. */
export async function sendAll(
  stream: WritableStream<Uint8Array>,
  bytes: Uint8Array,
): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(bytes);
  await writer.close();
}

/** All bytes of a stream. */
export async function readAll(
  readable: ReadableStream<Uint8Array>,
): Promise<Uint8Array> {
  return new Uint8Array(await new Response(readable as BodyInit).arrayBuffer());
}
