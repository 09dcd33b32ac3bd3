// Applications that fail: the client sees a 500 or a response that is plainly
// cut short, never one that seems whole; the error is logged once; and the
// server goes on serving.

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { type AsgiApp, InvalidEventError, respond } from "../../mod.ts";
import { handled } from "../../src/streams/handled.ts";
import { http, type HttpApp, pathApp } from "../e2e/_apps.ts";
import type { TestServer } from "../e2e/_testing.ts";
import { start, wireTest } from "./_wires.ts";
import { TRUNCATED, type Wire, type WireResponse } from "./_wire.ts";

// Before the response has begun.

const FAILED = new Error("Out of order");

/** Ways to fail before anything has left. */
const EARLY: Record<string, HttpApp> = {
  "throws": () => {
    throw FAILED;
  },
  "rejects": () => Promise.reject(FAILED),
  "rejects after a start": async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    throw FAILED;
  },
  "aborts send.writable": async (_scope, _receive, send) => {
    await send.writable.abort(FAILED);
    throw FAILED;
  },
};

for (const [fault, app] of Object.entries(EARLY)) {
  wireTest(
    `an app that ${fault} becomes a 500, and is logged once`,
    async (wire) => {
      await using server = start(wire, failOn(app));
      const { status, content } = await fail(wire, server);
      assertEquals([status, content], [500, "Internal Server Error\n"]);
      assertEquals(server.errors, [FAILED]);
      await assertServes(wire, server);
    },
  );
}

wireTest(
  "an app that returns without a response becomes a 500",
  async (wire) => {
    await using server = start(wire, failOn(() => {}));
    assertEquals((await fail(wire, server)).status, 500);
    assertEquals(server.errors.length, 1);
    assertInstanceOf(server.errors[0], Error);
    await assertServes(wire, server);
  },
);

wireTest("an app that throws what is no error becomes a 500", async (wire) => {
  await using server = start(wire, failOn(() => Promise.reject(undefined)));
  assertEquals((await fail(wire, server)).status, 500);
  assertEquals(server.errors, [undefined]);
});

// After that.

/** The fields of a response of which half is sent. */
const LENGTHS: Record<string, [string, string][]> = {
  "without a content-length": [],
  "with a content-length": [["content-length", "8"]],
};

/** Ways to fail in the middle. */
const LATE: Record<string, HttpApp> = {
  "throws": () => {
    throw FAILED;
  },
  "returns": () => {},
};

for (const [length, headers] of Object.entries(LENGTHS)) {
  for (const [fault, then] of Object.entries(LATE)) {
    wireTest(
      `a response ${length} is truncated if its app ${fault}`,
      async (wire) => {
        await using server = start(
          wire,
          failOn(async (scope, receive, send) => {
            const body = "half";
            await send({ type: "http.response.start", status: 200, headers });
            await send({ type: "http.response.body", body, more_body: true });
            return then(scope, receive, send);
          }),
        );
        await assertTruncated(wire, server);
        assertEquals(server.errors.length, 1);
        await assertServes(wire, server);
      },
    );
  }
}

wireTest("a response that is too short for its length is cut", async (wire) => {
  const outcome = Promise.withResolvers<unknown>();
  await using server = start(
    wire,
    failOn(async (_scope, _receive, send) => {
      const headers: [string, string][] = [["content-length", "8"]];
      await send({ type: "http.response.start", status: 200, headers });
      await send({ type: "http.response.body", body: "half", more_body: true });
      await send({ type: "http.response.body" }).catch(outcome.resolve);
    }),
  );
  await assertTruncated(wire, server);
  assertInstanceOf(await outcome.promise, InvalidEventError);
});

wireTest("a response that is too long for its length is cut", async (wire) => {
  const outcome = Promise.withResolvers<unknown>();
  await using server = start(
    wire,
    failOn(async (_scope, _receive, send) => {
      const headers: [string, string][] = [["content-length", "8"]];
      const body = "12345";
      await send({ type: "http.response.start", status: 200, headers });
      await send({ type: "http.response.body", body, more_body: true });
      await send({ type: "http.response.body", body }).catch(outcome.resolve);
    }),
  );
  await assertTruncated(wire, server);
  assertInstanceOf(await outcome.promise, InvalidEventError);
});

