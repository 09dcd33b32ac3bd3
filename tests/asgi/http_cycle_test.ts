// How a request ends: what an application's return and its throw mean, before,
// amid and after the response; and what it sees of a client that disconnects.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClientDisconnected } from "../../src/asgi/errors.ts";
import type { AsgiApp, Send } from "../../src/asgi/types.ts";
import {
  brief,
  FakeWire,
  isPending,
  run,
  runFaulty,
  start,
  take,
  type WireCall,
} from "./_fake_wire.ts";
import { begin, last, more } from "./_responses.ts";
import { unawaited } from "../_unawaited.ts";
import { settled } from "../_turns.ts";

// The application fails.

/** How far an application gets, and what the client then sees of its fault. */
const FAULTS: readonly [
  when: string,
  act: (send: Send) => Promise<void>,
  calls: WireCall[],
][] = [
  ["without a response", nothing, [["refuse", 500]]],
  ["after early hints", hint, [
    ["informational", 103, [["link", "</a>"]]],
    ["refuse", 500],
  ]],
  ["after the start", begin, [["refuse", 500]]],
  ["amid the content", beginAndMore, [
    ["head", 200, []],
    ["data", "a", false],
    ["abort"],
  ]],
  ["when trailers are due", withoutTrailers, [
    ["head", 200, []],
    ["data", "a", false],
    ["abort"],
  ]],
];

for (const [when, act, calls] of FAULTS) {
  Deno.test(`An application that returns ${when} is a fault`, async () => {
    const { wire, errors } = await runFaulty((_scope, _receive, send) =>
      act(send)
    );
    assertEquals(wire.calls, calls);
    assertEquals(
      errors.map(String),
      ["Error: Cannot complete response: the application has returned"],
    );
  });

  Deno.test(`An application that throws ${when} is a fault`, async () => {
    const fault = new Error("fault of the test");
    const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
      await act(send);
      throw fault;
    });
    assertEquals(wire.calls, calls);
    assert(errors.length === 1 && errors[0] === fault);
  });
}

Deno.test("An application that throws after its response fails, but the client has all of it", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
    await begin(send);
    await last(send, "a");
    throw fault;
  });
  assertEquals(wire.calls, [["head", 200, []], ["data", "a", true]]);
  assert(errors.length === 1 && errors[0] === fault);
});

Deno.test("An application that throws before the client has taken its response fails, but the client gets all of it", async () => {
  const wire = new FakeWire();
  wire.hold();
  const { errors, finished, returned } = start((_scope, _receive, send) => {
    unawaited(begin(send));
    unawaited(more(send, "a"));
    unawaited(last(send, "b"));
    throw new Error("fault of the test");
  }, { wire });
  await returned;
  assert(await isPending(finished));
  wire.release();
  await finished;
  assertEquals(wire.calls.slice(1), [["data", "a", false], [
    "data",
    "b",
    true,
  ]]);
  assertEquals(errors.length, 1);
});

Deno.test("An application that throws amid large content that it did not await cuts the response", async () => {
  const wire = new FakeWire();
  wire.hold();
  const { finished, returned } = start((_scope, _receive, send) => {
    unawaited(begin(send));
    unawaited(last(send, "x".repeat(1_000_000)));
    throw new Error("fault of the test");
  }, { wire });
  await returned;
  wire.release();
  await finished;
  assertEquals(wire.calls.at(-1), ["abort"]);
});

for (const thrown of [undefined, null, "text", 5, { message: "no error" }]) {
  Deno.test(`An application may throw what is no error: ${thrown}`, async () => {
    const { wire, errors } = await runFaulty(() => Promise.reject(thrown));
    assertEquals(wire.calls, [["refuse", 500]]);
    assertEquals(errors, [thrown]);
  });
}

Deno.test("An application that is not asynchronous may return at once", async () => {
  const { wire } = await run((_scope, _receive, send) => {
    unawaited(begin(send));
    unawaited(last(send, "a"));
  });
  assertEquals(wire.content, "a");
});

