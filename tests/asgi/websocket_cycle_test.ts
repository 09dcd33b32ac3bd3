// The cycle of a WebSocket: what the application receives, what becomes of each
// event that it sends in each state, and how the WebSocket ends, by whichever
// side and in whatever way.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ClientDisconnected,
  InvalidEventError,
} from "../../src/asgi/errors.ts";
import { fromTransform } from "../../src/asgi/helpers.ts";
import type {
  AsgiApp,
  Receive,
  ReceiveEvent,
  Scope,
  Send,
  SendEvent,
} from "../../src/asgi/types.ts";
import { isPending, nextTurn } from "./_fake_wire.ts";
import {
  exampleScope,
  FakeWebSocketWire,
  run,
  runFaulty,
  start,
  type WireCall,
} from "./_fake_websocket_wire.ts";

const ACCEPT: SendEvent = { type: "websocket.accept" };
const HELLO: SendEvent = { type: "websocket.send", text: "Hello" };
const LARGE: SendEvent = {
  type: "websocket.send",
  text: "x".repeat(40_000),
};
const CLOSE: SendEvent = { type: "websocket.close", code: 4000, reason: "Bye" };
const DENIAL: SendEvent = {
  type: "websocket.http.response.start",
  status: 401,
  headers: [["X-A", "1"]],
};
const PIECE: SendEvent = {
  type: "websocket.http.response.body",
  body: "some, ",
  more_body: true,
};
const LAST_PIECE: SendEvent = {
  type: "websocket.http.response.body",
  body: "last",
};

const ACCEPTED: WireCall = ["accept", null, []];
const BYE: WireCall = ["close", 4000, "Bye"];

async function sendAll(send: Send, events: SendEvent[]): Promise<void> {
  for (const event of events) await send(event);
}

function disconnect(code: number, reason = ""): ReceiveEvent {
  return { type: "websocket.disconnect", code, reason };
}

function text(text: string): ReceiveEvent {
  return { type: "websocket.receive", text, bytes: null };
}

/** Accepts, and echoes until the client is gone. */
const echo: AsgiApp = async (_scope, receive, send) => {
  for await (const event of receive) {
    if (event.type === "websocket.connect") await send(ACCEPT);
    if (event.type !== "websocket.receive") continue;
    const { text, bytes } = event;
    await send({ type: "websocket.send", text, bytes });
  }
};

/** Accepts, and then does what a test is about. */
function accepted(rest: (receive: Receive, send: Send) => unknown): AsgiApp {
  return async (_scope, receive, send) => {
    await receive();
    await send(ACCEPT);
    await rest(receive, send);
  };
}

// The scope.

Deno.test("The scope of a WebSocket has every key of the specification", () => {
  assertEquals(exampleScope(["chat", "v2.chat"]), {
    type: "websocket",
    asgi: { version: "3.0", spec_version: "2.5" },
    http_version: "1.1",
    scheme: "ws",
    path: "/chat room",
    raw_path: "/chat%20room",
    query_string: "a=%20",
    root_path: "",
    headers: [["host", "localhost"]],
    client: ["127.0.0.1", 50000],
    server: ["127.0.0.1", 8000],
    subprotocols: ["chat", "v2.chat"],
    extensions: { "websocket.http.response": {} },
  });
});

Deno.test("The application is called once, with the scope of the WebSocket", async () => {
  const scopes: Scope[] = [];
  await run(async (scope, _receive, send) => {
    scopes.push(scope);
    await send({ type: "websocket.close" });
  }, { subprotocols: ["chat"] });
  assertEquals(scopes, [exampleScope(["chat"])]);
});

// Events in states.

/** A state: how to get there, and how to end the WebSocket from there. */
type Path = readonly [before: SendEvent[], after: SendEvent[]];

const STATES = {
  "while connecting": [[], [ACCEPT, HELLO, CLOSE]],
  "after the head of a denial": [[DENIAL], [LAST_PIECE]],
  "amid a denial": [[DENIAL, PIECE], [LAST_PIECE]],
  "while open": [[ACCEPT], [HELLO, CLOSE]],
  "after a close": [[ACCEPT, CLOSE], []],
  "after a close before accept": [[CLOSE], []],
  "after a denial": [[DENIAL, PIECE, LAST_PIECE], []],
} satisfies Record<string, Path>;

