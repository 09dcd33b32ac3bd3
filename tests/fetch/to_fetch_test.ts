// What `toFetch` makes of an application, in process: no socket is needed to
// call a function with a `Request`.

import { once } from "node:events";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import {
  type AsgiApp,
  ClientDisconnected,
  type HttpScope,
  InvalidEventError,
  LifespanError,
  respond,
  type SendEvent,
} from "../../mod.ts";
import { toFetch, type ToFetchOptions } from "../../src/fetch/mod.ts";
import { handled } from "../../src/streams/handled.ts";
import { HOSTILE_VALUES } from "../_hostile_values.ts";
import { http } from "../e2e/_apps.ts";
import { bounded } from "../e2e/_testing.ts";

const URL_ = "http://example.com:8080/";

const FAILED = new Error("fault of the test");

/** Callbacks that fail. */
const FAILING: Record<string, () => never> = {
  "throws": () => {
    throw FAILED;
  },
  "rejects": () => Promise.reject(FAILED) as never,
};

/** The scope that an application is called with for a request. */
async function scopeOf(
  request: Request,
  info?: object,
  options?: ToFetchOptions,
): Promise<HttpScope> {
  let called: HttpScope | undefined;
  const handler = toFetch(
    http(async (scope, _receive, send) => {
      called = scope;
      await respond(send, 204);
    }),
    options,
  );
  assertEquals((await handler(request, info)).status, 204);
  return called!;
}

/** What an application's sends reject with, one by one; then it answers. */
async function rejections(
  events: readonly unknown[],
  options?: ToFetchOptions,
): Promise<string[]> {
  const messages: string[] = [];
  const handler = toFetch(
    http(async (_scope, _receive, send) => {
      for (const event of events) {
        await send(event as SendEvent).catch((error) => {
          assertInstanceOf(error, InvalidEventError);
          messages.push(error.message);
        });
      }
      await send({ type: "http.response.start", status: 200 }).catch(() => {});
      await send({ type: "http.response.body", body: "fine" });
    }),
    options,
  );
  const response = await handler(new Request(URL_));
  assertEquals(await response.text(), "fine");
  return messages;
}

Deno.test("toFetch makes the scope of the request", async () => {
  const request = new Request(`${URL_}caf%C3%A9/a%2Fb?x=%20&y#part`, {
    method: "PUT",
    headers: [["x-a", "1"], ["x-a", "2"], ["cookie", "c=3"]],
  });
  const remoteAddr = { transport: "tcp", hostname: "192.0.2.7", port: 5000 };
  const { extensions, ...scope } = await scopeOf(request, { remoteAddr });
  assertEquals(scope, {
    type: "http",
    asgi: { version: "3.0", spec_version: "2.5" },
    http_version: "1.1",
    method: "PUT",
    scheme: "http",
    path: "/café/a/b",
    raw_path: "/caf%C3%A9/a%2Fb",
    query_string: "x=%20&y",
    root_path: "",
    headers: [
      ["host", "example.com:8080"],
      ["cookie", "c=3"],
      ["x-a", "1, 2"],
    ],
    client: ["192.0.2.7", 5000],
    server: ["example.com", 8080],
  });
  assertEquals(
    Object.keys(extensions).sort(),
    ["http.response.zerocopysend", "server.shutdown"],
  );
});

Deno.test("toFetch gives the method in uppercase", async () => {
  for (const method of ["get", "Put", "patch", "m-search"]) {
    const scope = await scopeOf(new Request(URL_, { method }));
    assertEquals(scope.method, method.toUpperCase());
  }
});

Deno.test("toFetch says that the client is unknown, without an address", async () => {
  for (
    const info of [undefined, {}, { remoteAddr: null }, {
      remoteAddr: { transport: "unix", path: "/run/x" },
    }]
  ) {
    const { client } = await scopeOf(new Request(URL_), info);
    assertEquals(client, null);
  }
});

Deno.test("toFetch takes the standard port for a URL without one", async () => {
  const scope = await scopeOf(new Request("https://[2001:db8::1]"));
  assertEquals(
    [scope.scheme, scope.server, scope.raw_path, scope.query_string],
    ["https", ["2001:db8::1", 443], "/", ""],
  );
});

Deno.test("toFetch keeps several cookies apart", async () => {
  const handler = toFetch(http(async (_scope, _receive, send) => {
    const headers = [["set-cookie", "a=1"], ["set-cookie", "b=2"]] as const;
    await respond(send, 200, { headers });
  }));
  const { headers } = await handler(new Request(URL_));
  assertEquals(headers.getSetCookie(), ["a=1", "b=2"]);
});

