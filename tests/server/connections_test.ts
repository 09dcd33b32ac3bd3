// The connections of a server, with connections that the test plays: how many
// are counted and for how long, and how all end.

import { assert, assertEquals, assertFalse } from "@std/assert";
import type { SocketConn } from "../../src/net/connection.ts";
import { settled } from "../_turns.ts";
import {
  Played,
  PlayedConnection,
  PlayedUpgrade,
} from "./_played_connections.ts";

Deno.test("A connection is open from its accept to its end", async () => {
  const all = new Played();
  await all.accept();
  await all.accept();
  assertEquals([all.connections.open, all.counts.connectionsOpen], [2, 2]);
  assertEquals(all.counts.connectionsAccepted, 2);
  assertFalse(await all.finished());
  all.made[0].end();
  all.made[1].fail("reset");
  assert(await all.finished());
  assertEquals([all.connections.open, all.counts.connectionsOpen], [0, 0]);
  assertEquals(all.lost, ["reset"]);
});

Deno.test("A connection that has left HTTP is counted once, until it is closed", async () => {
  const all = new Played();
  const upgraded = new PlayedUpgrade();
  await all.accept();
  all.made[0].end(upgraded);
  await settled();
  assertEquals([all.connections.open, all.counts.connectionsOpen], [1, 1]);
  all.connections.shutdown();
  assertFalse(upgraded.aborted);
  assertFalse(await all.finished());
  upgraded.close();
  assert(await all.finished());
  assertEquals(all.counts.connectionsOpen, 0);
  assertEquals(all.made[0].calls, ["run"]);
});

Deno.test("An abort closes all, also those that have left HTTP or come late", async () => {
  const all = new Played();
  const upgraded = new PlayedUpgrade();
  await all.accept();
  await all.accept();
  all.made[1].end(upgraded);
  await settled();
  all.connections.abort();
  assertEquals(all.made[0].calls, ["run", "abort"]);
  assert(upgraded.aborted);
  assert(await all.finished());
  await all.accept();
  assertEquals([all.made.length, all.disposed], [2, 1]);
});

Deno.test("A connection that leaves HTTP during an abort is closed as well", async () => {
  const all = new Played();
  const upgraded = new PlayedUpgrade();
  await all.accept();
  all.made[0].end(upgraded);
  all.connections.abort();
  assert(await all.finished());
  assert(upgraded.aborted);
});

Deno.test("A connection that serves on in the place of another is run, and counted once", async () => {
  const all = new Played(1);
  const successor = new PlayedConnection();
  await all.accept();
  all.made[0].end(successor);
  await settled();
  assertEquals(successor.calls, ["run"]);
  assertEquals([all.connections.open, all.counts.connectionsOpen], [1, 1]);
  assertEquals(all.counts.connectionsAccepted, 1);
  const accepted = all.accept();
  await settled();
  assertEquals(all.made.length, 1);
  successor.evictable = true;
  successor.onIdle?.();
  await accepted;
  assertEquals(successor.calls, ["run", "evict"]);
  all.connections.shutdown();
  assertEquals(all.made[0].calls, ["run"]);
  assertEquals([all.connections.open, all.counts.connectionsOpen], [1, 1]);
  all.connections.abort();
});

Deno.test("A connection that is served by another during a shutdown is shut down", async () => {
  const all = new Played();
  const [late, later] = [new PlayedConnection(), new PlayedConnection()];
  await all.accept();
  await all.accept();
  all.connections.shutdown();
  all.made[0].end(late);
  await settled();
  assertEquals(late.calls, ["run", "shutdown"]);
  all.made[1].end(later);
  all.connections.abort();
  assert(await all.finished());
  assertEquals(later.calls, ["run", "abort"]);
  assertEquals(late.calls, ["run", "shutdown", "abort"]);
});

Deno.test("A shutdown asks each connection to end, later ones too", async () => {
  const all = new Played();
  await all.accept();
  all.connections.shutdown();
  await all.accept();
  assertEquals(
    all.made.map(({ calls }) => calls),
    [["run", "shutdown"], ["run", "shutdown"]],
  );
  all.connections.abort();
});

Deno.test("Connections may end and come while all are shut down, or cut", async () => {
  const all = new Played();
  const accepted: Promise<void>[] = [];
  for (let i = 0; i < 3; i++) await all.accept();
  all.made[0].shutdown = function (): void {
    this.calls.push("shutdown");
    this.end();
    accepted.push(all.accept());
  };
  all.connections.shutdown();
  await Promise.all(accepted);
  assertEquals(all.made.length, 4);
  all.connections.abort();
  assert(await all.finished());
  assertEquals(
    all.made.map(({ calls }) => calls.join(" ")),
    [
      "run shutdown",
      "run shutdown abort",
      "run shutdown abort",
      "run shutdown abort",
    ],
  );
});

Deno.test("A handshake that fails is counted, and ends its connection", async () => {
  const all = new Played();
  const handshake = Promise.reject(new Error("no TLS"));
  await all.accept({ secure: true, handshake: () => handshake });
  await settled();
  assertEquals(all.counts.tlsFailures, 1);
  assertEquals([all.connections.open, all.made.length], [0, 0]);
  assertEquals(String(all.lost[0]), "Error: no TLS");
});

Deno.test("A handshake lasts until what its connection needs is loaded", async () => {
  const all = new Played();
  const loading = Promise.withResolvers<void>();
  all.preparing = loading.promise;
  const ready = {} as SocketConn;
  const handshake = () => Promise.resolve(ready);
  await all.accept({ secure: true, handshake });
  await settled();
  assertEquals([all.connections.open, all.made.length], [1, 0]);
  assertEquals(all.prepared, [ready]);
  loading.resolve();
  await settled();
  assertEquals([all.connections.open, all.made.length], [1, 1]);
  all.connections.abort();
});
