// Connections of a server that the test plays, and what became of them.

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
export type Successor = UpgradedConnection | ServedConnection | undefined;

/** A connection that does what the test says. */
export class PlayedConnection implements ServedConnection {
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
export class PlayedUpgrade implements UpgradedConnection {
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
export class Played implements ConnectionMaker {
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
