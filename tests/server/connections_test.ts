// The connections of a server, with connections that the test plays: how many
// are counted and for how long, who makes room for others, and how all end.

import { assert, assertEquals, assertFalse } from "@std/assert";
import type {
  ServedConnection,
  UpgradedConnection,
} from "../../src/http/served_connection.ts";
import { createCounts } from "../../src/metrics/counts.ts";
import type { AcceptedConn } from "../../src/net/accept_loop.ts";
import { DeadlineClock } from "../../src/net/deadlines.ts";
import type { Listener } from "../../src/net/listener.ts";
import type { SocketConn } from "../../src/net/connection.ts";
import {
  type ConnectionMaker,
  Connections,
} from "../../src/server/connections.ts";
import { settled } from "../_turns.ts";

/** What can take a connection over. */
type Successor = UpgradedConnection | ServedConnection | undefined;

/** A connection that does what the test says. */
class PlayedConnection implements ServedConnection {
  idle = false;
  evictable = false;
  waitingSince: number | undefined;
  onIdle: (() => void) | undefined;
  onRefused: undefined;
  /** The methods that were called, in order. */
  readonly calls: string[] = [];
  readonly #end = Promise.withResolvers<Successor>();

  run(): Promise<Successor> {
    this.calls.push("run");
    return this.#end.promise;
  }

  shutdown(): void {
    this.calls.push("shutdown");
  }

  evict(): void {
    this.calls.push("evict");
    this.end();
  }

  abort(): void {
    this.calls.push("abort");
    this.end();
  }

  end(successor?: Successor): void {
    this.#end.resolve(successor);
  }

  fail(error: unknown): void {
    this.#end.reject(error);
  }
}

/** What a connection has become that has left HTTP. */
class PlayedUpgrade implements UpgradedConnection {
  aborted = false;
  readonly #closed = Promise.withResolvers<void>();
  readonly closed = this.#closed.promise;

  close(): void {
    this.#closed.resolve();
  }

  abort(): void {
    this.aborted = true;
    this.close();
  }
}

/** Connections of a server, and what became of them. */
class Played implements ConnectionMaker {
  readonly made: PlayedConnection[] = [];
  readonly lost: unknown[] = [];
  readonly counts = createCounts();
  readonly connections: Connections;
  /** What is to be served after its handshake, and what that waits for. */
  readonly prepared: SocketConn[] = [];
  preparing: Promise<void> | undefined;
  /** How many accepted connections were closed before they were served. */
  disposed = 0;

  constructor(maxConnections = Infinity) {
    this.connections = new Connections(this, {
      options: { maxConnections, handshakeTimeout: 1_000 },
      clock: new DeadlineClock(1_000),
      counts: this.counts,
      onLost: (error) => this.lost.push(error),
    });
  }

  prepare(conn: SocketConn): Promise<void> | undefined {
    this.prepared.push(conn);
    return this.preparing;
  }

  connect(): PlayedConnection {
    const connection = new PlayedConnection();
    this.made.push(connection);
    return connection;
  }

  accept(listener: Partial<Listener> = {}): Promise<void> {
    const conn = {
      remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
      [Symbol.dispose]: () => void this.disposed++,
    };
    return this.connections.accept(
      conn as Partial<AcceptedConn> as AcceptedConn,
      listener as Listener,
    );
  }

  /** Whether all have ended. */
  async finished(): Promise<boolean> {
    let finished = false;
    const finish = this.connections.finish().then(() => finished = true);
    await settled();
    if (finished) await finish;
    return finished;
  }
}

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