const EVENTS: Record<string, unknown> = {
  "accept": ACCEPT,
  "accept of what is not offered": { ...ACCEPT, subprotocol: "none" },
  "text": HELLO,
  "bytes": { type: "websocket.send", bytes: new Uint8Array(1) },
  "close": CLOSE,
  "the head of a denial": DENIAL,
  "content of a denial": PIECE,
  "the last content of a denial": LAST_PIECE,
  "an event of HTTP": { type: "http.response.start", status: 200 },
  "a message of a wrong shape": { type: "websocket.send" },
  "no event": undefined,
};

const OK = "is accepted";
const GONE = "is too late";
const DUE = "websocket.accept or websocket.close is due";
const BODY_DUE = "websocket.http.response.body is due";
const OPEN = "the WebSocket was accepted before";
const OFFER = "the client did not offer";
const UNKNOWN = "unknown type";
const SHAPE = "exactly one of text and bytes";

/** What becomes of an event in a state: the columns in the order of EVENTS. */
// deno-fmt-ignore
const TABLE: Record<keyof typeof STATES, readonly string[]> = {
  "while connecting": [
    OK, OFFER, DUE, DUE, OK, OK, DUE, DUE, UNKNOWN, SHAPE, UNKNOWN,
  ],
  "after the head of a denial": [
    BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, OK, OK,
    UNKNOWN, SHAPE, UNKNOWN,
  ],
  "amid a denial": [
    BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, BODY_DUE, OK, OK,
    UNKNOWN, SHAPE, UNKNOWN,
  ],
  "while open": [
    OPEN, OPEN, OK, OK, OK, OPEN, OPEN, OPEN, UNKNOWN, SHAPE, UNKNOWN,
  ],
  "after a close": Array(11).fill(GONE),
  "after a close before accept": Array(11).fill(GONE),
  "after a denial": Array(11).fill(GONE),
};

for (const [state, outcomes] of Object.entries(TABLE)) {
  const [before, after]: Path = STATES[state as keyof typeof STATES];
  Object.entries(EVENTS).forEach(([what, event], column) => {
    const outcome = outcomes[column];
    const verb = outcome === OK || outcome === GONE
      ? outcome
      : `is refused ("${outcome}")`;
    Deno.test(`Sent ${state}, ${what} ${verb}`, async () => {
      if (outcome === OK) await isAccepted(before, event as SendEvent);
      else await isRefused(before, event as SendEvent, outcome, after);
    });
  });
}

async function isAccepted(
  before: SendEvent[],
  event: SendEvent,
): Promise<void> {
  let sent = false;
  await runFaulty(async (_scope, _receive, send) => {
    await sendAll(send, before);
    await send(event);
    sent = true;
  });
  assert(sent);
}

/** Refused, and the WebSocket goes on as if it had never been sent. */
async function isRefused(
  before: SendEvent[],
  event: SendEvent,
  outcome: string,
  after: SendEvent[],
): Promise<void> {
  const plain = await run((_scope, _receive, send) =>
    sendAll(send, [...before, ...after])
  );
  const { wire } = await run(async (_scope, _receive, send) => {
    await sendAll(send, before);
    const sending = () => send(event);
    if (outcome === GONE) await assertRejects(sending, ClientDisconnected);
    else await assertRejects(sending, InvalidEventError, outcome);
    await nextTurn();
    await sendAll(send, after);
  });
  assertEquals(wire.calls, plain.wire.calls);
}

// Receiving.

Deno.test("The first event is connect, and the wire is not called before accept", async () => {
  const wire = new FakeWebSocketWire();
  await run(async (_scope, receive, send) => {
    assertEquals(await receive(), { type: "websocket.connect" });
    await nextTurn();
    assertEquals(wire.calls, []);
    await send(ACCEPT);
    assertEquals(wire.calls, [ACCEPTED]);
  }, { wire });
  assertEquals(wire.taken, 0);
});

