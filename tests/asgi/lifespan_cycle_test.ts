// The life of an application: how it starts, or does not, in each mode; what it
// may send when; and how it stops, or does not.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import { LifespanCycle, LifespanError } from "../../src/asgi/lifespan_cycle.ts";
import type {
  AsgiApp,
  ReceiveEvent,
  Scope,
  SendEvent,
} from "../../src/asgi/types.ts";
import { isPending } from "./_fake_wire.ts";
import { settled } from "../_turns.ts";

const STARTED: SendEvent = { type: "lifespan.startup.complete" };
const STOPPED: SendEvent = { type: "lifespan.shutdown.complete" };
const STARTUP: ReceiveEvent = { type: "lifespan.startup" };
const SHUTDOWN: ReceiveEvent = { type: "lifespan.shutdown" };

function startFailed(message?: string): SendEvent {
  return { type: "lifespan.startup.failed", message };
}

function stopFailed(message?: string): SendEvent {
  return { type: "lifespan.shutdown.failed", message };
}

/** A cycle, and what it reported. */
function create(app: AsgiApp, mode: "auto" | "on" | "off" = "auto") {
  const errors: unknown[] = [];
  const cycle = new LifespanCycle(app, mode, (error) => errors.push(error));
  return { cycle, errors };
}

/** An application that starts and stops as it should. */
function wellBehaved(log: string[] = []): AsgiApp {
  return async (_scope, receive, send) => {
    for await (const { type } of receive) {
      log.push(type);
      await send(type === "lifespan.startup" ? STARTED : STOPPED);
    }
    log.push("returned");
  };
}

// Start-up.

Deno.test("An application is called once with the scope of lifespan, and starts", async () => {
  const scopes: Scope[] = [];
  const { cycle } = create(async (scope, receive, send) => {
    scopes.push(structuredClone(scope));
    assertEquals(await receive(), STARTUP);
    await send(STARTED);
    await receive();
  });
  assert(!cycle.supported);
  await cycle.startup();
  assert(cycle.supported);
  assertEquals(scopes, [{
    type: "lifespan",
    asgi: { version: "3.0", spec_version: "2.0" },
    state: {},
  }]);
  await cycle.shutdown();
});

Deno.test("The start-up waits until the application says that it is complete", async () => {
  const gate = Promise.withResolvers<void>();
  const { cycle } = create(async (_scope, receive, send) => {
    await receive();
    await gate.promise;
    await send(STARTED);
    await receive();
  });
  const starting = cycle.startup();
  assert(await isPending(starting));
  gate.resolve();
  await starting;
  await cycle.shutdown();
});

Deno.test("What the application puts into its state is kept", async () => {
  const { cycle } = create(async (scope, receive, send) => {
    if (scope.type === "lifespan") scope.state.pool = "connections";
    await receive();
    await send(STARTED);
    await receive();
  });
  await cycle.startup();
  assertEquals(cycle.state, { pool: "connections" });
  await cycle.shutdown();
});

for (const mode of ["auto", "on"] as const) {
  Deno.test(`A start-up that fails is thrown with its message (${mode})`, async () => {
    const { cycle } = create(async (_scope, receive, send) => {
      await receive();
      await send(startFailed("No database"));
    }, mode);
    await assertRejects(
      () => cycle.startup(),
      LifespanError,
      "Cannot start application: No database",
    );
    assert(!cycle.supported);
    await cycle.shutdown();
  });

  Deno.test(`A start-up that fails and then throws is thrown with its message (${mode})`, async () => {
    const { cycle, errors } = create(async (_scope, _receive, send) => {
      await send(startFailed("No database"));
      throw new Error("fault of the test");
    }, mode);
    await assertRejects(() => cycle.startup(), LifespanError, "No database");
    await settled();
    assertEquals(errors, []);
  });
}

Deno.test("A start-up that fails without a message says so", async () => {
  for (const event of [startFailed(), startFailed("")]) {
    const { cycle } = create((_scope, _receive, send) => send(event));
    await assertRejects(
      () => cycle.startup(),
      LifespanError,
      "it gave no reason",
    );
  }
});

