// HTTP/3 beside a listener: connections are counted with all others, refused when
// there is no room or the server stops, and closed last of all.

import { assertEquals, assertRejects } from "@std/assert";
import type { ServedConnection } from "../../src/http/served_connection.ts";
import { DeadlineClock } from "../../src/net/deadlines.ts";
import { Listener } from "../../src/net/listener.ts";
import { listenTargets } from "../../src/server/listen_options.ts";
import { DEFAULT_OPTIONS } from "../../src/server/options.ts";
import { Http3Service } from "../../src/server/http3_service.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { netTest, until } from "../e2e/_testing.ts";
import { connectQuic, ONE, TWO } from "../net/_quic.ts";

/** A service beside one listener, and what it does with connections. */
async function startService() {
  const [target] = listenTargets({ port: 0, tls: ONE, http3: true });
  const listener = new Listener(target, { backlog: 1, reusePort: false });
  const served: ServedConnection[] = [];
  const failures: unknown[] = [];
  const room = { free: 1 };
  const service = new Http3Service({
    options: DEFAULT_OPTIONS,
    clock: new DeadlineClock(50),
    dispatcher: {
      dispatch: () => Promise.resolve(),
      recordRefused: () => {},
    },
    connections: {
      reserve: () => Promise.resolve(room.free-- > 0),
      release: () => {},
      serve: (connection) => void served.push(connection),
      handshakeFailed: (error) => void failures.push(error),
    },
  });
  await service.open(listener);
  const running = Promise.all(service.run());
  const { port } = listener.address as Deno.NetAddr;
  listener.close();
  return { service, running, port, served, failures, room };
}

withUnstableNet(import.meta.url, () => {
  netTest("a connection of QUIC is served with all others", async () => {
    const { service, running, port, served } = await startService();
    const client = await connectQuic(port);
    await until(() => served.length === 1);
    const run = served[0].run();
    await service.close();
    assertEquals((await client.closed).closeCode, 0x100);
    await Promise.all([run, running]);
  });

  netTest("a connection is refused where there is no room", async () => {
    const { service, running, port, room } = await startService();
    room.free = 0;
    await assertRejects(() => connectQuic(port), Error, "refused");
    await service.close();
    await running;
  });

  netTest("a service that stops refuses who comes", async () => {
    const { service, running, port, served } = await startService();
    service.refuse();
    await assertRejects(() => connectQuic(port), Error, "refused");
    assertEquals(served, []);
    await service.close();
    await running;
  });

  netTest("a handshake that fails is reported", async () => {
    const { service, running, port, failures } = await startService();
    await assertRejects(() => connectQuic(port, TWO));
    await until(() => failures.length === 1);
    await service.close();
    await running;
  });
});