Deno.test("An application may accept before it has received connect", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a");
  await run(async (_scope, receive, send) => {
    await send(ACCEPT);
    assertEquals(await receive(), { type: "websocket.connect" });
    assertEquals(await receive(), text("a"));
  }, { wire });
});

Deno.test("After connect, receive waits for accept", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("early");
  await run(async (_scope, receive, send) => {
    await receive();
    const next = receive();
    assert(await isPending(next));
    assertEquals(wire.taken, 0);
    await send(ACCEPT);
    assertEquals(await next, text("early"));
  }, { wire });
});

Deno.test("Messages are received as text or as bytes, in order", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", new Uint8Array([1, 2]), "", new Uint8Array(0));
  await run(
    accepted(async (receive) => {
      assertEquals(await receive(), text("a"));
      const binary = { type: "websocket.receive", text: null } as const;
      assertEquals(await receive(), {
        ...binary,
        bytes: new Uint8Array([1, 2]),
      });
      assertEquals(await receive(), text(""));
      assertEquals(await receive(), { ...binary, bytes: new Uint8Array(0) });
      const next = receive();
      assert(await isPending(next));
      wire.arrive("late");
      assertEquals(await next, text("late"));
    }),
    { wire },
  );
});

Deno.test("A message is asked for only when the application receives", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", "b", "c");
  await run(
    accepted(async (receive) => {
      await nextTurn();
      assertEquals(wire.taken, 0);
      await receive();
      await nextTurn();
      assertEquals(wire.taken, 1);
    }),
    { wire },
  );
});

Deno.test("Several receives at a time get one event after the other", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (receive) => {
      const both = Promise.all([receive(), receive()]);
      wire.arrive("a", "b");
      assertEquals(await both, [text("a"), text("b")]);
    }),
    { wire },
  );
});

// Accept.

Deno.test("Accept names one of the offered subprotocols, and more headers", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await send({
      type: "websocket.accept",
      subprotocol: "v2.chat",
      headers: [["X-A", "1"], [new Uint8Array([0x62]), "2"]],
    });
  }, { subprotocols: ["chat", "v2.chat"] });
  assertEquals(wire.calls[0], ["accept", "v2.chat", [["x-a", "1"], [
    "b",
    "2",
  ]]]);
});

Deno.test("Accept need not choose a subprotocol", async () => {
  for (const subprotocol of [null, undefined]) {
    const { wire } = await run(async (_scope, _receive, send) => {
      await send({ type: "websocket.accept", subprotocol });
    }, { subprotocols: ["chat"] });
    assertEquals(wire.calls[0], ACCEPTED);
  }
});

Deno.test("Subprotocols differ by case", async () => {
  await run(async (_scope, _receive, send) => {
    const event = { type: "websocket.accept", subprotocol: "Chat" } as const;
    await assertRejects(() => send(event), InvalidEventError, `"Chat"`);
    await send({ type: "websocket.close" });
  }, { subprotocols: ["chat"] });
});

// Refusals before accept.

Deno.test("A close before accept denies the WebSocket with a 403", async () => {
  const { wire, errors } = await runFaulty(async (_scope, receive, send) => {
    await receive();
    await send({ type: "websocket.close", code: 4001, reason: "No" });
    assertEquals((await receive()).type, "websocket.disconnect");
  });
  assertEquals(wire.calls, [["refuse", 403]]);
  assertEquals(errors, []);
});

Deno.test("A denial is sent as the application says, head first and once", async () => {
  const wire = new FakeWebSocketWire();
  await run(async (_scope, _receive, send) => {
    await send(DENIAL);
    assertEquals(wire.calls, []);
    await sendAll(send, [PIECE, PIECE, LAST_PIECE]);
  }, { wire });
  assertEquals(wire.calls, [
    ["head", 401, [["x-a", "1"]]],
    ["data", "some, ", false],
    ["data", "some, ", false],
    ["data", "last", true],
  ]);
});

Deno.test("A denial whose sends nobody awaits is sent whole", async () => {
  const { wire, errors } = await runFaulty((_scope, _receive, send) => {
    send(DENIAL);
    send(PIECE);
    send(LAST_PIECE);
  });
  assertEquals(errors, []);
  assertEquals(wire.calls, [
    ["head", 401, [["x-a", "1"]]],
    ["data", "some, ", false],
    ["data", "last", true],
  ]);
});

