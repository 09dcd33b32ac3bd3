// `serve` and the `Server` that it returns: where it listens, what it says,
// which options it refuses, and how it stops. Everything runs over sockets of
// the loopback interface; what concerns the life of a process runs in one of
// its own.

import {
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type AsgiApp,
  respond,
  serve,
  type ServeOptions,
  type ServerAddress,
} from "../../mod.ts";
import { http, pathApp } from "../e2e/_apps.ts";
import { request } from "../e2e/_raw_client.ts";
import {
  bounded,
  netTest,
  pause,
  start,
  type TestServer,
  until,
} from "../e2e/_testing.ts";

const MOD_URL = new URL("../../mod.ts", import.meta.url).href;

// Listening.

netTest("serve binds before it returns", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  await client.get("/hello");
  assertEquals((await client.readResponse()).body, "/hello");
});

netTest("serve takes a free port for port 0, and says which", async () => {
  await using server = start(pathApp);
  const { addr, url } = server.server;
  assertEquals(addr.transport, "tcp");
  assertEquals(addr.hostname, "127.0.0.1");
  assertNotEquals(addr.port, 0);
  assertEquals(url, `http://127.0.0.1:${addr.port}/`);
});

netTest("serve listens on the hostname that it is given", async () => {
  await using server = start(pathApp, { hostname: "0.0.0.0" });
  assertEquals(server.server.addr.hostname, "0.0.0.0");
  assertEquals(server.url, `http://127.0.0.1:${server.port}/`);
  using client = await server.connect();
  await client.get("/");
  assertEquals((await client.readResponse()).status, 200);
});

netTest(
  "the scope names both ends of the connection",
  async () => {
    const app = http(async ({ client, server }, _receive, send) => {
      await respond(send, 200, { body: JSON.stringify({ client, server }) });
    });
    await using server = start(app);
    using client = await server.connect();
    await client.get("/");
    assertEquals(JSON.parse((await client.readResponse()).body), {
      client: ["127.0.0.1", client.port],
      server: ["127.0.0.1", server.port],
    });
  },
);

netTest(
  "serve gives IPv4 clients of a dual-stack listener their IPv4 address",
  async () => {
    const app = http(async ({ client }, _receive, send) => {
      await respond(send, 200, { body: client?.[0] ?? "none" });
    });
    await using server = start(app, { hostname: "::" });
    assertEquals(server.url, `http://[::1]:${server.port}/`);
    using client = await server.connect();
    await client.get("/");
    assertEquals((await client.readResponse()).body, "127.0.0.1");
  },
  { lacks: hasIpv6() ? undefined : "there is no IPv6 here" },
);

netTest("serve throws at once if the port is taken, and says which", () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  assertThrows(
    () => serve(pathApp, { port }),
    Deno.errors.AddrInUse,
    `Cannot listen on 127.0.0.1:${port}: the address is already in use`,
  );
});

netTest(
  "serve listens on 127.0.0.1:8000 unless an option says otherwise",
  () => {
    // Whoever holds the port, it is taken now.
    using _taken = listenIfFree("127.0.0.1", 8000);
    assertThrows(
      () => serve(pathApp),
      Deno.errors.AddrInUse,
      "127.0.0.1:8000",
    );
  },
);

netTest("serve names the address that it cannot have", () => {
  // An address of a range that is kept for documentation.
  const error = assertThrows(
    () => serve(pathApp, { hostname: "192.0.2.1", port: 0 }),
    Error,
    "Cannot listen on 192.0.2.1:0: ",
  );
  assertInstanceOf(error.cause, Error);
});

netTest("onListen is called with the address, once it listens", async () => {
  const { promise, resolve } = Promise.withResolvers<ServerAddress>();
  const server = serve(pathApp, { port: 0, onListen: resolve });
  assertEquals(await promise, server.addr);
  await server.shutdown();
});

netTest("the URL is logged where there is no onListen", async () => {
  const messages: string[] = [];
  const server = serve(pathApp, {
    port: 0,
    log: ({ level, message }) => {
      if (level !== "debug") messages.push(`${level}: ${message}`);
    },
  });
  await until(() => messages.length > 0);
  await server.shutdown();
  assertEquals(messages, [`info: Listening on ${server.url}`]);
});

