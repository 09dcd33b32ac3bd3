// A listener for TLS that serves QUIC too: one certificate for both, which is
// reloaded for both, and each can be closed without the other.

import { assertEquals, assertRejects } from "@std/assert";
import { DeadlineClock } from "../../src/net/deadlines.ts";
import { Listener } from "../../src/net/listener.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { netTest } from "../e2e/_testing.ts";
import { connectQuic, ONE, TWO } from "./_quic.ts";

const ALL = {
  reserve: () => true,
  release: () => {},
  onConnection: () => {},
  onHandshakeFailed: () => {},
};
const QUIC = {
  alpn: ["h3"],
  idleTimeout: 10_000,
  clock: new DeadlineClock(50),
};

/** Listens with a certificate that may change. */
function listen(tls: { cert: string; key: string }): Listener {
  const settings = {
    alpn: ["http/1.1"],
    noDelay: true,
    minVersion: "TLSv1.2",
    ...tls,
  } as const;
  const http3 = {
    altSvc: undefined,
    maxConcurrentStreams: 1,
    maxPendingHandshakes: 1,
  };
  return new Listener({
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 0,
    tls: settings,
    http3,
  }, { backlog: 1, reusePort: false });
}

function portOf({ address }: Listener): number {
  return "port" in address ? address.port : 0;
}

withUnstableNet(import.meta.url, () => {
  netTest("QUIC is served on the port of TCP, once it is open", async () => {
    const listener = listen(ONE);
    assertEquals(listener.http3?.maxConcurrentStreams, 1);
    const quic = (await listener.openQuic(QUIC))!;
    const over = quic.run(ALL);
    listener.close();
    // It outlives the listener for TCP.
    (await connectQuic(portOf(listener))).close();
    quic.close(0);
    await over;
  });

  netTest("a listener that was closed has no QUIC either", async () => {
    const listener = listen(ONE);
    listener.close();
    assertEquals(await listener.openQuic(QUIC), undefined);
    const plain = new Listener(
      { transport: "tcp", hostname: "127.0.0.1", port: 0 },
      { backlog: 1, reusePort: false },
    );
    assertEquals(await plain.openQuic(QUIC), undefined);
    plain.close();
  });

  netTest("a reload changes the certificate of QUIC too", async () => {
    const folder = await Deno.makeTempDir();
    const files = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
    const write = async ({ cert, key }: typeof ONE) => {
      await Deno.writeTextFile(files.cert, cert);
      await Deno.writeTextFile(files.key, key);
    };
    await write(ONE);
    const listener = listen(files);
    const accepting = listener.run({
      onConnection: (conn) => conn.close(),
      onFailure: () => {},
    });
    const quic = (await listener.openQuic(QUIC))!;
    const over = quic.run(ALL);
    const port = portOf(listener);
    (await connectQuic(port, ONE)).close();
    await write(TWO);
    await listener.reload();
    await assertRejects(() => connectQuic(port, ONE));
    (await connectQuic(port, TWO)).close();
    quic.close(0);
    listener.close();
    await Promise.all([over, accepting]);
    await Deno.remove(folder, { recursive: true });
  });
});
