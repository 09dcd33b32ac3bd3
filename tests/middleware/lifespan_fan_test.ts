// The life of several applications: in which order they start and stop, what
// becomes of them when one fails, and whose state is whose. They live in the
// cycle that the server calls applications with.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { LifespanCycle, LifespanError } from "../../src/asgi/lifespan_cycle.ts";
import type { AsgiApp, LifespanSendEvent } from "../../src/asgi/types.ts";
import { hosts } from "../../src/middleware/hosts.ts";
import { mount } from "../../src/middleware/mount.ts";
import { eventsOf, httpScopeOf, seenThrough } from "./_calls.ts";

/** What an application does at start and stop. */
interface Life {
  readonly start?: "fail" | "wait" | "throw" | "return";
  readonly stop?: "fail" | "wait" | "throw" | "return";
}

/** Applications that note the events they get in `log`. */
function applications(lives: Record<string, Life>) {
  const log: string[] = [];
  const apps = Object.fromEntries(
    Object.entries(lives).map((
      [name, life],
    ) => [name, living(name, life, log)]),
  );
  return { apps, log };
}

function living(name: string, life: Life, log: string[]): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== "lifespan") return;
    for (
      const [phase, manner] of Object.entries({
        start: life.start,
        stop: life.stop,
      })
    ) {
      await receive();
      log.push(`${phase} ${name}`);
      if (manner === "wait") await new Promise(() => {});
      if (manner === "throw") throw new Error(`${name} broke`);
      if (manner === "return") return;
      if (phase === "start") scope.state[name] = true;
      const message = manner === "fail" ? `${name} cannot ${phase}` : undefined;
      const event = phase === "start" ? "startup" : "shutdown";
      const type = `lifespan.${event}.${
        manner === "fail" ? "failed" : "complete"
      }`;
      await send({ type: type as LifespanSendEvent["type"], message });
      log.push(`${manner === "fail" ? "failed" : "done"} ${name}`);
      if (manner === "fail") return;
    }
  };
}

/** The cycle of a server for an application. */
function cycleOf(app: AsgiApp): LifespanCycle {
  return new LifespanCycle(app, "auto", () => {});
}

Deno.test("Applications start in their order, each when the last has started, and stop in the opposite one", async () => {
  const { apps, log } = applications({ "/a": {}, "/b": {}, "/c": {} });
  const cycle = cycleOf(mount(apps));
  await cycle.startup();
  assertEquals(cycle.supported, true);
  assertEquals(log.splice(0), [
    "start /a",
    "done /a",
    "start /b",
    "done /b",
    "start /c",
    "done /c",
  ]);
  await cycle.shutdown();
  assertEquals(log, [
    "stop /c",
    "done /c",
    "stop /b",
    "done /b",
    "stop /a",
    "done /a",
  ]);
});

Deno.test("hosts() gives lifespan events to its applications and the fallback", async () => {
  const { apps, log } = applications({ "a.test": {}, "b.test": {}, rest: {} });
  const { rest, ...others } = apps;
  const cycle = cycleOf(hosts(others, rest));
  await cycle.startup();
  await cycle.shutdown();
  assertEquals(log.filter((line) => !line.startsWith("done")), [
    "start a.test",
    "start b.test",
    "start rest",
    "stop rest",
    "stop b.test",
    "stop a.test",
  ]);
});

Deno.test("An application that is mounted twice starts once", async () => {
  const { apps: { a }, log } = applications({ a: {} });
  const cycle = cycleOf(mount({ "/v1": a, "/v2": a }));
  await cycle.startup();
  await cycle.shutdown();
  assertEquals(log, ["start a", "done a", "stop a", "done a"]);
});

Deno.test("A failed start has its message, and stops those that had started, in opposite order", async () => {
  const { apps, log } = applications({
    "/a": {},
    "/b": {},
    "/c": { start: "fail" },
    "/d": {},
  });
  await assertRejects(
    () => cycleOf(mount(apps)).startup(),
    LifespanError,
    "Cannot start application: /c cannot start",
  );
  assertEquals(log.slice(4).filter((line) => line !== "failed /c"), [
    "start /c",
    "stop /b",
    "done /b",
    "stop /a",
    "done /a",
  ]);
});