netTest(
  "serve logs to stderr by default, and keeps debug to itself",
  async () => {
    const { stdout, stderr } = await runScript(`
    const app = async (scope, receive, send) => {
      if (scope.type !== "http") throw new TypeError("Unknown scope");
      if (scope.path === "/fail") throw new Error("Out of order");
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body" });
      await send({ type: "http.response.body" }); // ignored: debug
    };
    const server = serve(app, { port: 0 });
    for (const path of ["fail", "late"]) {
      await (await fetch(server.url + path)).text();
    }
    await server.shutdown();
    console.log(server.url);
  `);
    const lines = stderr.split("\n");
    assertStringIncludes(lines[0], ` info  Listening on ${stdout.trim()}`);
    assertStringIncludes(lines[1], " error The application failed");
    assertStringIncludes(stderr, "Out of order");
    assertEquals(stderr.includes("debug"), false);
  },
  { permissions: ["run"] },
);

// Wrong arguments.

Deno.test("serve refuses an app that is no function", () => {
  assertThrows(
    () => serve("app" as unknown as AsgiApp, { port: 0 }),
    TypeError,
    "the app must be a function, not app",
  );
});

const WRONG_OPTIONS: [Record<string, unknown>, typeof Error, string][] = [
  [{ port: 65_536 }, RangeError, '"port" must be a whole number from 0'],
  [{ port: -1 }, RangeError, '"port"'],
  [{ port: 1.5 }, RangeError, '"port"'],
  [{ port: "80" }, TypeError, '"port"'],
  [{ hostname: null }, TypeError, '"hostname" must be a string'],
  [{ signal: {} }, TypeError, '"signal" must be an AbortSignal'],
  [{ onListen: true }, TypeError, '"onListen" must be a function'],
  [{ log: "info" }, TypeError, '"log" must be a function'],
  [{ headerTimeout: 0 }, RangeError, '"headerTimeout" must be a number'],
  [{ bodyTimeout: NaN }, RangeError, '"bodyTimeout" must be a number'],
  [{ maxHeaders: 0 }, RangeError, '"maxHeaders" must be a whole number'],
  [{ maxConnections: 2.5 }, RangeError, '"maxConnections" must be a whole'],
  [{ dateHeader: "no" }, TypeError, '"dateHeader" must be a boolean'],
  [{ serverHeader: "a\r\nb" }, TypeError, '"serverHeader" must be a field'],
];

Deno.test("serve refuses an option with a wrong value, and names it", () => {
  for (const [options, ErrorClass, message] of WRONG_OPTIONS) {
    assertThrows(
      () => serve(pathApp, options as ServeOptions),
      ErrorClass,
      `Cannot serve: option ${message}`,
    );
  }
});

Deno.test("serve refuses an option that it does not know", () => {
  for (const name of ["prot", "toString", "__proto__"]) {
    const options = Object.fromEntries([[name, 80]]) as ServeOptions;
    assertThrows(
      () => serve(pathApp, options),
      TypeError,
      `Cannot serve: unknown option "${name}"`,
    );
  }
});

netTest("an option that is undefined counts as absent", async () => {
  await using server = start(pathApp, { hostname: undefined });
  assertEquals(server.server.addr.hostname, "127.0.0.1");
});

// Stopping.

netTest("shutdown ends a server that nobody is connected to", async () => {
  const server = start(pathApp);
  await server.server.shutdown();
  await server.server.finished;
  await assertRefused(server);
});

netTest("a server can be shut down before it has listened", async () => {
  let listened = false;
  const server = start(pathApp, { onListen: () => listened = true });
  await server.server.shutdown();
  assertEquals(listened, false);
  await assertRefused(server);
});

netTest("the signal shuts the server down", async () => {
  const controller = new AbortController();
  await using server = start(pathApp, { signal: controller.signal });
  using client = await server.connect();
  await client.get("/");
  await client.readResponse();
  controller.abort();
  await server.server.finished;
  assertEquals(await client.readToEnd(), "");
});

netTest(
  "a signal that is aborted already ends the server at once",
  async () => {
    const server = start(pathApp, { signal: AbortSignal.abort() });
    await server.server.finished;
    await assertRefused(server);
  },
);

netTest("await using shuts the server down", async () => {
  let finished: Promise<void>;
  {
    await using server = serve(pathApp, { port: 0, onListen: () => {} });
    finished = server.finished;
  }
  assertEquals(await settled(finished), true);
});

netTest("finished is pending while the server runs", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  await client.get("/");
  await client.readResponse();
  assertEquals(await settled(server.server.finished), false);
});