const UNSUPPORTING: Record<string, AsgiApp> = {
  "throws on the scope": () => {
    throw new TypeError("Unknown scope lifespan");
  },
  "rejects": () => Promise.reject(new TypeError("Unknown scope lifespan")),
  "throws undefined": () => Promise.reject(undefined),
  "returns at once": () => {},
  "returns after the start-up": async (_scope, receive) => {
    await receive();
  },
  "sends what is for other scopes, and lets the error escape": async (
    _scope,
    _receive,
    send,
  ) => {
    await send({ type: "http.response.start", status: 200 });
  },
};

for (const [what, app] of Object.entries(UNSUPPORTING)) {
  Deno.test(`An application that ${what} has no lifespan (auto)`, async () => {
    const { cycle, errors } = create(app, "auto");
    await cycle.startup();
    assert(!cycle.supported);
    await cycle.shutdown();
    assertEquals(errors, []);
  });

  Deno.test(`An application that ${what} cannot be started (on)`, async () => {
    const { cycle } = create(app, "on");
    await assertRejects(
      () => cycle.startup(),
      LifespanError,
      "it has no lifespan",
    );
    assert(!cycle.supported);
    await cycle.shutdown();
  });
}

Deno.test("What an application threw is the cause, where lifespan is required", async () => {
  const fault = new Error("fault of the test");
  const { cycle } = create(() => Promise.reject(fault), "on");
  const error = await assertRejects(() => cycle.startup(), LifespanError);
  assertEquals(error.cause, fault);
});

// Applications that begin to start, and fail.

const NO_DATABASE = new Error("No database");
const NOT_DUE = 'not due in phase "startup"';

/** How they fail, and what is said of it. */
const FAILING: Record<string, readonly [AsgiApp, string]> = {
  "throws": [async (_scope, receive) => {
    await receive();
    throw NO_DATABASE;
  }, "No database"],
  "throws as it reads a stream": [async (_scope, receive) => {
    for await (const _event of receive.readable) throw NO_DATABASE;
  }, "No database"],
  "sends what is not due, and awaits it": [async (_scope, receive, send) => {
    await receive();
    await send(STOPPED);
  }, NOT_DUE],
  "sends what is not due, and returns": [async (_scope, receive, send) => {
    await receive();
    send(STOPPED);
  }, NOT_DUE],
};

for (const [what, [app, message]] of Object.entries(FAILING)) {
  Deno.test(`An application that ${what} as it starts is served, and the error is known (auto)`, async () => {
    const { cycle, errors } = create(app, "auto");
    await cycle.startup();
    assert(!cycle.supported);
    assert(String(cycle.failedStart?.error).includes(message));
    await cycle.shutdown();
    assertEquals(errors, []);
  });

  Deno.test(`An application that ${what} as it starts is thrown with its message (on)`, async () => {
    const { cycle } = create(app, "on");
    const error = await assertRejects(
      () => cycle.startup(),
      LifespanError,
      message,
    );
    assert(error.message.startsWith("Cannot start application: "));
    assert((error.cause as Error).message.includes(message));
  });
}

Deno.test("An application that has started, or never began to, has not failed to start", async () => {
  for (const app of [wellBehaved(), ...Object.values(UNSUPPORTING)]) {
    const { cycle } = create(app);
    await cycle.startup();
    assertEquals(cycle.failedStart, undefined);
    await cycle.shutdown();
  }
});

Deno.test("Without lifespan, the application is not called (off)", async () => {
  const log: string[] = [];
  const { cycle } = create(wellBehaved(log), "off");
  await cycle.startup();
  await cycle.shutdown();
  assert(!cycle.supported);
  assertEquals(log, []);
});

Deno.test("A start-up that nobody awaits counts, although the application returns at once", async () => {
  const { cycle, errors } = create((_scope, _receive, send) => {
    send(STARTED);
  });
  await cycle.startup();
  assert(cycle.supported);
  await cycle.shutdown();
  assertEquals(errors, []);
});

// Between.

Deno.test("An application that returns after its start-up does not get the shutdown", async () => {
  const { cycle, errors } = create((_scope, _receive, send) => send(STARTED));
  await cycle.startup();
  assert(cycle.supported);
  await settled();
  await cycle.shutdown();
  assertEquals(errors, []);
});

