// `serve`: where it listens, what it says, which options it refuses, and how
// long it keeps its process alive. Everything runs over sockets of the loopback
// interface; what concerns the life of a process runs in one of its own.

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
import { bounded, netTest, start, until } from "../e2e/_testing.ts";

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
    // Another process may hold the port: it is taken now.
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
    'the app must be a function, not "app"',
  );
});

Deno.test("serve refuses options that are no object", () => {
  for (const options of [8000, "127.0.0.1", null]) {
    assertThrows(
      () => serve(pathApp, options as unknown as ServeOptions),
      TypeError,
      "Cannot serve: the options must be an object, not ",
    );
  }
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

// Starting.

netTest("a server loads no timers before its first answer", async () => {
  const { stdout } = await runScript(`
    const asked = [];
    for (const name of ["setTimeout", "clearTimeout"]) {
      Object.defineProperty(globalThis, name, { get: () => void asked.push(name) });
    }
    const app = (scope, _receive, send) => {
      if (scope.type === "http") return respond(send, 200, { body: "Hello" });
      throw new TypeError("Unknown scope");
    };
    const server = serve(app, { port: 0 });
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n"));
    await conn.read(new Uint8Array(1000));
    console.log(asked);
    Deno.exit();
  `);
  assertEquals(stdout, "[]\n");
}, { permissions: ["run"] });

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
    args: ["eval", `import { respond, serve } from "${MOD_URL}";\n${script}`],
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