netTest("shutdown closes idle connections at once", async () => {
  await using server = start(pathApp);
  using fresh = await server.connect();
  using used = await server.connect();
  await used.get("/");
  await used.readResponse();
  const stopped = server.server.shutdown({ timeout: Infinity });
  assertEquals(await used.readToEnd(), "");
  assertEquals(await fresh.readToEnd(), "");
  await stopped;
});

netTest(
  "shutdown lets a response in flight end, with connection: close",
  async () => {
    const gate = new Gate();
    await using server = start(gate.app);
    using client = await server.connect();
    await client.get("/");
    await gate.entered;
    const stopped = server.server.shutdown({ timeout: Infinity });
    await until(() => isRefused(server));
    gate.open();
    const { status, headers, body } = await client.readResponse();
    assertEquals([status, body], [200, "through"]);
    assertEquals(headers.get("connection"), "close");
    assertEquals(await client.readToEnd(), "");
    client.close();
    await stopped;
  },
);

netTest(
  "shutdown answers a request whose head has begun to arrive",
  async () => {
    await using server = start(pathApp);
    using client = await server.connect();
    // A first request shows that the connection has been accepted.
    await client.send(request("GET", "/1") + "GET /2 HTTP/1.1\r\n");
    await client.readResponse();
    const stopped = server.server.shutdown({ timeout: Infinity });
    await client.send("host: test\r\n\r\n");
    const { body, headers } = await client.readResponse();
    assertEquals(body, "/2");
    assertEquals(headers.get("connection"), "close");
    client.close();
    await stopped;
  },
);

netTest("shutdown cuts what is left at its timeout", async () => {
  const gate = new Gate();
  await using server = start(gate.app);
  using client = await server.connect();
  await client.get("/");
  await gate.entered;
  await server.server.shutdown({ timeout: 20 });
  await server.server.finished;
  await client.waitForClose();
  gate.open();
  assertInstanceOf(await gate.sent, Error);
});

netTest("shutdown with a timeout of 0 cuts at once", async () => {
  const gate = new Gate();
  await using server = start(gate.app);
  using client = await server.connect();
  await client.get("/");
  await gate.entered;
  await server.server.shutdown({ timeout: 0 });
  await client.waitForClose();
  gate.open();
  assertInstanceOf(await gate.sent, Error);
});

netTest("shutdown takes its timeout from shutdownTimeout", async () => {
  const gate = new Gate();
  await using server = start(gate.app, { shutdownTimeout: 20 });
  using client = await server.connect();
  await client.get("/");
  await gate.entered;
  await server.server.shutdown();
  await client.waitForClose();
  gate.open();
  assertInstanceOf(await gate.sent, Error);
});

netTest("a second shutdown can be more urgent than the first", async () => {
  const gate = new Gate();
  await using server = start(gate.app);
  using client = await server.connect();
  await client.get("/");
  await gate.entered;
  const patient = server.server.shutdown({ timeout: Infinity });
  assertEquals(await settled(patient), false);
  await server.server.shutdown({ timeout: 0 });
  await patient;
  gate.open();
  assertInstanceOf(await gate.sent, Error);
});

netTest("a server that has finished can be shut down again", async () => {
  const notes: string[] = [];
  const app: AsgiApp = async (scope, receive, send) => {
    if (scope.type !== "lifespan") throw new TypeError("Unknown scope");
    for await (const { type } of receive) {
      notes.push(type);
      await send({ type: `${type as "lifespan.startup"}.complete` });
    }
  };
  const server = start(app);
  await server.server.shutdown();
  await server.server.shutdown();
  await server.server.shutdown({ timeout: 0 });
  assertEquals(notes, ["lifespan.startup", "lifespan.shutdown"]);
  await assertRefused(server);
});

netTest(
  "shutdown waits for an app that runs on after its response",
  async () => {
    const gate = new Gate();
    const app = http(async (_scope, _receive, send) => {
      await respond(send, 200, { body: "done" });
      await gate.pass();
    });
    await using server = start(app);
    {
      using client = await server.connect();
      await client.get("/");
      assertEquals((await client.readResponse()).body, "done");
    }
    const stopped = server.server.shutdown({ timeout: Infinity });
    assertEquals(await settled(stopped), false);
    gate.open();
    await stopped;
  },
);

// Keeping the process alive.