Deno.test("toFetch gives the request's content, up to its end", async () => {
  const last: unknown[] = [];
  const handler = toFetch(http(async (_scope, receive, send) => {
    let text = "";
    for await (const event of receive) {
      if (event.type !== "http.request") break;
      text += new TextDecoder().decode(event.body);
      if (!event.more_body) break;
    }
    await respond(send, 200, { body: text });
    last.push(await receive());
  }));
  const bodies = ["content", "", undefined];
  for (const body of bodies) {
    const response = await handler(new Request(URL_, { method: "POST", body }));
    assertEquals(await response.text(), body ?? "");
  }
  await handler.shutdown();
  assertEquals(last, bodies.map(() => ({ type: "http.disconnect" })));
});

Deno.test("toFetch asks for content only when the application does", async () => {
  let asked = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      asked++;
      controller.enqueue(new Uint8Array(10));
    },
  }, { highWaterMark: 0 });
  const counts: number[] = [];
  const handler = toFetch(http(async (_scope, receive, send) => {
    counts.push(asked);
    await receive();
    await receive();
    counts.push(asked);
    await respond(send, 200);
  }));
  const init = { method: "POST", body, duplex: "half" };
  await handler(new Request(URL_, init));
  assertEquals(counts, [0, 2]);
});

Deno.test("toFetch lets the application run no faster than it is read", async () => {
  const piece = new Uint8Array(16 * 1024);
  let sent = 0;
  const handler = toFetch(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    for (; sent < 100; sent++) {
      await send({ type: "http.response.body", body: piece, more_body: true });
    }
    await send({ type: "http.response.body" });
  }));
  const response = await handler(new Request(URL_));
  for (let turn = 0; turn < 1000; turn++) await undefined;
  assert(sent >= 1 && sent <= 5, `${sent} pieces were sent ahead`);
  const bytes = await response.arrayBuffer();
  assertEquals([sent, bytes.byteLength], [100, 100 * piece.length]);
});

Deno.test("toFetch copies content, so that its buffer can be used again", async () => {
  const handler = toFetch(http(async (_scope, _receive, send) => {
    const body = new Uint8Array(1);
    await send({ type: "http.response.start", status: 200 });
    for (body[0] = 1; body[0] < 4; body[0]++) {
      await send({ type: "http.response.body", body, more_body: true });
    }
    await send({ type: "http.response.body", body });
    body[0] = 9;
  }));
  const response = await handler(new Request(URL_));
  assertEquals(await response.bytes(), Uint8Array.of(1, 2, 3, 4));
});

Deno.test("toFetch answers HEAD, 204, 205 and 304 without content", async () => {
  for (
    const [method, status] of [["HEAD", 200], ["HEAD", 404], ["GET", 204], [
      "GET",
      205,
    ], ["GET", 304]] as const
  ) {
    const handler = toFetch(http(async (_scope, _receive, send) => {
      const headers = [["x-a", "1"]] as const;
      await send({ type: "http.response.start", status, headers });
      await send({ type: "http.response.body", body: "no", more_body: true });
      await send({ type: "http.response.body", body: "content" });
    }));
    const response = await handler(new Request(URL_, { method }));
    assertEquals(response.status, status);
    assertEquals(response.headers.get("x-a"), "1");
    assertEquals(await response.text(), "");
  }
});

Deno.test("toFetch refuses what fetch can't carry, and goes on", async () => {
  assertEquals(
    await rejections([
      { type: "http.response.early_hint", links: ["</a>"] },
      { type: "http.response.start", status: 200, trailers: true },
      { type: "http.response.start", status: 600 },
      { type: "http.response.start", status: 200 },
      { type: "http.response.pathsend", path: "/etc/hostname" },
      { type: "http.response.trailers" },
    ]),
    [
      "Cannot send http.response.early_hint: fetch can't carry it, and the scope offers it not",
      "Cannot send http.response.start: fetch can't carry trailers",
      "Cannot send http.response.start: fetch carries only statuses 200–599, not 600",
      "Cannot send http.response.pathsend: fetch can't carry it, and the scope offers it not",
      "Cannot send http.response.trailers: fetch can't carry it, and the scope offers it not",
    ],
  );
});