Deno.test("An application that is not asynchronous may throw at once", async () => {
  const { wire, errors } = await runFaulty(() => {
    throw new TypeError("fault of the test");
  });
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors.map(String), ["TypeError: fault of the test"]);
});

Deno.test("An application that awaits its faulty event fails with its rejection", async () => {
  const { wire, errors } = await runFaulty((_scope, _receive, send) =>
    last(send)
  );
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors.map(String), [
    "InvalidEventError: Cannot send http.response.body: http.response.start must come first",
  ]);
});

Deno.test("Nothing can be sent any more once the application has returned", async () => {
  let late: Promise<void> | undefined;
  const { wire } = await runFaulty((_scope, _receive, send) => {
    setTimeout(() => {
      late = begin(send);
    }, 0);
  });
  await settled();
  await assertRejects(() => late!, ClientDisconnected);
  assertEquals(wire.calls, [["refuse", 500]]);
});

Deno.test("A wire that cannot even refuse is cut", async () => {
  const wire = new FakeWire();
  wire.failSends(); // Not reported: only the write shows it.
  const { errors } = await runFaulty(() => {
    throw new Error("fault of the test");
  }, { wire });
  assertEquals(wire.calls, [["refuse", 500], ["abort"]]);
  assertEquals(errors.map(String), ["Error: fault of the test"]);
});

Deno.test("An application may run on after its response", async () => {
  const goOn = Promise.withResolvers<void>();
  const steps: string[] = [];
  const { wire, finished, returned } = start(async (_scope, receive, send) => {
    await begin(send);
    await last(send);
    steps.push(...await take(receive, 1));
    await goOn.promise;
    steps.push("returned");
  });
  await finished;
  assert(await isPending(returned));
  assertEquals(steps, ["disconnect"]);
  assertEquals([wire.callsBegun, wire.callsReturned], [1, 0]);
  goOn.resolve();
  await returned;
  assertEquals(steps, ["disconnect", "returned"]);
  assertEquals(wire.callsReturned, 1);
});

// The client disconnects.

Deno.test("A send to a client that is lost rejects, for every event", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    wire.disconnectClient("lost");
    const sends = [
      () => begin(send),
      () => last(send),
      () => send({ type: "http.response.early_hint", links: ["</a>"] }),
      () => send({ type: "http.response.pathsend", path: "/a" }),
      () => begin(send),
    ];
    for (const act of sends) {
      await assertRejects(
        act,
        ClientDisconnected,
        "Cannot send: the client has disconnected",
      );
    }
  }, { wire });
  assertEquals(wire.calls, []);
});

Deno.test("A loss ends the request at once, while the application runs", async () => {
  const wire = new FakeWire();
  const { finished, returned, errors } = start(async (_s, receive, send) => {
    await begin(send);
    await more(send, "a");
    await receive();
    await receive();
  }, { wire });
  assert(await isPending(finished));
  wire.disconnectClient("lost");
  await finished;
  await returned;
  assertEquals(errors, []);
});

Deno.test("A sender without end stops when the client is lost", async () => {
  const wire = new FakeWire();
  const { errors, returned } = start(async (_scope, _receive, send) => {
    await begin(send);
    for (;;) {
      await more(send, "tick");
      await settled();
    }
  }, { wire });
  await settled();
  wire.disconnectClient("lost");
  await returned;
  assertEquals(errors, []);
});

const ESCAPES: Record<string, (error: unknown) => unknown> = {
  "as it is": (error) => error,
  "as the cause of another error": (error) =>
    new Error("wrapped", { cause: error }),
  "among several errors": (error) =>
    new AggregateError([new Error("wrapped", { cause: error })]),
};

for (const [how, wrap] of Object.entries(ESCAPES)) {
  Deno.test(`A ClientDisconnected that escapes an application is no fault of it: ${how}`, async () => {
    const wire = new FakeWire();
    const { errors } = await runFaulty(async (_scope, _receive, send) => {
      wire.disconnectClient("lost");
      try {
        await begin(send);
      } catch (error) {
        throw wrap(error);
      }
    }, { wire });
    assertEquals(errors, []);
  });
}