wireTest(
  "an app that throws after its response does not harm it",
  async (wire) => {
    await using server = start(
      wire,
      failOn(async (_scope, _receive, send) => {
        await respond(send, 200, { body: "whole" });
        throw FAILED;
      }),
    );
    await using client = await wire.connect(server);
    for (const _request of ["first", "second"]) {
      assertEquals((await client.fetch({ path: "/fail" })).content, "whole");
    }
    client.close();
    await server.server.shutdown();
    assertEquals(server.errors, [FAILED, FAILED]);
  },
);

wireTest(
  "events that are out of order reject, and the app can go on",
  async (wire) => {
    const errors: unknown[] = [];
    await using server = start(
      wire,
      failOn(async (_scope, _receive, send) => {
        const keep = (error: unknown) => errors.push(error);
        await send({ type: "http.response.body", body: "early" }).catch(keep);
        await send({ type: "http.response.start", status: 99 }).catch(keep);
        await send({
          type: "http.response.start",
          status: 200,
          headers: [["x", "a\r\nset-cookie: b=c"]],
        }).catch(keep);
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.start", status: 201 }).catch(keep);
        await send({ type: "http.response.body", body: "fine" });
      }),
    );
    const { status, headers, content } = await fail(wire, server);
    assertEquals([status, content], [200, "fine"]);
    assertEquals(headers.has("set-cookie"), false);
    assertEquals(errors.length, 4);
    for (const error of errors) assertInstanceOf(error, InvalidEventError);
    assertEquals(server.errors, []);
  },
);

wireTest(
  "an event that is refused is logged, although the response is whole",
  async (wire) => {
    await using server = start(
      wire,
      failOn(async (_scope, _receive, send) => {
        handled(send({ type: "http.response.body", body: "early" }));
        await respond(send, 200, { body: "whole" });
      }),
    );
    assertEquals((await fail(wire, server)).content, "whole");
    await server.server.shutdown({ timeout: 0 });
    const warnings = server.records.filter(({ level }) => level === "warn");
    assertEquals(warnings.map(({ message, error }) => [message, `${error}`]), [[
      "An event of the application was refused",
      "InvalidEventError: Cannot send http.response.body: http.response.start must come first",
    ]]);
    assertEquals(server.errors, []);
  },
);

wireTest(
  "an app that sends without end and does not wait stops nobody else",
  async (wire) => {
    await using server = start(
      wire,
      failOn((_scope, _receive, send) => {
        handled(send({ type: "http.response.start", status: 200 }));
        const body = new Uint8Array(64 * 1024);
        for (let i = 0; i < 100_000; i++) {
          handled(send({ type: "http.response.body", body, more_body: true }));
        }
      }),
    );
    await using client = await wire.connect(server);
    const exchange = await client.request({ path: "/fail" });
    await assertServes(wire, server);
    await assertRejects(() => exchange.response(), Error, TRUNCATED);
    await server.server.shutdown({ timeout: 0 });
    assertEquals(server.errors.length, 1);
    assertInstanceOf(server.errors[0], InvalidEventError);
  },
);

/** Serves "/fail" by an app, and everything else by one that works. */
function failOn(app: HttpApp): AsgiApp {
  return http((scope, receive, send) => {
    const chosen = scope.path === "/fail" ? app : pathApp;
    return chosen(scope, receive, send);
  });
}

async function fail(wire: Wire, server: TestServer): Promise<WireResponse> {
  await using client = await wire.connect(server);
  return await client.fetch({ path: "/fail" });
}

async function assertTruncated(wire: Wire, server: TestServer): Promise<void> {
  await assertRejects(() => fail(wire, server), Error, TRUNCATED);
}

async function assertServes(wire: Wire, server: TestServer): Promise<void> {
  await using client = await wire.connect(server);
  assertEquals((await client.fetch({ path: "/works" })).content, "/works");
}