Deno.test("toFetch refuses mistakes as the server does", async () => {
  assertEquals(
    await rejections([
      { type: "http.response.body" },
      { type: "http.response.start", status: "200" },
      { type: "http.response.start", status: 199 },
      { type: "http.nonsense" },
      null,
    ]),
    [
      "Cannot send http.response.body: http.response.start must come first",
      'Cannot send http.response.start: status must be an integer 200–999, not "200"',
      "Cannot send http.response.start: status must be an integer 200–999, not 199",
      'Cannot send event: unknown type "http.nonsense"',
      "Cannot send event: unknown type undefined",
    ],
  );
});

Deno.test("toFetch refuses through the stream of events, too", async () => {
  const handler = toFetch(http(async (_scope, _receive, send) => {
    const writer = send.writable.getWriter();
    await writer.write({ type: "http.response.early_hint", links: [] });
  }));
  await assertRejects(
    () => handler(new Request(URL_)),
    InvalidEventError,
    "Cannot send http.response.early_hint",
  );
});

Deno.test("toFetch offers pathsend where it is given openFile", async () => {
  const opened: string[] = [];
  let closed = 0;
  const openFile = (path: string) => {
    opened.push(path);
    let left = true;
    return Promise.resolve({
      read(target: Uint8Array): Promise<number | null> {
        if (!left) return Promise.resolve(null);
        left = false;
        return Promise.resolve(
          new TextEncoder().encodeInto("a file", target).written,
        );
      },
      seek: () => Promise.resolve(0),
      [Symbol.dispose]: () => void closed++,
    });
  };
  const handler = toFetch(
    http(async ({ extensions }, _receive, send) => {
      assert("http.response.pathsend" in extensions);
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.pathsend", path: "/srv/file" });
    }),
    { openFile },
  );
  const response = await handler(new Request(URL_));
  assertEquals(await response.text(), "a file");
  assertEquals([opened, closed], [["/srv/file"], 1]);
});

Deno.test("toFetch rejects with what the application throws", async () => {
  const error = new Error("It broke");
  const handler = toFetch(http(() => Promise.reject(error)));
  const thrown = await assertRejects(() => handler(new Request(URL_)), Error);
  assert(thrown === error);
});

Deno.test("toFetch answers 500 where onError is called with the error", async () => {
  const errors: unknown[] = [];
  const handler = toFetch(
    http(async (_scope, _receive, send) => {
      await send({ type: "http.response.start", status: 200 });
      throw new Error("It broke");
    }),
    { onError: (error) => errors.push(error) },
  );
  const response = await handler(new Request(URL_));
  assertEquals(response.status, 500);
  assertEquals(await response.text(), "Internal Server Error\n");
  assertEquals(errors.map(String), ["Error: It broke"]);
});

Deno.test("toFetch rejects with what an onError throws", async () => {
  const broken = http(() => Promise.reject(new Error("It broke")));
  const handler = toFetch(broken, { onError: FAILING.throws });
  const thrown = await assertRejects(() => handler(new Request(URL_)));
  assert(thrown === FAILED);
});

Deno.test("toFetch answers 500 where onError rejects, which is too late", async () => {
  const broken = http(() => Promise.reject(new Error("It broke")));
  const handler = toFetch(broken, { onError: FAILING.rejects });
  assertEquals((await handler(new Request(URL_))).status, 500);
});

Deno.test("toFetch says which event was refused, if nobody awaits it", async () => {
  const errors: unknown[] = [];
  const handler = toFetch(
    http(async (_scope, _receive, send) => {
      handled(send({ type: "http.response.start", status: 700 }));
      await Promise.resolve();
    }),
    { onError: (error) => errors.push(error) },
  );
  assertEquals((await handler(new Request(URL_))).status, 500);
  const causes = errors.map((error) => String((error as Error).cause));
  assertEquals(causes, [
    "InvalidEventError: Cannot send http.response.start: fetch carries only statuses 200–599, not 700",
  ]);
});

for (const [how, fail] of Object.entries(FAILING)) {
  Deno.test(`toFetch starts and stops although an onError ${how}`, async () => {
    const broken = Promise.withResolvers<void>();
    const handler = toFetch(async (scope, receive, send) => {
      if (scope.type !== "lifespan") return await respond(send, 204);
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await broken.promise;
    }, { onError: fail });
    await handler.startup();
    broken.reject(new Error("It broke"));
    assertEquals((await handler(new Request(URL_))).status, 204);
    await handler.shutdown();
  });
}