Deno.test("While the last content of a denial waits for the client, nothing can follow", async () => {
  const wire = new FakeWebSocketWire();
  wire.hold();
  await run(async (_scope, _receive, send) => {
    await send(DENIAL);
    const last = send(LAST_PIECE);
    await nextTurn();
    await assertRejects(() => send(PIECE), ClientDisconnected);
    wire.release();
    await last;
  }, { wire });
  assertEquals(wire.calls.length, 2);
});

Deno.test("Content of a denial is sent at the client's pace", async () => {
  const wire = new FakeWebSocketWire();
  wire.hold();
  await run(async (_scope, _receive, send) => {
    await send(DENIAL);
    const sending = send(PIECE);
    assert(await isPending(sending));
    wire.release();
    await sending;
    await send(LAST_PIECE);
  }, { wire });
});

Deno.test("After a denial, receive gives the disconnect", async () => {
  await run(async (_scope, receive, send) => {
    await receive();
    const pending = receive();
    await sendAll(send, [DENIAL, LAST_PIECE]);
    assertEquals(await pending, disconnect(1006));
    assertEquals(await receive(), disconnect(1006));
  });
});

// Applications that throw, or return.

Deno.test("A throw before accept gives a 500, and is reported", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(() => {
    throw fault;
  });
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors, [fault]);
});

Deno.test("A throw after accept closes with 1011, and is reported", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(accepted(() => {
    throw fault;
  }));
  assertEquals(wire.calls, [ACCEPTED, ["close", 1011, ""]]);
  assertEquals(errors, [fault]);
});

Deno.test("A throw after the close is reported, and changes nothing", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(accepted(async (_receive, send) => {
    await send(CLOSE);
    throw fault;
  }));
  assertEquals(wire.calls, [ACCEPTED, BYE]);
  assertEquals(errors, [fault]);
});

Deno.test("A throw amid a denial is reported, and the wire refuses", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
    await send(DENIAL);
    await send(PIECE);
    throw fault;
  });
  assertEquals(wire.calls.at(-1), ["refuse", 500]);
  assertEquals(errors, [fault]);
});

Deno.test("A return before accept gives a 500, and is reported", async () => {
  const { wire, errors } = await runFaulty(async (_scope, receive) => {
    await receive();
  });
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors.map(String), [
    "Error: Cannot complete handshake: the application has returned without an answer",
  ]);
});

Deno.test("A return amid a denial is reported, and the wire refuses", async () => {
  const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
    await send(DENIAL);
  });
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors.length, 1);
});

Deno.test("A return after accept closes with 1000, after what was sent", async () => {
  const { wire } = await run((_scope, _receive, send) => {
    send(ACCEPT);
    send(HELLO);
    send(HELLO);
  });
  assertEquals(wire.calls, [
    ACCEPTED,
    ["send", "Hello"],
    ["send", "Hello"],
    ["close", 1000, ""],
  ]);
});

Deno.test("An error of a send that escapes is no fault of the application", async () => {
  for (
    const wrap of [
      (error: unknown) => error,
      (cause: unknown) => new Error("wrapped", { cause }),
      (error: unknown) => new AggregateError([error]),
    ]
  ) {
    const wire = new FakeWebSocketWire();
    const { errors } = await runFaulty(
      accepted(async (_receive, send) => {
        wire.lose();
        await nextTurn();
        await send(HELLO).catch((error) => {
          throw wrap(error);
        });
      }),
      { wire },
    );
    assertEquals(errors, []);
  }
});

Deno.test("A WebSocket is over while its application runs on", async () => {
  const gate = Promise.withResolvers<void>();
  const { finished, returned } = start(accepted(async (_receive, send) => {
    await send(CLOSE);
    await gate.promise;
  }));
  await finished;
  assert(await isPending(returned));
  gate.resolve();
  await returned;
});

// The end, by the client.