Deno.test("Another error of an application is a fault, also when the client is lost", async () => {
  const wire = new FakeWire();
  const { errors } = await runFaulty(() => {
    wire.disconnectClient("lost");
    throw new Error("fault of the test");
  }, { wire });
  assertEquals(errors.map(String), ["Error: fault of the test"]);
  assertEquals(wire.calls, []);
});

for (const how of ["half-closed", "lost"] as const) {
  Deno.test(`An application that stops because the client is ${how} is faultless`, async () => {
    const wire = new FakeWire();
    await run(async (_scope, receive, send) => {
      await begin(send);
      await more(send, "a");
      await receive();
      const next = receive();
      wire.disconnectClient(how);
      assertEquals(brief(await next), "disconnect");
    }, { wire });
  });
}

Deno.test("A response that a half-closed client does not get whole is cut", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    await more(send, "a");
    wire.disconnectClient("half-closed");
  }, { wire });
  assertEquals(wire.calls.at(-1), ["abort"]);
});

Deno.test("A half-closed client gets the whole response", async () => {
  const wire = new FakeWire();
  await run(async (_scope, receive, send) => {
    await begin(send);
    await more(send, "a");
    wire.disconnectClient("half-closed");
    assertEquals(await take(receive, 2), ["body ", "disconnect"]);
    await more(send, "b");
    await last(send, "c");
  }, { wire });
  assertEquals(wire.content, "abc");
  assertEquals(wire.calls.at(-1), ["data", "c", true]);
});

Deno.test("A half-closed client that is lost then makes sends reject", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    wire.disconnectClient("half-closed");
    await more(send, "a");
    wire.disconnectClient("lost");
    await assertRejects(() => last(send), ClientDisconnected);
  }, { wire });
});

Deno.test("A client that disconnects after a complete response changes nothing", async () => {
  const wire = new FakeWire();
  await run(async (_scope, receive, send) => {
    await begin(send);
    await last(send, "a");
    wire.disconnectClient("lost");
    assertEquals(await take(receive, 1), ["disconnect"]);
    await last(send);
  }, { wire });
  assertEquals(wire.calls, [["head", 200, []], ["data", "a", true]]);
});

Deno.test("Two requests share nothing: one fails, the other goes on", async () => {
  const app: AsgiApp = async (_scope, receive, send) => {
    const event = await receive();
    if (brief(event) === "body bad") throw new Error("fault of the test");
    await begin(send);
    await last(send, brief(event));
  };
  const [bad, good] = await Promise.all([
    runFaulty(app, { wire: new FakeWire(["bad"]) }),
    run(app, { wire: new FakeWire(["good"]) }),
  ]);
  assertEquals(bad.wire.calls, [["refuse", 500]]);
  assertEquals(good.wire.content, "body good");
});

function nothing(): Promise<void> {
  return Promise.resolve();
}

function hint(send: Send): Promise<void> {
  return send({ type: "http.response.early_hint", links: ["</a>"] });
}

async function beginAndMore(send: Send): Promise<void> {
  await begin(send);
  await more(send, "a");
}

async function withoutTrailers(send: Send): Promise<void> {
  await send({ type: "http.response.start", status: 200, trailers: true });
  await last(send, "a");
}

for (let turns = 1; turns <= 8; turns++) {
  Deno.test(`A client that half-closes ${turns} microtasks after the return is answered if that was a fault`, async () => {
    const wire = new FakeWire();
    const { errors } = await runFaulty(() => {
      unawaited(halfClose(wire, turns));
    }, { wire });
    const refused = wire.calls.some(([name]) => name === "refuse");
    assertEquals(refused, errors.length === 1);
  });
}

async function halfClose(wire: FakeWire, turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await undefined;
  wire.disconnectClient("half-closed");
}

Deno.test("A receive that nobody awaits may find the stream locked", async () => {
  const { errors } = await run(async (_scope, receive, send) => {
    const reader = receive.readable.getReader();
    unawaited(receive());
    await reader.read();
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body" });
    await settled();
  });
  assertEquals(errors, []);
});
