// The id of a request: where it comes from, and who sees it.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { headerValue } from "../../src/asgi/helpers.ts";
import type {
  AsgiApp,
  Header,
  HeaderLike,
  SendEvent,
} from "../../src/asgi/types.ts";
import {
  requestId,
  type RequestIdOptions,
} from "../../src/middleware/request_id.ts";
import {
  eventsOf,
  httpScopeOf,
  lifespanScope,
  seenThrough,
  webSocketScopeOf,
} from "./_calls.ts";

const UUID =
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NAME = "x-request-id";

/** The ids in the scope that the application sees, and in its response. */
async function ids(
  incoming: string[],
  options?: RequestIdOptions,
  sent: HeaderLike[] = [],
): Promise<{ seen: string[]; answered: string[] }> {
  const name = options?.header?.toLowerCase() ?? NAME;
  let seen: Header[] = [];
  const app: AsgiApp = async (scope, _receive, send) => {
    assert(scope.type === "http");
    seen = scope.headers;
    await send({ type: "http.response.start", status: 200, headers: sent });
    await send({ type: "http.response.body" });
  };
  const headers = incoming.map((value): Header => [name, value]);
  const events = await eventsOf(
    requestId(app, options),
    httpScopeOf({ headers }),
  );
  return {
    seen: valuesOf(seen, name),
    answered: valuesOf(headersOf(events[0]), name),
  };
}

function headersOf(event: SendEvent): HeaderLike[] {
  return "headers" in event ? [...event.headers ?? []] : [];
}

/** The values of the fields called `name`, in any case, as text or as bytes. */
function valuesOf(headers: Iterable<HeaderLike>, name: string): string[] {
  const text = (value: string | Uint8Array) =>
    typeof value === "string" ? value : new TextDecoder().decode(value);
  return [...headers]
    .filter((header) => text(header[0]).toLowerCase() === name)
    .map((header) => text(header[1]));
}

Deno.test("requestId() gives application and client the same new UUID", async () => {
  const first = await ids([]);
  assertMatch(first.seen[0], UUID);
  assertEquals(first.answered, first.seen);
  const second = await ids([]);
  assert(first.seen[0] !== second.seen[0]);
});

Deno.test("requestId() replaces what the client sent, and what the application sends", async () => {
  const bytes = new TextEncoder().encode("X-Request-Id");
  const { seen, answered } = await ids(["forged", "forged"], {}, [
    ["X-Request-ID", "own"],
    [bytes, "own"],
  ]);
  assertEquals(seen.length, 1);
  assertMatch(seen[0], UUID);
  assertEquals(answered, seen);
});

Deno.test("requestId() keeps the other fields as they are", async () => {
  const scope = httpScopeOf({ headers: [["a", "1"], [NAME, "x"], ["b", "2"]] });
  const inner = await seenThrough((app) => requestId(app), scope);
  assert(inner?.type === "http");
  const others = inner.headers.filter(([name]) => name !== NAME);
  assertEquals(others, [["a", "1"], ["b", "2"]]);
  assertEquals(headerValue(scope, NAME), "x");
});

Deno.test("requestId() keeps a sane id that came, with trustIncoming", async () => {
  for (const id of ["a", "Root=1-67891233-abcdef", "a".repeat(128)]) {
    const { seen, answered } = await ids([id], { trustIncoming: true });
    assertEquals([seen, answered], [[id], [id]]);
  }
  for (const id of ["", "a b", 'a"b', "a,b", "é", "a".repeat(129)]) {
    const { seen } = await ids([id], { trustIncoming: true });
    assertMatch(seen[0], UUID);
  }
  assertMatch((await ids(["a", "b"], { trustIncoming: true })).seen[0], UUID);
});

Deno.test("requestId() uses the field that is given, in lower case", async () => {
  const options = { header: "X-Trace-Id", trustIncoming: true };
  assertEquals(await ids(["a"], options), { seen: ["a"], answered: ["a"] });
});

Deno.test("requestId() answers an accepted WebSocket with the id, and a denied one", async () => {
  for (
    const event of [
      { type: "websocket.accept" },
      { type: "websocket.http.response.start", status: 403 },
    ] as const
  ) {
    let seen: string | undefined;
    const app: AsgiApp = async (scope, _receive, send) => {
      assert(scope.type === "websocket");
      seen = headerValue(scope, NAME);
      await send(event);
    };
    const events = await eventsOf(requestId(app), webSocketScopeOf());
    assertEquals(events, [{ ...event, headers: [[NAME, seen!]] }]);
  }
});

Deno.test("requestId() leaves other events, and lifespan, alone", async () => {
  const sent: SendEvent[] = [
    { type: "http.response.early_hint", links: [] },
    { type: "http.response.body", body: "a", more_body: true },
    { type: "http.response.trailers", headers: [["a", "b"]] },
  ];
  const app: AsgiApp = async (_scope, _receive, send) => {
    for (const event of sent) await send(event);
  };
  assertEquals(await eventsOf(requestId(app), httpScopeOf()), sent);
  const scope = lifespanScope();
  assertEquals(await seenThrough((app) => requestId(app), scope), scope);
});

Deno.test("requestId() refuses a name that no field can have", () => {
  assertThrows(
    () => requestId(() => {}, { header: "x request" }),
    TypeError,
    'Cannot use "x request" as the name of a field',
  );
});