for (
  const [what, code, reason] of [
    ["with a code and a reason", 3001, "bye"],
    ["without a code", 1005, ""],
    ["by being lost", 1006, ""],
  ] as const
) {
  Deno.test(`A client that leaves ${what} gives ${code}, after its messages, for ever`, async () => {
    const wire = new FakeWebSocketWire();
    wire.arrive("a", "b");
    await run(
      accepted(async (receive) => {
        if (code === 1006) wire.lose();
        else wire.leave(code, reason);
        await nextTurn();
        const events: ReceiveEvent[] = [];
        while (events.length < 5) events.push(await receive());
        const end = disconnect(code, reason);
        assertEquals(events, [text("a"), text("b"), end, end, end]);
      }),
      { wire },
    );
  });
}

Deno.test("A pending receive gets the disconnect as soon as the client leaves", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (receive) => {
      const next = receive();
      assert(await isPending(next));
      wire.leave(1001, "away");
      assertEquals(await next, disconnect(1001, "away"));
    }),
    { wire },
  );
});

Deno.test("Once the disconnect was received, sends reject and reach nobody", async () => {
  const wire = new FakeWebSocketWire();
  wire.leave(1000);
  await run(
    accepted(async (receive, send) => {
      await receive();
      await nextTurn();
      await assertRejects(() => send(HELLO), ClientDisconnected);
      await assertRejects(() => send(CLOSE), ClientDisconnected);
      await assertRejects(() => send(ACCEPT), ClientDisconnected);
    }),
    { wire },
  );
  assertEquals(wire.sent, []);
});

Deno.test("A message before the client's close can still be answered", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", "b");
  wire.leave(1000);
  await run(echo, { wire });
  assertEquals(wire.sent, [["send", "a"], ["send", "b"]]);
});

Deno.test("An application that only sends stops when the client is lost", async () => {
  const wire = new FakeWebSocketWire();
  const { errors } = await runFaulty(
    accepted(async (_receive, send) => {
      for (let count = 0;; count++) {
        if (count === 10) wire.lose();
        await send(HELLO);
      }
    }),
    { wire },
  );
  assertEquals(errors, []);
});

Deno.test("Sends that wait reject when the client is lost", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      await send(HELLO);
      await send(LARGE);
      const sending = send(HELLO);
      assert(await isPending(sending));
      wire.lose();
      const error = await assertRejects(() => sending, ClientDisconnected);
      assert(error.cause instanceof Error);
      await assertRejects(() => send(HELLO), ClientDisconnected);
    }),
    { wire },
  );
  assertEquals(wire.sent, [["send", "Hello"]]);
});

Deno.test("A send to a session that closes rejects, and leaves the closing to it", async () => {
  const wire = new FakeWebSocketWire();
  const { returned } = start(
    accepted(async (receive, send) => {
      wire.endSends(1001);
      await assertRejects(() => send(HELLO), ClientDisconnected);
      assertEquals(await receive(), disconnect(1001));
    }),
    { wire },
  );
  await returned;
  assertEquals(wire.sent, []);
});

// The end, by the application.

Deno.test("After its own close, the application receives its own code, for ever", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("nobody's");
  await run(
    accepted(async (receive, send) => {
      await send(CLOSE);
      assertEquals(await receive(), disconnect(4000, "Bye"));
      assertEquals(await receive(), disconnect(4000, "Bye"));
    }),
    { wire },
  );
});

Deno.test("A receive that is pending gets the application's own code", async () => {
  await run(accepted(async (receive, send) => {
    const pending = receive();
    assert(await isPending(pending));
    await send(CLOSE);
    assertEquals(await pending, disconnect(4000, "Bye"));
  }));
});

Deno.test("A message that crosses the application's close is not received", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (receive, send) => {
      const pending = receive();
      await nextTurn();
      wire.hold();
      const closing = send(CLOSE);
      await nextTurn();
      wire.arrive("crossing");
      assertEquals(await pending, disconnect(4000, "Bye"));
      wire.release();
      await closing;
    }),
    { wire },
  );
});

Deno.test("A close without code and reason says 1000 and nothing", async () => {
  const { wire } = await run(accepted(async (receive, send) => {
    await send({ type: "websocket.close" });
    assertEquals(await receive(), disconnect(1000));
  }));
  assertEquals(wire.calls, [ACCEPTED, ["close", 1000, ""]]);
});