Deno.test("A failed start without a reason says so, and a failed stop after it is reported as well", async () => {
  const silent: AsgiApp = async (_scope, receive, send) => {
    await receive();
    await send({ type: "lifespan.startup.failed" });
  };
  const { apps } = applications({ "/a": { stop: "fail" } });
  const error = await assertRejects(
    () => cycleOf(mount({ ...apps, "/b": silent })).startup(),
    LifespanError,
  );
  assertEquals(
    error.message,
    "Cannot start application: it gave no reason; /a cannot stop",
  );
});

for (const start of ["throw", "return"] as const) {
  Deno.test(`An application that answers the start with a ${start} is left out`, async () => {
    const { apps, log } = applications({ "/a": { start }, "/b": {} });
    const cycle = cycleOf(mount(apps));
    await cycle.startup();
    assertEquals(cycle.supported, true);
    assertEquals(
      cycle.message,
      start === "throw" ? "failed to start: /a broke" : "",
    );
    await cycle.shutdown();
    assertEquals(log, [
      "start /a",
      "start /b",
      "done /b",
      "stop /b",
      "done /b",
    ]);
  });
}

Deno.test("Applications that all know no lifespan do not know it together", async () => {
  const unknowing: AsgiApp = ({ type }) => {
    throw new TypeError(`Unknown scope ${type}`);
  };
  const cycle = cycleOf(mount({ "/a": unknowing, "/b": () => {} }));
  await cycle.startup();
  assertEquals([cycle.supported, cycle.failedStart], [false, undefined]);
  const error = cycle.fault?.error;
  assert(error instanceof AggregateError);
  assert(error.message.endsWith("none has a lifespan"));
  assertEquals(error.errors.map(String), ["TypeError: Unknown scope lifespan"]);
});

Deno.test("Applications of which none has started, but one tried, have failed to start", async () => {
  const { apps } = applications({
    "/a": { start: "throw" },
    "/b": { start: "return" },
  });
  const cycle = cycleOf(mount({ "/in": mount(apps) }));
  await cycle.startup();
  assertEquals(cycle.supported, false);
  const error = cycle.failedStart?.error;
  assert(error instanceof AggregateError);
  assert(error.message.includes("/a broke"));
});

Deno.test("What a mounted application fails to start with is known around all mounts", async () => {
  const { apps } = applications({ "/a": { start: "throw" }, "/b": {} });
  const cycle = cycleOf(mount({ "/in": mount(apps) }));
  await cycle.startup();
  assertEquals([cycle.supported, cycle.message], [
    true,
    "failed to start: /a broke",
  ]);
  await cycle.shutdown();
});

Deno.test("An application that never answers the start keeps the others from starting, and the server's limit ends it", async () => {
  const { apps, log } = applications({ "/a": { start: "wait" }, "/b": {} });
  const starting = cycleOf(mount(apps)).startup();
  const winner = await Promise.race([
    starting.then(() => "started"),
    new Promise((resolve) => setTimeout(() => resolve("waits"), 20)),
  ]);
  assertEquals(winner, "waits");
  assertEquals(log, ["start /a"]);
});

for (const stop of ["fail", "throw"] as const) {
  Deno.test(`An application that stops with a ${stop} keeps none from being stopped, and has its message`, async () => {
    const { apps, log } = applications({
      "/a": {},
      "/b": { stop },
      "/c": { stop },
    });
    const cycle = cycleOf(mount(apps));
    await cycle.startup();
    const error = await assertRejects(() => cycle.shutdown(), LifespanError);
    const messages = stop === "fail"
      ? "/c cannot stop; /b cannot stop"
      : "/c broke; /b broke";
    assertEquals(error.message, `Cannot stop application: ${messages}`);
    assertEquals(log.at(-1), "done /a");
  });
}

Deno.test("An application that returns when it is to stop has stopped", async () => {
  const { apps, log } = applications({ "/a": {}, "/b": { stop: "return" } });
  const cycle = cycleOf(mount(apps));
  await cycle.startup();
  await cycle.shutdown();
  assertEquals(log.slice(-3), ["stop /b", "stop /a", "done /a"]);
});