for (const [what, create] of Object.entries(HOSTILE_VALUES)) {
  Deno.test(`toFetch rejects with ${what}, if that is thrown`, async () => {
    const thrown = create();
    const handler = toFetch(http(() => Promise.reject(thrown)));
    const outcome = await handler(new Request(URL_)).then(
      () => ["answered"],
      (error) => [error],
    );
    assert(Object.is(outcome[0], thrown));
  });
}

Deno.test("toFetch rejects if the application returns without a response", async () => {
  const handler = toFetch(http(() => Promise.resolve()));
  await assertRejects(
    () => handler(new Request(URL_)),
    Error,
    "Cannot complete response: the application has returned",
  );
});

Deno.test("toFetch fails a body that ends too soon", async () => {
  const handler = toFetch(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "half", more_body: true });
    throw new Error("It broke");
  }));
  const response = await handler(new Request(URL_));
  assertEquals(response.status, 200);
  await assertRejects(() => response.text(), Error, "It broke");
});

Deno.test("toFetch fails a body that misses its declared length", async () => {
  const errors: unknown[] = [];
  const handler = toFetch(
    http(async (_scope, _receive, send) => {
      const headers = [["content-length", "9"]] as const;
      await send({ type: "http.response.start", status: 200, headers });
      await send({ type: "http.response.body", body: "half", more_body: true });
      await send({ type: "http.response.body" });
    }),
    { onError: (error) => errors.push(error) },
  );
  const response = await handler(new Request(URL_));
  await assertRejects(() => response.text(), Error, "it was cut short");
  assertEquals(errors.map(String), [
    "InvalidEventError: Cannot send http.response.body: 4 bytes where content-length declared 9",
  ]);
});

Deno.test("toFetch reports to the application that the body was cancelled", async () => {
  const reported = Promise.withResolvers<unknown[]>();
  const handler = toFetch(http(async (_scope, receive, send) => {
    await receive();
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "x", more_body: true });
    const event = await receive();
    const late = send({ type: "http.response.body", body: "y" });
    reported.resolve([event, await late.catch((error) => error)]);
  }));
  const response = await handler(new Request(URL_));
  await response.body!.cancel();
  const [event, error] = await bounded(reported.promise, "the disconnect");
  assertEquals(event, { type: "http.disconnect" });
  assertInstanceOf(error, ClientDisconnected);
});

Deno.test("toFetch lets go of a send that waits when the body is cancelled", async () => {
  const reported = Promise.withResolvers<unknown>();
  const handler = toFetch(http(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    const body = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        await send({ type: "http.response.body", body, more_body: true });
      }
    } catch (error) {
      reported.resolve(error);
    }
  }));
  const response = await handler(new Request(URL_));
  for (let turn = 0; turn < 1000; turn++) await undefined;
  await response.body!.cancel();
  const error = await bounded(reported.promise, "the send to reject");
  assertInstanceOf(error, ClientDisconnected);
});

Deno.test("toFetch gives the disconnect when the request is aborted", async () => {
  const events: string[] = [];
  const errors: unknown[] = [];
  const returned = Promise.withResolvers<void>();
  const controller = new AbortController();
  const handler = toFetch(
    http(async (_scope, receive, send) => {
      events.push((await receive()).type);
      queueMicrotask(() => controller.abort());
      events.push((await receive()).type);
      returned.resolve();
      await respond(send, 200);
    }),
    { onError: (error) => errors.push(error) },
  );
  const request = new Request(URL_, { signal: controller.signal });
  const response = await bounded(handler(request), "any response");
  await bounded(returned.promise, "the disconnect");
  assertEquals(events, ["http.request", "http.disconnect"]);
  assertEquals(response.status, 499);
  assertEquals(errors, []);
});

Deno.test("toFetch reports what the application throws as it starts", async () => {
  const errors: unknown[] = [];
  const handler = toFetch(async (scope, receive, send) => {
    if (scope.type !== "lifespan") return await respond(send, 204);
    await receive();
    throw new Error("No database");
  }, { onError: (error) => errors.push(error) });
  assertEquals((await handler(new Request(URL_))).status, 204);
  assertEquals(errors.map(String), ["Error: No database"]);
});

