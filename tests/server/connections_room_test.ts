// Who makes room past `maxConnections`, and when the descriptors are used up.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { settled } from "../_turns.ts";
import {
  Played,
  PlayedConnection,
  PlayedUpgrade,
} from "./_played_connections.ts";

Deno.test("Past maxConnections, accept waits until one has become idle", async () => {
  const all = new Played(1);
  await all.accept();
  const accepted = all.accept();
  await settled();
  assertEquals(all.made.length, 1);
  all.made[0].evictable = true;
  all.made[0].onIdle?.();
  await accepted;
  assertEquals(all.made[0].calls, ["run", "evict"]);
  assertEquals(all.connections.open, 1);
  all.connections.abort();
});

Deno.test("Past maxConnections, accept waits for one that has left HTTP", async () => {
  const all = new Played(1);
  const upgraded = new PlayedUpgrade();
  await all.accept();
  all.made[0].end(upgraded);
  const accepted = all.accept();
  await settled();
  assertEquals(all.made.length, 1);
  upgraded.close();
  await accepted;
  assertEquals(all.made.length, 2);
  all.connections.abort();
});

Deno.test("Past maxConnections, one that is evicted and does not end keeps nobody waiting", async () => {
  const played = new Played(2);
  await played.accept();
  await played.accept();
  const [stuck, other] = played.made;
  stuck.evictable = other.evictable = true;
  // As one that has a last frame to send, and whose client does not read.
  stuck.evict = () => stuck.evictable = false;

  await played.accept();
  assertEquals(other.calls, ["run", "evict"]);

  stuck.end();
  played.made[2].end();
  await played.connections.finish();
});

Deno.test("Past maxConnections, only one of those that wait gets the room of one", async () => {
  const played = new Played(1);
  await played.accept();
  const waiting = [played.accept(), played.accept()];
  await settled();

  played.made[0].end();
  await settled();
  assertEquals(played.connections.open, 1);

  played.made[1].end();
  await Promise.all(waiting);
  played.made[2].end();
  await played.connections.finish();
});

Deno.test("Of connections that come at once, only as many are served as there is room for", async () => {
  const played = new Played(1);

  const accepting = [played.accept(), played.accept()];
  await settled();
  assertEquals(played.connections.open, 1);

  played.made[0].end();
  await Promise.all(accepting);
  played.made[1].end();
  await played.connections.finish();
});

Deno.test("A handshake of QUIC, which may be forged, takes no room from others", async () => {
  const played = new Played(1);
  assert(await played.connections.reserve());
  await played.accept();
  assertEquals(played.connections.open, 1);
  // It was the first, and is the one for which there is no room now.
  const connection = new PlayedConnection();
  played.connections.serve(connection);
  played.connections.release();
  assertEquals(connection.calls, ["abort"]);
  assertEquals([played.connections.open, played.counts.connectionsOpen], [
    1,
    1,
  ]);
  played.made[0].end();
  await played.connections.finish();
});

Deno.test("Past maxConnections, accept waits no longer than until an abort", async () => {
  const all = new Played(1);
  await all.accept();
  const accepted = all.accept();
  await settled();
  all.connections.abort();
  await accepted;
  assertEquals([all.made.length, all.disposed], [1, 1]);
});

Deno.test("Connections that are idle make room for descriptors", async () => {
  const all = new Played();
  for (let i = 0; i < 3; i++) await all.accept();
  all.made[1].evictable = true;
  all.connections.shed();
  assertEquals(
    all.made.map(({ calls }) => calls.includes("evict")),
    [false, true, false],
  );
  all.connections.abort();
});

Deno.test("Of those that are idle, the oldest that is still open makes room", async () => {
  const all = new Played(3);
  for (let i = 0; i < 3; i++) await all.accept();
  all.made[0].end();
  await settled();
  await all.accept();
  for (const connection of all.made) connection.evictable = true;
  await all.accept();
  await all.accept();
  assertEquals(
    all.made.map(({ calls }) => calls.includes("evict")),
    [false, true, true, false, false, false],
  );
  all.connections.abort();
});

Deno.test("Room is kept for a connection whose handshake must not wait", async () => {
  const all = new Played(2);
  assert(await all.connections.reserve());
  assert(await all.connections.reserve());
  assertFalse(await all.connections.reserve());
  const connection = new PlayedConnection();
  all.connections.serve(connection);
  all.connections.release();
  assertEquals([all.connections.open, all.counts.connectionsOpen], [1, 1]);
  assertEquals([connection.calls, all.counts.connectionsAccepted], [
    ["run"],
    1,
  ]);
  assertFalse(await all.connections.reserve());
  all.connections.handshakeFailed("alert");
  all.connections.release();
  assertEquals([all.counts.tlsFailures, all.lost], [1, ["alert"]]);
  assert(await all.connections.reserve());
});

Deno.test("A connection without a request makes room for one that must not wait", async () => {
  const all = new Played(1);
  await all.accept();
  assertFalse(await all.connections.reserve());
  all.made[0].evictable = true;
  assert(await all.connections.reserve());
  assertEquals(all.made[0].calls, ["run", "evict"]);
  all.connections.release();
  all.connections.abort();
  assertFalse(await all.connections.reserve());
});
