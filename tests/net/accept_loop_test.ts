// The accept loop: it survives errors of accept, backs off, keeps to the pace of
// the consumer, and can be drained before it is closed.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type AcceptEvents,
  type AcceptFailure,
  AcceptLoop,
  delay,
} from "../../src/net/accept_loop.ts";
import { connectAndReset } from "../e2e/_reset.ts";
import { netTest, until } from "../e2e/_testing.ts";

const NEVER = new AbortController().signal;

/** Runs a loop until `signal` closes it. */
function acceptAll(
  listener: Deno.Listener,
  events: AcceptEvents,
  signal: AbortSignal,
): Promise<void> {
  const loop = new AcceptLoop(listener, events);
  signal.addEventListener("abort", () => loop.close());
  return loop.over;
}

function listen({ hostname, port }: { hostname: string; port: number }) {
  return Deno.listen({ hostname, port });
}

netTest(
  "An accept loop hands over each connection until the listener closes",
  async () => {
    const listener = listen({ hostname: "127.0.0.1", port: 0 });
    const stopping = new AbortController();
    let accepted = 0;
    const over = acceptAll(listener, {
      onConnection(conn) {
        conn.close();
        if (++accepted < 3) return;
        stopping.abort();
      },
      onFailure: unexpected,
    }, stopping.signal);
    const { hostname, port } = listener.addr;
    for (let i = 0; i < 3; i++) {
      (await Deno.connect({ hostname, port })).close();
    }
    await over;
    assertEquals(accepted, 3);
  },
);

Deno.test("An accept loop waits longer each time where descriptors are used up", async () => {
  const stopping = new AbortController();
  const retries: number[] = [];
  const error = systemError("EMFILE");
  const listener = new FakeListener([error, error, error, "conn", error]);
  let connections = 0;
  await acceptAll(listener, {
    onConnection() {
      connections++;
    },
    onFailure({ cause, error: reason, retryMs }) {
      assertEquals([cause, reason], ["exhausted", error]);
      retries.push(retryMs);
      if (retries.length === 4) stopping.abort();
    },
  }, stopping.signal);
  assertEquals(connections, 1);
  const [first, second, third, fourth] = retries;
  assertEquals([second, third], [2 * first, 4 * first]);
  assertEquals(fourth, first, "A success has reset the wait");
});

Deno.test("An accept loop does not wait after a connection that was lost", async () => {
  const stopping = new AbortController();
  const codes = ["ENOTCONN", "ECONNRESET", "ECONNABORTED", "EHOSTUNREACH"];
  const listener = new FakeListener([...codes.map(systemError), "conn"]);
  const failures: AcceptFailure[] = [];
  await acceptAll(listener, {
    onConnection: () => stopping.abort(),
    onFailure: (failure) => void failures.push(failure),
  }, stopping.signal);
  assertEquals(failures.length, codes.length);
  for (const { cause, retryMs } of failures) {
    assertEquals([cause, retryMs], ["lost", 0]);
  }
});

Deno.test("An accept loop neither spins nor holds clients up for an unknown error", async () => {
  const stopping = new AbortController();
  const errors = Array.from({ length: 20 }, () => systemError("EWHATEVER"));
  const listener = new FakeListener([...errors, new Error("No code"), "conn"]);
  const failures: AcceptFailure[] = [];
  await acceptAll(listener, {
    onConnection: () => stopping.abort(),
    onFailure: (failure) => void failures.push(failure),
  }, stopping.signal);
  assertEquals(failures.length, errors.length + 1);
  const last = failures.at(-1)!.retryMs;
  for (const { cause, retryMs } of failures) {
    assertEquals([cause, retryMs], ["unknown", last]);
  }
  assert(0 < last && last <= 10, `${last} ms`);
});

netTest(
  "Connections that were reset before do not hold up the next",
  async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const resets = Array.from({ length: 100 }, () => connectAndReset(port));
    await Promise.all(resets);
    using _honest = await Deno.connect({ hostname: "127.0.0.1", port });
    const stopping = new AbortController();
    const causes: string[] = [];
    await acceptAll(listener, {
      onConnection(conn) {
        conn.close();
        stopping.abort();
      },
      onFailure: ({ cause }) => void causes.push(cause),
    }, stopping.signal);
    // Some systems hand such a connection over, or drop it.
    for (const cause of causes) assertEquals(cause, "lost");
  },
);

Deno.test("An accept loop cuts its wait short when it is stopped", async () => {
  const stopping = new AbortController();
  const errors = Array.from({ length: 5 }, () => systemError("ENFILE"));
  const listener = new FakeListener(errors);
  await acceptAll(listener, {
    onConnection: unexpected,
    onFailure() {
      if (listener.left === 0) queueMicrotask(() => stopping.abort());
    },
  }, stopping.signal);
  assertEquals(listener.left, 0);
});

Deno.test("An accept loop is quiet about the error of a listener that was closed", async () => {
  const stopping = new AbortController();
  const listener = new FakeListener([new Error("Listener has been closed")]);
  const over = acceptAll(listener, {
    onConnection: unexpected,
    onFailure: unexpected,
  }, stopping.signal);
  stopping.abort();
  await over;
});

Deno.test("An accept loop accepts no more while a connection is being taken", async () => {
  const stopping = new AbortController();
  const listener = new FakeListener(["conn", "conn", new Error("Closed")]);
  const lefts: number[] = [];
  await acceptAll(listener, {
    async onConnection() {
      await new Promise((resolve) => setTimeout(resolve, 5));
      lefts.push(listener.left);
      if (lefts.length === 2) stopping.abort();
    },
    onFailure: unexpected,
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

netTest(
  "drain accepts what waits in the queue before it resolves",
  async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const clients = await Promise.all(
      Array.from(
        { length: 20 },
        () => Deno.connect({ hostname: "127.0.0.1", port }),
      ),
    );
    const accepted: Deno.Conn[] = [];
    const loop = new AcceptLoop(listener, {
      onConnection: (conn) => void accepted.push(conn),
      onFailure: unexpected,
    });
    await loop.drain(NEVER);
    assertEquals(accepted.length, clients.length);
    loop.close();
    await loop.over;
    for (const conn of [...clients, ...accepted]) conn.close();
  },
);

netTest("drain waits no longer once it is cut short", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  using _client = await Deno.connect({ hostname: "127.0.0.1", port });
  const gate = Promise.withResolvers<void>();
  let entered = false;
  const loop = new AcceptLoop(listener, {
    async onConnection(conn) {
      entered = true;
      await gate.promise;
      conn.close();
    },
    onFailure: unexpected,
  });
  await until(() => entered);
  await loop.drain(AbortSignal.abort());
  gate.resolve();
  loop.close();
  await loop.over;
});

netTest("a loop whose listener was closed by others is lost", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const loop = new AcceptLoop(listener, {
    onConnection: unexpected,
    onFailure: unexpected,
  });
  listener.close();
  await assertRejects(() => loop.over, Deno.errors.BadResource);
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

/** An error as the system calls of Deno throw it. */
function systemError(code: string): Error {
  return Object.assign(new Error(`Cannot accept: ${code}`), { code });
}

function unexpected(): never {
  throw new Error("Called unexpectedly");
}