netTest("a server keeps its process alive until it is shut down", async () => {
  const { stdout } = await runScript(`
    let ticks = 0;
    const server = serve(() => { throw new TypeError(); }, { port: 0, onListen() {
      const timer = setInterval(() => {
        console.log("alive");
        if (++ticks === 3) { clearInterval(timer); server.shutdown(); }
      }, 20);
      Deno.unrefTimer(timer);
    } });
    await server.finished;
    console.log("finished");
  `);
  assertEquals(stdout, "alive\nalive\nalive\nfinished\n");
}, { permissions: ["run"] });

netTest("a server that was unref'd lets its process end", async () => {
  const { stdout, success } = await runScript(`
    const server = serve(() => { throw new TypeError(); }, { port: 0, onListen: () => {} });
    server.unref();
    console.log("end of script");
  `);
  assertEquals([stdout, success], ["end of script\n", true]);
}, { permissions: ["run"] });

netTest("a server that was ref'd again keeps its process alive", async () => {
  const { stdout } = await runScript(`
    const server = serve(() => { throw new TypeError(); }, { port: 0, onListen: () => {} });
    server.unref();
    server.ref();
    const timer = setTimeout(() => {
      console.log("alive");
      server.shutdown();
    }, 50);
    Deno.unrefTimer(timer);
  `);
  assertEquals(stdout, "alive\n");
}, { permissions: ["run"] });

netTest(
  "idle connections do not keep a process that was shut down",
  async () => {
    const { stdout, success } = await runScript(`
    const app = async (scope, receive, send) => {
      if (scope.type !== "http") throw new TypeError("Unknown scope");
      await send({ type: "http.response.start", status: 204 });
      await send({ type: "http.response.body" });
    };
    const server = serve(app, { port: 0, onListen: () => {} });
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n"));
    await conn.read(new Uint8Array(1000));
    await server.shutdown();
    console.log("finished");
  `);
    assertEquals([stdout, success], ["finished\n", true]);
  },
  { permissions: ["run"] },
);

/** An app that waits in the middle, until a test lets it go on. */
class Gate {
  readonly #entered = Promise.withResolvers<void>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #sent = Promise.withResolvers<unknown>();

  /** Resolves when a request has come to the gate. */
  get entered(): Promise<void> {
    return this.#entered.promise;
  }

  /** What became of the response: the error of its send, if there was one. */
  get sent(): Promise<unknown> {
    return this.#sent.promise;
  }

  /** Lets requests through. */
  open(): void {
    this.#opened.resolve();
  }

  /** Waits at the gate. */
  async pass(): Promise<void> {
    this.#entered.resolve();
    await this.#opened.promise;
  }

  /** Answers after the gate. */
  readonly app: AsgiApp = http(async (_scope, _receive, send) => {
    await this.pass();
    try {
      await respond(send, 200, { body: "through" });
      this.#sent.resolve(undefined);
    } catch (error) {
      this.#sent.resolve(error);
    }
  });
}

/** Whether a promise is settled after a while. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await pause(30);
  return isSettled;
}

/**
 * Checks that a client that comes now is not served: it is refused, unless the
 * system took it just before the listener closed; then it is reset, or closed.
 */
async function assertRefused({ connect }: TestServer): Promise<void> {
  let answer = "";
  try {
    using client = await connect();
    await client.get("/");
    answer = await client.readToEnd();
  } catch (error) {
    const { ConnectionRefused, ConnectionReset, BrokenPipe } = Deno.errors;
    const expected = [ConnectionRefused, ConnectionReset, BrokenPipe];
    if (!expected.some((kind) => error instanceof kind)) throw error;
  }
  assertEquals(answer, "");
}

/** Whether a client that comes now is refused. */
async function isRefused({ connect }: TestServer): Promise<boolean> {
  try {
    (await connect()).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

function listenIfFree(hostname: string, port: number): Disposable {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return { [Symbol.dispose]: () => {} };
  }
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

/** Runs a script that has `serve`, in a process of its own. */
async function runScript(
  script: string,
): Promise<{ stdout: string; stderr: string; success: boolean }> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", `import { serve } from "${MOD_URL}";\n${script}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  try {
    const output = process.output();
    const { stdout, stderr, success } = await bounded(output, "the script");
    const decoder = new TextDecoder();
    return {
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
      success,
    };
  } catch (error) {
    process.kill("SIGKILL");
    throw error;
  }
}