// The end, by the server.

Deno.test("A shutdown closes an open WebSocket with 1012, and the application learns it", async () => {
  const { wire, cycle, finished, returned } = start(
    accepted(async (receive, send) => {
      assertEquals(await receive(), disconnect(1012));
      await assertRejects(() => send(HELLO), ClientDisconnected);
    }),
  );
  await nextTurn();
  cycle.shutdown();
  await Promise.all([finished, returned]);
  assertEquals(wire.calls, [ACCEPTED, ["close", 1012, ""]]);
});

Deno.test("A shutdown denies a WebSocket that is not accepted with a 503", async () => {
  const { wire, cycle, errors, finished, returned } = start(
    async (_scope, receive, send) => {
      await receive();
      assertEquals((await receive()).type, "websocket.disconnect");
      await send(ACCEPT);
    },
  );
  await nextTurn();
  cycle.shutdown();
  await Promise.all([finished, returned]);
  assertEquals(wire.calls, [["refuse", 503]]);
  assertEquals(errors, []);
});

Deno.test("A shutdown lets a denial end", async () => {
  const gate = Promise.withResolvers<void>();
  const { wire, cycle, finished } = start(async (_scope, _receive, send) => {
    await sendAll(send, [DENIAL, PIECE]);
    await gate.promise;
    await send(LAST_PIECE);
  });
  await nextTurn();
  cycle.shutdown();
  gate.resolve();
  await finished;
  assertEquals(wire.calls.at(-1), ["data", "last", true]);
});

Deno.test("A shutdown after the close changes nothing", async () => {
  const { wire, cycle } = await run(
    accepted((_receive, send) => send(CLOSE)),
  );
  cycle.shutdown();
  await nextTurn();
  assertEquals(wire.calls, [ACCEPTED, BYE]);
});

// Disconnect before accept.

for (const how of ["half-closed", "lost"] as const) {
  Deno.test(`A client that leaves before accept (${how}) gives 1006 after connect`, async () => {
    const { wire, errors, finished, returned } = start(
      async (_scope, receive, send) => {
        assertEquals(await receive(), { type: "websocket.connect" });
        assertEquals(await receive(), disconnect(1006));
        assertEquals(await receive(), disconnect(1006));
        await assertRejects(() => send(ACCEPT), ClientDisconnected);
        await assertRejects(() => send(DENIAL), ClientDisconnected);
      },
    );
    await nextTurn();
    wire.depart(how);
    await Promise.all([finished, returned]);
    assertEquals(wire.calls, [["abort"]]);
    assertEquals(errors, []);
  });
}

Deno.test("A client that has left before connect is received still gives connect first", async () => {
  const gate = Promise.withResolvers<void>();
  const { wire, returned } = start(async (_scope, receive) => {
    await gate.promise;
    assertEquals(await receive(), { type: "websocket.connect" });
    assertEquals(await receive(), disconnect(1006));
  });
  wire.depart("lost");
  gate.resolve();
  await returned;
});

Deno.test("A client that is lost while it is accepted rejects the accept", async () => {
  const wire = new FakeWebSocketWire();
  wire.hold();
  const { errors, finished, returned } = start(
    async (_scope, receive, send) => {
      const accepting = send(ACCEPT);
      assert(await isPending(accepting));
      wire.lose();
      await assertRejects(() => accepting, ClientDisconnected);
      await receive();
      assertEquals(await receive(), disconnect(1006));
    },
    { wire },
  );
  await Promise.all([finished, returned]);
  assertEquals(wire.calls.at(-1), ["abort"]);
  assertEquals(errors, []);
});

Deno.test("A disconnect that comes after accept is left to the session", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.depart("half-closed");
      await send(HELLO);
    }),
    { wire },
  );
  assertEquals(wire.sent, [["send", "Hello"], ["close", 1000, ""]]);
});

// Back pressure.

Deno.test("A send waits while 32 KiB are held, and resolves when there is room", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      await send(HELLO);
      await send(LARGE);
      const sending = send(HELLO);
      assert(await isPending(sending));
      assertEquals(wire.sent.length, 1);
      wire.release();
      await sending;
    }),
    { wire },
  );
  assertEquals(wire.sent.length, 4);
});