Deno.test("An application that throws while it runs is reported, and shutdown does not hang", async () => {
  const fault = new Error("fault of the test");
  const gate = Promise.withResolvers<void>();
  const { cycle, errors } = create(async (_scope, _receive, send) => {
    await send(STARTED);
    await gate.promise;
    throw fault;
  });
  await cycle.startup();
  gate.resolve();
  await settled();
  assertEquals(errors, [fault]);
  await cycle.shutdown();
});

Deno.test("After the start-up, receive waits for the shutdown", async () => {
  const { cycle } = create(async (_scope, receive, send) => {
    await receive();
    await send(STARTED);
    const next = receive();
    pending = await isPending(next);
    assertEquals(await next, SHUTDOWN);
    await send(STOPPED);
  });
  let pending = false;
  await cycle.startup();
  await settled();
  await settled();
  assert(pending);
  await cycle.shutdown();
});

// Shutdown.

Deno.test("The shutdown waits until the application says that it is complete", async () => {
  const gate = Promise.withResolvers<void>();
  const { cycle } = create(async (_scope, receive, send) => {
    await receive();
    await send(STARTED);
    await receive();
    await gate.promise;
    await send(STOPPED);
  });
  await cycle.startup();
  const stopping = cycle.shutdown();
  assert(await isPending(stopping));
  gate.resolve();
  await stopping;
});

Deno.test("The shutdown is complete as well when the application returns", async () => {
  const returns = Promise.withResolvers<void>();
  const { cycle } = create(async (_scope, receive, send) => {
    await receive();
    await send(STARTED);
    await receive();
    await returns.promise;
  });
  await cycle.startup();
  const stopping = cycle.shutdown();
  assert(await isPending(stopping));
  returns.resolve();
  await stopping;
});

Deno.test("A shutdown that fails is thrown with its message", async () => {
  for (
    const [event, message] of [
      [stopFailed("Still busy"), "Cannot stop application: Still busy"],
      [stopFailed(), "Cannot stop application: it gave no reason"],
    ] as const
  ) {
    const { cycle } = create(async (_scope, receive, send) => {
      await receive();
      await send(STARTED);
      await receive();
      await send(event);
    });
    await cycle.startup();
    await assertRejects(() => cycle.shutdown(), LifespanError, message);
  }
});

Deno.test("A throw in the shutdown makes it fail", async () => {
  const fault = new Error("fault of the test");
  const { cycle, errors } = create(async (_scope, receive, send) => {
    await receive();
    await send(STARTED);
    await receive();
    throw fault;
  });
  await cycle.startup();
  const error = await assertRejects(
    () => cycle.shutdown(),
    LifespanError,
    "fault of the test",
  );
  assertEquals(error.cause, fault);
  assertEquals(errors, []);
});

Deno.test("A throw after the shutdown is reported, unless it explains its failure", async () => {
  const fault = new Error("fault of the test");
  for (
    const [event, reported] of [[STOPPED, [fault]], [stopFailed(), []]] as const
  ) {
    const { cycle, errors } = create(async (_scope, receive, send) => {
      await receive();
      await send(STARTED);
      await receive();
      await send(event);
      throw fault;
    });
    await cycle.startup();
    await cycle.shutdown().catch(() => {});
    await settled();
    assertEquals(errors, [...reported]);
  }
});

Deno.test("A shutdown without a start-up does nothing", async () => {
  const log: string[] = [];
  const { cycle } = create(wellBehaved(log));
  await cycle.shutdown();
  assertEquals(log, []);
});

Deno.test("After the shutdown, receive gives it again and again", async () => {
  const events: ReceiveEvent[] = [];
  const { cycle } = create(async (_scope, receive, send) => {
    await receive();
    await send(STARTED);
    while (events.length < 3) events.push(await receive());
    await send(STOPPED);
  });
  await cycle.startup();
  await cycle.shutdown();
  assertEquals(events, [SHUTDOWN, SHUTDOWN, SHUTDOWN]);
});

// Receive and send as streams.

Deno.test("The events can be iterated over, and end after the shutdown", async () => {
  const log: string[] = [];
  const { cycle } = create(wellBehaved(log));
  await cycle.startup();
  await cycle.shutdown();
  await settled();
  assertEquals(log, ["lifespan.startup", "lifespan.shutdown", "returned"]);
});