Deno.test("What an application throws between start and stop is reported at the end, and the others go on", async () => {
  const fault = Promise.withResolvers<void>();
  const faulty: AsgiApp = async (_scope, receive, send) => {
    await receive();
    await send({ type: "lifespan.startup.complete" });
    await fault.promise;
  };
  const { apps, log } = applications({ "/a": {} });
  const cycle = cycleOf(mount({ ...apps, "/b": faulty }));
  await cycle.startup();
  fault.reject(new Error("The pool broke"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  await assertRejects(
    () => cycle.shutdown(),
    LifespanError,
    "Cannot stop application: The pool broke",
  );
  assertEquals(log.at(-1), "done /a");
});

// State.

/** The state that each path's application sees, on a server of its own. */
async function statesAt(
  app: AsgiApp,
  paths: string[],
  seen: Map<string, unknown>,
): Promise<unknown[]> {
  const cycle = cycleOf(app);
  await cycle.startup();
  const states = [];
  for (const target of paths) {
    const scope = httpScopeOf({ target });
    scope.state = { ...cycle.state, around: "all" };
    await eventsOf(app, scope);
    states.push(seen.get(target));
  }
  return states;
}

/** An application that puts what `make` makes into its state. */
function keeping(seen: Map<string, unknown>, make: () => unknown): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== "lifespan") {
      return void seen.set(scope.path, scope.state);
    }
    await receive();
    scope.state.kept = make();
    await send({ type: "lifespan.startup.complete" });
    await receive();
  };
}

Deno.test("Each application sees its own state, and what stands around all of them", async () => {
  const seen = new Map<string, unknown>();
  const none: AsgiApp = (scope) => {
    if (scope.type === "lifespan") throw new TypeError("No lifespan here");
    seen.set(scope.path, scope.state);
  };
  const app = mount({
    "/a": keeping(seen, () => 1),
    "/b": keeping(seen, () => 2),
    "/c": none,
  });
  const states = await statesAt(app, ["/a", "/b", "/c"], seen);
  assertEquals(states, [
    { kept: 1, around: "all" },
    { kept: 2, around: "all" },
    { around: "all" },
  ]);
  const symbols = states.flatMap((state) =>
    Object.getOwnPropertySymbols(state)
  );
  assertEquals(symbols, []);
});

Deno.test("Applications that are mounted in a mounted one see their own state, too", async () => {
  const seen = new Map<string, unknown>();
  const inner = mount({
    "/b": keeping(seen, () => 1),
    "/c": keeping(seen, () => 2),
  });
  const app = mount({ "/a": inner, "/": keeping(seen, () => 3) });
  assertEquals(await statesAt(app, ["/a/b", "/a/c", "/d"], seen), [
    { kept: 1, around: "all" },
    { kept: 2, around: "all" },
    { kept: 3, around: "all" },
  ]);
});

Deno.test("Two servers of the same applications do not share their states", async () => {
  const seen = new Map<string, unknown>();
  let starts = 0;
  const app = mount({ "/": keeping(seen, () => ++starts) });
  const [first, second] = [cycleOf(app), cycleOf(app)];
  await first.startup();
  await second.startup();
  for (const [cycle, kept] of [[first, 1], [second, 2]] as const) {
    const scope = httpScopeOf();
    scope.state = { ...cycle.state };
    await eventsOf(app, scope);
    assertEquals(seen.get("/"), { kept });
  }
});

Deno.test("Each request sees a copy of the state", async () => {
  const seen = new Map<string, unknown>();
  const app = mount({ "/": keeping(seen, () => 1) });
  const cycle = cycleOf(app);
  await cycle.startup();
  const scope = httpScopeOf();
  scope.state = { ...cycle.state };
  await eventsOf(app, scope);
  Object.assign(seen.get("/") as object, { kept: "changed" });
  await eventsOf(app, scope);
  assertEquals(seen.get("/"), { kept: 1 });
});

Deno.test("A scope without state stays without one", async () => {
  const scope = await seenThrough((app) => mount({ "/": app }), httpScopeOf());
  assertEquals("state" in scope!, false);
});
