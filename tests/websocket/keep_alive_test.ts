// Signs of life: when a client is sent a ping, and when it counts as lost. With a
// whole connection this is tested in flow_test.ts.

import { assertEquals } from "@std/assert";
import { KeepAlive } from "../../src/websocket/keep_alive.ts";
import { ManualDeadline } from "./_connected.ts";

/** A connection whose pings leave when the test says so. */
class Pinged {
  readonly deadline = new ManualDeadline();
  readonly keepAlive = new KeepAlive(
    this.deadline,
    { pingInterval: 100, pingTimeout: 50 },
    this,
  );
  pings = 0;
  aborts = 0;
  readonly #left: PromiseWithResolvers<void>[] = [];

  ping(): Promise<void> {
    this.pings++;
    const left = Promise.withResolvers<void>();
    this.#left.push(left);
    return left.promise;
  }

  abort(): void {
    this.aborts++;
  }

  async leave(): Promise<void> {
    this.#left.shift()!.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }

  async fail(): Promise<void> {
    this.#left.shift()!.reject(new Error("Lost for the test"));
    await Promise.resolve();
    await Promise.resolve();
  }
}

Deno.test("Each sign of life puts the ping off", () => {
  const { deadline, keepAlive } = new Pinged();
  assertEquals(deadline.armedFor, undefined);
  keepAlive.heard();
  keepAlive.heard();
  assertEquals([deadline.armedFor, deadline.arms], [100, 2]);
});

Deno.test("The wait for an answer begins when the ping has left", async () => {
  const pinged = new Pinged();
  pinged.keepAlive.heard();
  pinged.deadline.expire();
  assertEquals([pinged.pings, pinged.deadline.armedFor], [1, undefined]);
  await pinged.leave();
  assertEquals(pinged.deadline.armedFor, 50);
  pinged.deadline.expire();
  assertEquals(pinged.aborts, 1);
});

Deno.test("An answer before the ping has left is one", async () => {
  const pinged = new Pinged();
  pinged.keepAlive.heard();
  pinged.deadline.expire();
  pinged.keepAlive.heard();
  await pinged.leave();
  assertEquals(pinged.deadline.armedFor, 100);
});

Deno.test("A client that is not read is sent no ping", () => {
  const pinged = new Pinged();
  pinged.keepAlive.heard();
  pinged.keepAlive.pause(true);
  pinged.deadline.expire();
  assertEquals([pinged.pings, pinged.deadline.armedFor], [0, 100]);
  pinged.keepAlive.pause(false);
  pinged.deadline.expire();
  assertEquals(pinged.pings, 1);
});

Deno.test("A ping that cannot leave is left to the owner of writes", async () => {
  const pinged = new Pinged();
  pinged.keepAlive.heard();
  pinged.deadline.expire();
  await pinged.fail();
  assertEquals([pinged.deadline.armedFor, pinged.aborts], [undefined, 0]);
});

Deno.test("Once stopped, the deadline is for others", async () => {
  const pinged = new Pinged();
  pinged.keepAlive.heard();
  pinged.deadline.expire();
  pinged.keepAlive.stop();
  await pinged.leave();
  pinged.keepAlive.heard();
  assertEquals(pinged.deadline.armedFor, undefined);
});