Deno.test("An application that awaits its sends is held up by a client that takes nothing", async () => {
  const wire = new FakeWebSocketWire();
  let sent = 0;
  const { finished, returned } = start(
    accepted(async (_receive, send) => {
      wire.hold();
      for (; sent < 1000; sent++) await send(HELLO);
    }),
    { wire },
  );
  await nextTurn();
  // Each counts for 69 bytes, and one is being sent.
  assertEquals(sent, 1 + Math.ceil(32 * 1024 / 69));
  wire.release();
  await Promise.all([finished, returned]);
  assertEquals(wire.sent.length, 1001);
});

Deno.test("A client is held up by an application that receives nothing", async () => {
  const wire = new FakeWebSocketWire();
  const { cycle, returned } = start(
    accepted(async (receive) => {
      let arrived = 0;
      for (; arrived < 1000 && !wire.full; arrived++) {
        wire.arrive("x".repeat(468));
      }
      // Each counts for 1000 bytes.
      assertEquals(arrived, 66);
      await receive();
      await nextTurn();
      assertEquals(wire.full, false);
      wire.arrive("last");
      for (; arrived > 0; arrived--) await receive();
    }),
    { wire },
  );
  await returned;
  cycle.shutdown();
});

Deno.test("Bytes may be changed once their send has resolved", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      await send(HELLO);
      const bytes = new Uint8Array([1]);
      for (; bytes[0] < 4; bytes[0]++) {
        await send({ type: "websocket.send", bytes });
      }
      wire.release();
    }),
    { wire },
  );
  assertEquals(wire.sent, [
    ["send", "Hello"],
    ...[1, 2, 3].map((byte) => ["send", new Uint8Array([byte])] as const),
    ["close", 1000, ""],
  ]);
});

Deno.test("A long message is not copied, and its send resolves when it was accepted", async () => {
  const wire = new FakeWebSocketWire();
  const bytes = new Uint8Array(100_000);
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      wire.waiting = 1000;
      const sending = send({ type: "websocket.send", bytes });
      assert(await isPending(sending));
      wire.release();
      await sending;
    }),
    { wire },
  );
  const [[, sent]] = wire.sent;
  assert(sent === bytes);
});

Deno.test("While little waits in a session, the next message does not wait", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      wire.waiting = 1000;
      await send(HELLO);
      await send(HELLO);
      await nextTurn();
      assertEquals(wire.sent.length, 2);
      wire.release();
    }),
    { wire },
  );
});

Deno.test("Accept resolves when the handshake has left", async () => {
  const wire = new FakeWebSocketWire();
  wire.hold();
  await run(async (_scope, _receive, send) => {
    const accepting = send(ACCEPT);
    assert(await isPending(accepting));
    wire.release();
    await accepting;
  }, { wire });
});

Deno.test("A close is sent after messages that are held back", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      send(HELLO);
      const closing = send(CLOSE);
      assert(await isPending(closing));
      wire.release();
      await closing;
    }),
    { wire },
  );
  assertEquals(wire.sent, [["send", "Hello"], BYE]);
});

// Streams.

Deno.test("The events as a stream end after the disconnect", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a");
  wire.leave(1001, "away");
  await run(async (_scope, receive, send) => {
    await send(ACCEPT);
    const events = await Array.fromAsync(receive.readable);
    assertEquals(events, [
      { type: "websocket.connect" },
      text("a"),
      disconnect(1001, "away"),
    ]);
  }, { wire });
});

Deno.test("Iteration can be left and taken up again", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", "b");
  await run(
    async (_scope, receive, send) => {
      for await (const { type } of receive) {
        if (type === "websocket.connect") break;
      }
      await send(ACCEPT);
      for await (const event of receive) {
        assertEquals(event, text("a"));
        break;
      }
      for await (const event of receive) {
        assertEquals(event, text("b"));
        break;
      }
    },
    { wire },
  );
});

Deno.test("Events can be written to a stream", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await ReadableStream.from([ACCEPT, HELLO, CLOSE]).pipeTo(send.writable);
  });
  assertEquals(wire.calls, [ACCEPTED, ["send", "Hello"], BYE]);
});