Deno.test("toFetch starts the application once, before its first request", async () => {
  const order: string[] = [];
  const handler = toFetch(async (scope, receive, send) => {
    if (scope.type === "lifespan") {
      order.push((await receive()).type);
      await undefined;
      scope.state.answer = 42;
      await send({ type: "lifespan.startup.complete" });
      order.push((await receive()).type);
      await send({ type: "lifespan.shutdown.complete" });
    } else if (scope.type === "http") {
      order.push(scope.path);
      await respond(send, 200, { body: String(scope.state?.answer) });
    }
  });
  const paths = ["a", "b"];
  const responses = await Promise.all(
    paths.map((path) => handler(new Request(URL_ + path))),
  );
  for (const response of responses) assertEquals(await response.text(), "42");
  await handler.shutdown();
  await handler.shutdown();
  assertEquals(order, ["lifespan.startup", "/a", "/b", "lifespan.shutdown"]);
  assertEquals((await handler(new Request(URL_))).status, 503);
});

Deno.test("toFetch fails every request if the application fails to start", async () => {
  let calls = 0;
  const app: AsgiApp = async (_scope, receive, send) => {
    calls++;
    await receive();
    await send({ type: "lifespan.startup.failed", message: "No database" });
  };
  const handler = toFetch(app);
  for (let i = 0; i < 2; i++) {
    await assertRejects(
      () => handler(new Request(URL_)),
      LifespanError,
      "Cannot start application: No database",
    );
  }
  await assertRejects(() => handler.startup(), LifespanError, "No database");
  assertEquals(calls, 1);
  const errors: unknown[] = [];
  const telling = toFetch(app, { onError: (error) => errors.push(error) });
  assertEquals((await telling(new Request(URL_))).status, 500);
  assertInstanceOf(errors[0], LifespanError);
});

Deno.test("toFetch outlives a runtime whose info fails", async () => {
  const info = {
    get remoteAddr() {
      throw FAILED;
    },
  };
  const errors: unknown[] = [];
  const app = http((_scope, _receive, send) => respond(send, 200));
  const reporting = toFetch(app, { onError: (error) => errors.push(error) });
  const response = await bounded(reporting(new Request(URL_), info), "a 500");
  assertEquals([response.status, errors], [500, [FAILED]]);
  const failing = toFetch(app)(new Request(URL_), info);
  const error = await assertRejects(() => bounded(failing, "the rejection"));
  assertEquals(error, FAILED);
});

Deno.test("toFetch leaves lifespan out where it is off", async () => {
  const types: string[] = [];
  await using handler = toFetch(async (scope, _receive, send) => {
    types.push(scope.type);
    await respond(send, 200);
  }, { lifespan: "off" });
  await handler(new Request(URL_));
  assertEquals(types, ["http"]);
});

Deno.test("toFetch refuses requests that a shutdown overtakes", async () => {
  const types: string[] = [];
  const handler = toFetch(async (scope, receive, send) => {
    types.push(scope.type);
    if (scope.type !== "lifespan") return await respond(send, 200);
    await receive();
    await send({ type: "lifespan.startup.complete" });
    await receive();
    await send({ type: "lifespan.shutdown.complete" });
  });
  const answering = handler(new Request(URL_));
  await handler.shutdown();
  assertEquals((await answering).status, 503);
  assertEquals(types, ["lifespan"]);
});

Deno.test("toFetch lets running calls end before it stops the application", async () => {
  const order: string[] = [];
  const handler = toFetch(async (scope, receive, send) => {
    if (scope.type === "lifespan") {
      await receive();
      await send({ type: "lifespan.startup.complete" });
      await receive();
      order.push("stopped");
      await send({ type: "lifespan.shutdown.complete" });
    } else if (scope.type === "http") {
      const signal = scope.extensions["server.shutdown"]!.signal;
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "a", more_body: true });
      if (!signal.aborted) await once(signal, "abort");
      order.push("noticed");
      await send({ type: "http.response.body", body: "b" });
    }
  });
  const response = await handler(new Request(URL_));
  await bounded(handler.shutdown(), "the shutdown");
  assertEquals(order, ["noticed", "stopped"]);
  assertEquals(await response.text(), "ab");
});

Deno.test("toFetch refuses WebSockets where it is given no upgrade", async () => {
  let called = false;
  const handler = toFetch(http(() => {
    called = true;
    return Promise.resolve();
  }));
  const headers = { connection: "upgrade", upgrade: "websocket" };
  const response = await handler(new Request(URL_, { headers }));
  assertEquals(response.status, 501);
  assertEquals(await response.text(), "Not Implemented\n");
  assert(!called);
});
