// What a connection may begin with is bounded, and closes it if it fails.

import { assertEquals, assertRejects } from "@std/assert";
import type { SocketConn } from "../../src/net/connection.ts";
import type { DeadlineClock } from "../../src/net/deadlines.ts";
import { Handshake } from "../../src/net/handshake.ts";

/** A handshake, its connection, and its deadline, which a test can let expire. */
function begin() {
  const conn = {
    closed: false,
    [Symbol.dispose]() {
      conn.closed = true;
    },
  };
  const deadline = {
    ms: 0,
    expire: () => {},
    disposed: false,
    arm(ms: number, onExpiry: () => void) {
      deadline.ms = ms;
      deadline.expire = onExpiry;
    },
    disarm() {},
    [Symbol.dispose]() {
      deadline.disposed = true;
    },
  };
  const clock = { create: () => deadline } as unknown as DeadlineClock;
  const options = { clock, timeoutMs: 5000 };
  const handshake = new Handshake(conn as unknown as Deno.Conn, options);
  return { conn, deadline, handshake };
}

Deno.test("Handshake gives the connection that it has made", async () => {
  const { conn, deadline, handshake } = begin();
  const made = {} as SocketConn;
  assertEquals(await handshake.run(() => Promise.resolve(made)), made);
  assertEquals([conn.closed, deadline.disposed], [false, true]);
});

Deno.test("Handshake closes the connection if it fails", async () => {
  const { conn, deadline, handshake } = begin();
  const fail = () => Promise.reject(new Error("no TLS"));
  await assertRejects(() => handshake.run(fail), Error, "no TLS");
  assertEquals([conn.closed, deadline.disposed], [true, true]);
});

Deno.test("Handshake closes the connection at its deadline", () => {
  const { conn, deadline } = begin();
  assertEquals(deadline.ms, 5000);
  deadline.expire();
  assertEquals(conn.closed, true);
});

Deno.test("Handshake has little time after a shutdown", () => {
  const { conn, deadline, handshake } = begin();
  handshake.shutdown();
  assertEquals([deadline.ms, conn.closed], [300, false]);
});

Deno.test("Handshake closes the connection when it is evicted", () => {
  const { conn, handshake } = begin();
  handshake.evict();
  assertEquals(conn.closed, true);
});
