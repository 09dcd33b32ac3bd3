// Applications that fail: the client sees a 500 or a response that is plainly
// cut short, never one that seems whole; the error is logged once; and the
// server goes on serving.

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { type AsgiApp, InvalidEventError, respond } from "../../mod.ts";
import { handled } from "../../src/streams/handled.ts";
import { http, type HttpApp, pathApp } from "./_apps.ts";
import { request } from "./_raw_client.ts";
import { netTest, start } from "./_testing.ts";
import { ServerProcess } from "./_server_process.ts";

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
  netTest(
    `an app that ${fault} becomes a 500, and is logged once`,
    async () => {
      await using server = start(failOn(app));
      using client = await server.connect();
      await client.get("/fail");
      const { status, body } = await client.readResponse();
      assertEquals([status, body], [500, "Internal Server Error\n"]);
      assertEquals(server.errors, [FAILED]);
      await assertServes(server);
    },
  );
}

netTest("an app that returns without a response becomes a 500", async () => {
  await using server = start(failOn(() => {}));
  using client = await server.connect();
  await client.get("/fail");
  assertEquals((await client.readResponse()).status, 500);
  assertEquals(server.errors.length, 1);
  assertInstanceOf(server.errors[0], Error);
  await assertServes(server);
});

netTest("an app that throws what is no error becomes a 500", async () => {
  await using server = start(failOn(() => Promise.reject(undefined)));
  using client = await server.connect();
  await client.get("/fail");
  assertEquals((await client.readResponse()).status, 500);
  assertEquals(server.errors, [undefined]);
});

// After that.

/** Ways to frame a response of which half is sent. */
const FRAMINGS: Record<string, [version: string, headers: [string, string][]]> =
  {
    "chunked": ["1.1", []],
    "with a content-length": ["1.1", [["content-length", "8"]]],
    "with a content-length on HTTP/1.0": ["1.0", [["content-length", "8"]]],
  };

/** Ways to fail in the middle. */
const LATE: Record<string, HttpApp> = {
  "throws": () => {
    throw FAILED;
  },
  "returns": () => {},
};

for (const [framing, [version, headers]] of Object.entries(FRAMINGS)) {
  for (const [fault, fail] of Object.entries(LATE)) {
    netTest(
      `a response ${framing} is truncated if its app ${fault}`,
      async () => {
        const app: HttpApp = async (scope, receive, send) => {
          const body = "half";
          await send({ type: "http.response.start", status: 200, headers });
          await send({ type: "http.response.body", body, more_body: true });
          return fail(scope, receive, send);
        };
        await using server = start(failOn(app));
        using client = await server.connect();
        await client.send(`GET /fail HTTP/${version}\r\nhost: test\r\n\r\n`);
        await assertRejects(
          () => client.readResponse(),
          Error,
          "The response is truncated",
        );
        assertEquals(server.errors.length, 1);
        await assertServes(server);
      },
    );
  }
}

netTest("a response that is too short for its length is cut", async () => {
  const outcome = Promise.withResolvers<unknown>();
  const app: HttpApp = async (_scope, _receive, send) => {
    const headers: [string, string][] = [["content-length", "8"]];
    await send({ type: "http.response.start", status: 200, headers });
    await send({ type: "http.response.body", body: "half", more_body: true });
    await send({ type: "http.response.body" }).catch(outcome.resolve);
  };
  await using server = start(failOn(app));
  using client = await server.connect();
  await client.get("/fail");
  await assertRejects(
    () => client.readResponse(),
    Error,
    "The response is truncated",
  );
  assertInstanceOf(await outcome.promise, InvalidEventError);
});

netTest("a response that is too long for its length is cut", async () => {
  const outcome = Promise.withResolvers<unknown>();
  const app: HttpApp = async (_scope, _receive, send) => {
    const headers: [string, string][] = [["content-length", "8"]];
    const body = "12345";
    await send({ type: "http.response.start", status: 200, headers });
    await send({ type: "http.response.body", body, more_body: true });
    await send({ type: "http.response.body", body }).catch(outcome.resolve);
  };
  await using server = start(failOn(app));
  using client = await server.connect();
  await client.send(request("GET", "/fail") + request("GET", "/next"));
  await assertRejects(
    () => client.readResponse(),
    Error,
    "The response is truncated",
  );
  assertInstanceOf(await outcome.promise, InvalidEventError);
});