Deno.test("A pipeline of streams can be the application", async () => {
  const { cycle, errors } = create((_scope, receive, send) =>
    receive.readable.pipeThrough(
      new TransformStream<ReceiveEvent, SendEvent>({
        transform({ type }, controller) {
          controller.enqueue(type === "lifespan.startup" ? STARTED : STOPPED);
        },
      }),
    ).pipeTo(send.writable)
  );
  await cycle.startup();
  assert(cycle.supported);
  await cycle.shutdown();
  assertEquals(errors, []);
});

// Wrong events.

/** Each phase, with what brings an application there, and what is due there. */
const DUE: Record<string, readonly string[]> = {
  startup: ["lifespan.startup.complete", "lifespan.startup.failed"],
  running: [],
  shutdown: ["lifespan.shutdown.complete", "lifespan.shutdown.failed"],
  over: [],
};
const WRONG: unknown[] = [
  ...["startup", "shutdown"].flatMap((phase) => [
    { type: `lifespan.${phase}.complete` },
    { type: `lifespan.${phase}.failed` },
  ]),
  { type: "lifespan.startup" },
  { type: "lifespan.startup.completed" },
  { type: "http.response.start", status: 200 },
  {},
  null,
  undefined,
];

Deno.test("Events that are not due are refused in every phase, and change nothing", async () => {
  const refused: Record<string, number> = {};
  const refusedWhileRunning = Promise.withResolvers<void>();
  const { cycle, errors } = create(async (_scope, receive, send) => {
    async function refuseAll(phase: string): Promise<void> {
      const wrong = WRONG.filter((event) =>
        !DUE[phase].includes((event as SendEvent | null)?.type ?? "")
      );
      for (const event of wrong) {
        await assertRejects(
          () => send(event as SendEvent),
          InvalidEventError,
          `not due in phase "${phase}"`,
        );
      }
      refused[phase] = wrong.length;
    }
    await receive();
    await refuseAll("startup");
    await send(STARTED);
    await refuseAll("running");
    refusedWhileRunning.resolve();
    await receive();
    await refuseAll("shutdown");
    await send(STOPPED);
    await refuseAll("over");
  });
  await cycle.startup();
  await refusedWhileRunning.promise;
  await cycle.shutdown();
  await settled();
  assertEquals(errors, []);
  assertEquals(refused, { startup: 8, running: 10, shutdown: 8, over: 10 });
});

Deno.test("A second answer is refused, although the first was not awaited", async () => {
  let refused = 0;
  const { cycle, errors } = create(async (_scope, receive, send) => {
    await receive();
    send(STARTED);
    await assertRejects(() => send(startFailed("late")), InvalidEventError);
    refused++;
    assertEquals(await receive(), SHUTDOWN);
    send(STOPPED);
    await assertRejects(() => send(stopFailed("late")), InvalidEventError);
    refused++;
  });
  await cycle.startup();
  await cycle.shutdown();
  await settled();
  assertEquals([refused, errors], [2, []]);
});

Deno.test("A refused event that nobody awaits does no harm", async () => {
  const { cycle, errors } = create(async (_scope, receive, send) => {
    send(STOPPED);
    await receive();
    await send(STARTED);
    send(STARTED);
    await receive();
  });
  await cycle.startup();
  await cycle.shutdown();
  assertEquals(errors, []);
});

Deno.test("A second shutdown waits for the first, and the application gets one", async () => {
  const gate = Promise.withResolvers<void>();
  const log: string[] = [];
  const { cycle } = create(async (_scope, receive, send) => {
    for await (const { type } of receive) {
      log.push(type);
      if (type === "lifespan.shutdown") await gate.promise;
      await send(type === "lifespan.startup" ? STARTED : stopFailed("late"));
    }
  });
  await cycle.startup();
  const first = cycle.shutdown();
  const second = cycle.shutdown();
  first.catch(() => {});
  assert(await isPending(second));
  gate.resolve();
  await assertRejects(() => first, LifespanError, "late");
  await assertRejects(() => second, LifespanError, "late");
  assertEquals(log, ["lifespan.startup", "lifespan.shutdown"]);
});
