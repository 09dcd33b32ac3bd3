// The UDP port of the same number as a TCP port, and what an error says of it.

import { assertEquals, assertThrows } from "@std/assert";
import { bindQuic } from "../../src/net/binding.ts";
import { netTest } from "../e2e/_testing.ts";
import { HAS_UNSTABLE_NET, withUnstableNet } from "../_unstable_net.ts";

const HOSTNAME = "127.0.0.1";

function bindTcp(port: number): Deno.TcpListener {
  return Deno.listen({ hostname: HOSTNAME, port });
}

Deno.test({
  name: "QUIC is refused without the flag that it needs",
  ignore: HAS_UNSTABLE_NET,
  fn() {
    assertThrows(
      () => bindQuic({ port: 0 }, () => bindTcp(0)),
      Deno.errors.NotSupported,
      'option "http3" needs Deno\'s flag --unstable-net',
    );
  },
});

withUnstableNet(import.meta.url, () => {
  netTest("both ports have the same number", () => {
    const { socket, endpoint } = bindQuic({ port: 0 }, () => bindTcp(0));
    assertEquals(endpoint.addr.port, (socket.addr as Deno.NetAddr).port);
    assertEquals(endpoint.addr.hostname, HOSTNAME);
    socket.close();
    endpoint.close();
  });

  netTest("another free port is taken where that of UDP is not", () => {
    const taken = new Deno.QuicEndpoint({ hostname: HOSTNAME, port: 0 });
    const ports = [taken.addr.port, taken.addr.port, 0];
    const { socket, endpoint } = bindQuic(
      { port: 0 },
      () => bindTcp(ports.shift()!),
    );
    assertEquals(ports, []);
    assertEquals(endpoint.addr.port, (socket.addr as Deno.NetAddr).port);
    socket.close();
    endpoint.close();
    taken.close();
  });

  netTest("a UDP port that is taken is an error that names it", () => {
    const taken = new Deno.QuicEndpoint({ hostname: HOSTNAME, port: 0 });
    const { port } = taken.addr;
    assertThrows(
      () => bindQuic({ port }, () => bindTcp(port)),
      Deno.errors.AddrInUse,
      `Cannot listen on 127.0.0.1:${port} (UDP): the address is already in use`,
    );
    // The TCP port was released.
    bindTcp(port).close();
    taken.close();
  });
});
