// Several addresses as one: all are bound at once, accept, and are closed.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import type { Listener } from "../../src/net/listener.ts";
import { Listeners } from "../../src/server/listeners.ts";
import { DEFAULT_OPTIONS } from "../../src/server/options.ts";
import { netTest } from "../e2e/_testing.ts";

const TWO = { listen: [{ port: 0 }, { port: 0 }] };
const NEVER = new AbortController().signal;

/** The ports that listeners have taken. */
function portsOf({ addresses }: Listeners): number[] {
  return addresses.map((address) => "port" in address ? address.port : 0);
}

netTest(
  "listeners are bound before they accept, and accept on each address",
  async () => {
    const listeners = new Listeners(TWO, DEFAULT_OPTIONS);
    const ports = portsOf(listeners);
    assertEquals([ports.length, listeners.secure], [2, false]);
    using _first = await Deno.connect({ port: ports[0] });
    using _second = await Deno.connect({ port: ports[1] });
    const accepted: Listener[] = [];
    const both = Promise.withResolvers<void>();
    assertFalse(listeners.accepting);
    const accepting = listeners.accept({
      onConnection(conn, listener) {
        conn.close();
        if (accepted.push(listener) === 2) both.resolve();
        return Promise.resolve();
      },
      onFailure: () => {},
    });
    assert(listeners.accepting);
    await both.promise;
    assertEquals(
      new Set(accepted.map(({ address }) => address)),
      new Set(listeners.addresses),
    );
    await listeners.stop(NEVER);
    await Promise.all(accepting);
  },
);

netTest("listeners that have never accepted can be closed", () => {
  const listeners = new Listeners(TWO, DEFAULT_OPTIONS);
  const [port] = portsOf(listeners);
  listeners.close();
  using _taken = Deno.listen({ hostname: "127.0.0.1", port });
});

netTest("listeners without certificates have nothing to reload", async () => {
  const listeners = new Listeners(TWO, DEFAULT_OPTIONS);
  await listeners.reload();
  listeners.close();
});

netTest("listeners are refused if one of their options is wrong", () => {
  assertThrows(
    () => new Listeners({ listen: [{ port: -1 }] }, DEFAULT_OPTIONS),
    RangeError,
    'option "listen[0]": "port"',
  );
});