Deno.test("An aborted stream of events closes with 1011 as a throw does, and is reported once", async () => {
  const fault = new Error("fault of the test");
  const { wire, errors } = await runFaulty(accepted(async (_receive, send) => {
    await send.writable.abort(fault);
    throw fault;
  }));
  assertEquals(wire.calls, [ACCEPTED, ["close", 1011, ""]]);
  assertEquals(errors, [fault]);
});

/** Accepts on connect, and echoes. */
function echoTransform(): TransformStream<ReceiveEvent, SendEvent> {
  return new TransformStream({
    transform(event, controller) {
      if (event.type === "websocket.connect") controller.enqueue(ACCEPT);
      if (event.type !== "websocket.receive") return;
      const { text, bytes } = event;
      controller.enqueue({ type: "websocket.send", text, bytes });
    },
  });
}

Deno.test("A transform of events can be the application", async () => {
  const wire = new FakeWebSocketWire();
  const { errors, finished, returned } = start(
    fromTransform(echoTransform),
    { wire },
  );
  wire.arrive("a");
  await nextTurn();
  wire.arrive("b");
  await nextTurn();
  wire.leave(1000);
  await Promise.all([finished, returned]);
  assertEquals(wire.sent, [["send", "a"], ["send", "b"]]);
  assertEquals(errors, []);
});

Deno.test("A transform answers messages that came together with the client's close", async () => {
  const wire = new FakeWebSocketWire();
  wire.arrive("a", "b");
  wire.leave(1000);
  const { errors } = await runFaulty(fromTransform(echoTransform), { wire });
  assertEquals(wire.sent, [["send", "a"], ["send", "b"]]);
  assertEquals(errors, []);
});

// Sends that nobody awaits. That a rejection ends a process is shown elsewhere;
// here the runner would fail the test.

Deno.test("Rejected sends that nobody awaits leave the WebSocket usable", async () => {
  const wire = new FakeWebSocketWire();
  const { errors } = await runFaulty(async (_scope, _receive, send) => {
    send(HELLO);
    send({ type: "websocket.send" });
    send(undefined as unknown as SendEvent);
    await nextTurn();
    send(ACCEPT);
    send(ACCEPT);
    send(HELLO);
    send(CLOSE);
    send(HELLO);
    await nextTurn();
  }, { wire });
  assertEquals(errors, []);
  assertEquals(wire.calls, [ACCEPTED, ["send", "Hello"], BYE]);
});

Deno.test("Sends to a client that is lost need not be awaited", async () => {
  const wire = new FakeWebSocketWire();
  await run(
    accepted(async (_receive, send) => {
      wire.hold();
      send(HELLO);
      send(HELLO);
      await nextTurn();
      wire.lose();
      send(HELLO);
      await nextTurn();
    }),
    { wire },
  );
  assertEquals(wire.sent, [["send", "Hello"]]);
});

const WIRE = new URL("_fake_websocket_wire.ts", import.meta.url);

Deno.test({
  name: "A process outlives WebSocket sends that reject and that nobody awaits",
  ignore: Deno.permissions.querySync({ name: "run" }).state !== "granted" ||
    Deno.permissions.querySync({ name: "read" }).state !== "granted",
  async fn() {
    const script = `
      import { FakeWebSocketWire, start } from ${JSON.stringify(WIRE)};

      const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
      const wire = new FakeWebSocketWire();
      start(async (_scope, _receive, send) => {
        send({ type: "websocket.send", text: "too soon" });
        send(undefined);
        send({ type: "websocket.accept" });
        await turn();
        wire.hold();
        send({ type: "websocket.send", text: "held" });
        await turn();
        wire.lose();
        send({ type: "websocket.send", text: "too late" });
        await turn();
        send({ type: "websocket.send", text: "too late" });
      }, { wire });
      for (let i = 0; i < 5; i++) await turn();
      console.log("alive");
    `;
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", script],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(30_000),
    }).output();
    assertEquals([code, new TextDecoder().decode(stdout).trim()], [0, "alive"]);
  },
});
