// Binding an address, and the accept loop: it survives errors of accept, backs
// off, and keeps to the pace of whoever takes the connections.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import {
  acceptAll,
  delay,
  formatAddress,
  listen,
} from "../../src/net/listener.ts";
import { netTest } from "../e2e/_testing.ts";

netTest("listen binds a free port for port 0", () => {
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  assertEquals(listener.addr.hostname, "127.0.0.1");
  assert(listener.addr.port > 0);
});

netTest("listen says which address is taken", () => {
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const error = assertThrows(
    () => listen({ hostname: "127.0.0.1", port }),
    Deno.errors.AddrInUse,
    `Cannot listen on 127.0.0.1:${port}: the address is already in use`,
  );
  assertInstanceOf(error.cause, Deno.errors.AddrInUse);
});

netTest("listen says which address is not to be had", () => {
  // An address of a range that is kept for documentation.
  const error = assertThrows(
    () => listen({ hostname: "192.0.2.1", port: 0 }),
    Error,
    "Cannot listen on 192.0.2.1:0: ",
  );
  assertInstanceOf(error.cause, Error);
  assertEquals(error.constructor, error.cause.constructor);
});

Deno.test({
  name: "listen leaves a missing permission as Deno says it",
  permissions: { net: false },
  fn() {
    assertThrows(
      () => listen({ hostname: "127.0.0.1", port: 0 }),
      Deno.errors.NotCapable,
      "--allow-net",
    );
  },
});

netTest(
  "acceptAll hands over each connection until the listener closes",
  async () => {
    const listener = listen({ hostname: "127.0.0.1", port: 0 });
    const stopping = new AbortController();
    let accepted = 0;
    const over = acceptAll(listener, {
      onConnection(conn) {
        conn.close();
        if (++accepted < 3) return;
        stopping.abort();
        listener.close();
      },
      onAcceptError: unexpected,
    }, stopping.signal);
    const { hostname, port } = listener.addr;
    for (let i = 0; i < 3; i++) {
      (await Deno.connect({ hostname, port })).close();
    }
    await over;
    assertEquals(accepted, 3);
  },
);

Deno.test("acceptAll goes on behind errors, and waits longer each time", async () => {
  const stopping = new AbortController();
  const retries: number[] = [];
  const error = new Error("Too many open files");
  const listener = new FakeListener([error, error, error, "conn", error]);
  let connections = 0;
  await acceptAll(listener, {
    onConnection() {
      connections++;
    },
    onAcceptError(reason, retryMs) {
      assertEquals(reason, error);
      retries.push(retryMs);
      if (retries.length === 4) stopping.abort();
    },
  }, stopping.signal);
  assertEquals(connections, 1);
  const [first, second, third, fourth] = retries;
  assertEquals([second, third], [2 * first, 4 * first]);
  assertEquals(fourth, first, "A success has reset the wait");
});

Deno.test("acceptAll cuts its wait short when it is stopped", async () => {
  const stopping = new AbortController();
  const errors = Array.from({ length: 5 }, () => new Error("No"));
  const listener = new FakeListener(errors);
  await acceptAll(listener, {
    onConnection: unexpected,
    onAcceptError() {
      if (listener.left === 0) queueMicrotask(() => stopping.abort());
    },
  }, stopping.signal);
  assertEquals(listener.left, 0);
});

Deno.test("acceptAll is quiet about the error of a listener that was closed", async () => {
  const stopping = new AbortController();
  const listener = new FakeListener([new Error("Listener has been closed")]);
  const over = acceptAll(listener, {
    onConnection: unexpected,
    onAcceptError: unexpected,
  }, stopping.signal);
  stopping.abort();
  await over;
});

Deno.test("acceptAll accepts no more while a connection is being taken", async () => {
  const stopping = new AbortController();
  const listener = new FakeListener(["conn", "conn", new Error("Closed")]);
  const lefts: number[] = [];
  await acceptAll(listener, {
    async onConnection() {
      await new Promise((resolve) => setTimeout(resolve, 5));
      lefts.push(listener.left);
      if (lefts.length === 2) stopping.abort();
    },
    onAcceptError: unexpected,
  }, stopping.signal);
  assertEquals(lefts, [2, 1]);
});

Deno.test("delay resolves in time, or when the signal is aborted", async () => {
  await delay(1, new AbortController().signal);
  const controller = new AbortController();
  const waiting = delay(Infinity, controller.signal);
  controller.abort();
  await waiting;
});

Deno.test("formatAddress writes an IPv6 address in brackets", () => {
  assertEquals(formatAddress("127.0.0.1", 80), "127.0.0.1:80");
  assertEquals(formatAddress("localhost", 80), "localhost:80");
  assertEquals(formatAddress("::1", 80), "[::1]:80");
});

/** A listener whose accepts are scripted. */
class FakeListener implements Deno.Listener {
  readonly addr: Deno.NetAddr = { transport: "tcp", hostname: "", port: 0 };
  readonly #script: (Error | "conn")[];

  constructor(script: (Error | "conn")[]) {
    this.#script = script;
  }

  /** How many accepts of the script are left. */
  get left(): number {
    return this.#script.length;
  }

  async accept(): Promise<Deno.Conn> {
    await Promise.resolve();
    const next = this.#script.shift();
    if (next === "conn") return {} as Deno.Conn;
    throw next ?? new Error("The script is over");
  }

  close(): void {}
  ref(): void {}
  unref(): void {}
  [Symbol.dispose](): void {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Deno.Conn> {
    yield await this.accept();
  }
}

function unexpected(): never {
  throw new Error("Called unexpectedly");
}