netTest("an app that throws after its response does not harm it", async () => {
  const app: HttpApp = async (_scope, _receive, send) => {
    await respond(send, 200, { body: "whole" });
    throw FAILED;
  };
  await using server = start(failOn(app));
  using client = await server.connect();
  for (const _request of ["first", "second"]) {
    await client.get("/fail");
    assertEquals((await client.readResponse()).body, "whole");
  }
  await server.server.shutdown();
  assertEquals(server.errors, [FAILED, FAILED]);
});

netTest(
  "events that are out of order reject, and the app can go on",
  async () => {
    const errors: unknown[] = [];
    const app: HttpApp = async (_scope, _receive, send) => {
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
    };
    await using server = start(failOn(app));
    using client = await server.connect();
    await client.get("/fail");
    const { status, headers, body } = await client.readResponse();
    assertEquals([status, body], [200, "fine"]);
    assertEquals(headers.has("set-cookie"), false);
    assertEquals(errors.length, 4);
    for (const error of errors) assertInstanceOf(error, InvalidEventError);
    assertEquals(server.errors, []);
  },
);

netTest(
  "a fault amid pipelined requests does not touch those before",
  async () => {
    await using server = start(failOn(() => {
      throw FAILED;
    }));
    using client = await server.connect();
    const paths = ["/1", "/2", "/fail"];
    await client.send(paths.map((path) => request("GET", path)).join(""));
    assertEquals((await client.readResponse()).body, "/1");
    assertEquals((await client.readResponse()).body, "/2");
    assertEquals((await client.readResponse()).status, 500);
  },
);

netTest(
  "an event that is refused is logged, although the response is whole",
  async () => {
    const app: HttpApp = async (_scope, _receive, send) => {
      handled(send({ type: "http.response.body", body: "early" }));
      await respond(send, 200, { body: "whole" });
    };
    await using server = start(failOn(app));
    using client = await server.connect();
    await client.get("/fail");
    assertEquals((await client.readResponse()).body, "whole");
    await server.server.shutdown({ timeout: 0 });
    const warnings = server.records.filter(({ level }) => level === "warn");
    assertEquals(warnings.map(({ message, error }) => [message, `${error}`]), [[
      "An event of the application was refused",
      "InvalidEventError: Cannot send http.response.body: http.response.start must come first",
    ]]);
    assertEquals(server.errors, []);
  },
);

netTest(
  "an app that sends without end and does not wait stops nobody else",
  async () => {
    const app: HttpApp = (_scope, _receive, send) => {
      handled(send({ type: "http.response.start", status: 200 }));
      const body = new Uint8Array(64 * 1024);
      for (let i = 0; i < 100_000; i++) {
        handled(send({ type: "http.response.body", body, more_body: true }));
      }
    };
    await using server = start(failOn(app));
    using client = await server.connect();
    await client.get("/fail");
    await assertServes(server);
    await assertRejects(
      () => client.readResponse(),
      Error,
      "The response is truncated",
    );
    await server.server.shutdown({ timeout: 0 });
    assertEquals(server.errors.length, 1);
    assertInstanceOf(server.errors[0], InvalidEventError);
  },
);

netTest("sends that reject unawaited do not end the process", async () => {
  await using server = await ServerProcess.start();
  for (const path of ["/unawaited/order", "/unawaited/disconnect"]) {
    using client = await server.connect();
    await client.get(path);
    await client.readOneByte();
  }
  using client = await server.connect();
  await client.get("/count");
  assertEquals((await client.readResponse()).body, "0");
  assertEquals(await server.stop(), true);
}, { permissions: ["run", "read"] });

/** Serves "/fail" by an app, and everything else by one that works. */
function failOn(app: HttpApp): AsgiApp {
  return http((scope, receive, send) => {
    const chosen = scope.path === "/fail" ? app : pathApp;
    return chosen(scope, receive, send);
  });
}

async function assertServes(server: ReturnType<typeof start>): Promise<void> {
  using client = await server.connect();
  await client.get("/works");
  assertEquals((await client.readResponse()).body, "/works");
}
