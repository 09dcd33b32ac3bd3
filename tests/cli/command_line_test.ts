// From arguments and environment variables to settings: which wins, what
// belongs together, and what is said of what is wrong.

import { assertEquals } from "@std/assert";
import { parseCommandLine } from "../../src/cli/command_line.ts";
import { DEFAULT_SETTINGS } from "../../src/cli/settings.ts";
import { assertRefused, optionsFor, settingsFor } from "./_settings.ts";

Deno.test("a module alone is served with every default", () => {
  assertEquals(settingsFor(["main.ts"]), {
    ...DEFAULT_SETTINGS,
    app: { module: "main.ts", name: "default", factory: false },
  });
});

Deno.test("the application's export and --factory are kept", () => {
  assertEquals(settingsFor(["--factory", "main.ts:create"]).app, {
    module: "main.ts",
    name: "create",
    factory: true,
  });
});

Deno.test("a module after -- may begin with dashes", () => {
  assertEquals(settingsFor(["--", "--main.ts"]).app.module, "--main.ts");
});

Deno.test("a module whose name is a number stays a text", () => {
  assertEquals(settingsFor(["1e3"]).app.module, "1e3");
});

Deno.test("options are read with and without an equals sign", () => {
  const expected = { port: 0, maxBodyBytes: 16_777_216, pingTimeout: Infinity };
  const separate = ["--port", "0", "--max-body-bytes", "16MiB"];
  const joined = ["--port=0", "--max-body-bytes=16MiB"];
  const ping = ["--ping-timeout", "none"];
  assertEquals(optionsFor([...separate, ...ping]), expected);
  assertEquals(optionsFor([...joined, ...ping]), expected);
});

Deno.test("--host is --hostname", () => {
  assertEquals(optionsFor(["--host", "::"]), { hostname: "::" });
});

Deno.test("the last of a repeated flag counts", () => {
  assertEquals(optionsFor(["--port", "1", "--port", "2"]), { port: 2 });
});

Deno.test("switches are turned on and off", () => {
  assertEquals(optionsFor(["--no-compression"]), { compression: false });
  assertEquals(optionsFor(["--compression"]), { compression: true });
  assertEquals(optionsFor(["--compression=false"]), { compression: false });
  assertEquals(settingsFor(["--reload", "main.ts"]).reload, true);
});

Deno.test("a field's value may be none", () => {
  assertEquals(optionsFor(["--server-header", "none"]), { serverHeader: null });
});

Deno.test("settings of the command are read", () => {
  const args = [
    ...["--workers", "auto", "--max-requests", "1000"],
    ...["--max-requests-jitter", "50", "--max-worker-memory", "1GiB"],
    ...["--log-level", "debug", "--log-format", "json", "--access-log", "%h"],
  ];
  assertEquals(settingsFor([...args, "main.ts"]), {
    ...DEFAULT_SETTINGS,
    app: { module: "main.ts", name: "default", factory: false },
    workers: "auto",
    maxRequests: 1000,
    maxRequestsJitter: 50,
    maxWorkerMemory: 1024 ** 3,
    logLevel: "debug",
    logFormat: "json",
    accessLog: "%h",
  });
});

Deno.test("environment variables count where there is no flag", () => {
  const env = { ASGI_PORT: "80", ASGI_COMPRESSION: "0", ASGI_WORKERS: "2" };
  assertEquals(optionsFor([], env), { port: 80, compression: false });
  assertEquals(settingsFor(["main.ts"], env).workers, 2);
  assertEquals(optionsFor(["--port=1", "--compression"], env), {
    port: 1,
    compression: true,
  });
});

Deno.test("an empty environment variable counts as absent", () => {
  assertEquals(optionsFor([], { ASGI_PORT: "", ASGI_LISTEN: "" }), {});
});

Deno.test("variables of repeatable flags are lists, which a flag replaces", () => {
  const env = { ASGI_RELOAD: "true", ASGI_RELOAD_PATH: "a,b" };
  assertEquals(settingsFor(["main.ts"], env).reloadPaths, ["a", "b"]);
  const args = ["main.ts", "--reload-path", "c", "--reload-path", "d,e"];
  assertEquals(settingsFor(args, env).reloadPaths, ["c", "d,e"]);
});

Deno.test("help and version are given whatever else there is", () => {
  for (const flag of ["--help", "-h"]) {
    const args = ["--wrong", flag, "--port", "x"];
    assertEquals(parseCommandLine(args, () => "x"), { type: "help" });
  }
  for (const flag of ["--version", "-V"]) {
    assertEquals(parseCommandLine([flag], () => "x"), { type: "version" });
  }
});

/** What is refused, and what is said. */
const REFUSED: [args: string[], message: string][] = [
  [[], "No application given, such as main.ts"],
  [["--port", "1"], "No application given, such as main.ts"],
  [
    ["a.ts", "b.ts"],
    'Only one application can be served, but "b.ts" follows "a.ts"',
  ],
  [["a.ts:"], 'The application must be MODULE or MODULE:NAME, not "a.ts:"'],
  [[":app"], 'The application must be MODULE or MODULE:NAME, not ":app"'],
  [["a.ts", "--prot", "1"], 'Unknown flag "--prot"; did you mean "--port"?'],
  [["a.ts", "--prot=1"], 'Unknown flag "--prot"; did you mean "--port"?'],
  [
    ["a.ts", "--no-compresion"],
    'Unknown flag "--no-compresion"; did you mean "--no-compression"?',
  ],
  [["a.ts", "--no-port"], 'Unknown flag "--no-port"; did you mean "--port"?'],
  [["a.ts", "--wsgi"], 'Unknown flag "--wsgi"'],
  [["a.ts", "-p", "1"], 'Unknown flag "-p"'],
  [["a.ts", "-port", "1"], 'Unknown flag "-port"; did you mean "--port"?'],
  [["a.ts", "--port"], "--port needs a value: a port from 0 to 65535"],
  [["a.ts", "--port="], "--port needs a value: a port from 0 to 65535"],
  [
    ["a.ts", "--port", "--reload"],
    "--port needs a value: a port from 0 to 65535",
  ],
  [
    ["a.ts", "--port", "http"],
    '--port must be a port from 0 to 65535, not "http"',
  ],
  [["a.ts", "--reload=maybe"], '--reload must be true or false, not "maybe"'],
  [
    ["a.ts", "--body-timeout", "30"],
    '--body-timeout needs a unit: "30s" for seconds, "30ms" for milliseconds',
  ],
  [
    ["a.ts", "--lifespan", "yes"],
    '--lifespan must be auto, on or off, not "yes"',
  ],
  [
    ["a.ts", "--listen", "localhost:80"],
    '--listen must be http://HOST:PORT, https://HOST:PORT or unix:PATH, not "localhost:80"',
  ],
  [
    ["a.ts", "--listen", "http://a:70000"],
    '--listen must be http://HOST:PORT, https://HOST:PORT or unix:PATH, not "http://a:70000"',
  ],
  [
    ["a.ts", "--listen", "http://a:1/b"],
    '--listen must be http://HOST:PORT, https://HOST:PORT or unix:PATH, not "http://a:1/b"',
  ],
  [
    ["a.ts", "--listen", "https://a:1"],
    "--listen with https:// needs --cert and --key",
  ],
  [
    ["a.ts", "--listen", "http://a:1", "--cert", "c", "--key", "k"],
    "--cert is for an https:// address, and none is listened on",
  ],
  [
    ["a.ts", "--listen", "http://a:1", "--port", "1"],
    "--listen and --port exclude each other",
  ],
  [
    ["a.ts", "--unix", "a", "--hostname", "::"],
    "--unix and --hostname exclude each other",
  ],
  [["a.ts", "--cert", "c"], "--cert needs --key"],
  [["a.ts", "--key", "k"], "--key needs --cert"],
  [["a.ts", "--alpn", "http/1.1"], "--alpn needs --cert"],
  [
    ["a.ts", "--alpn", "h3", "--cert", "c", "--key", "k"],
    '--alpn must be h2 or http/1.1, not "h3"',
  ],
  [["a.ts", "--unix-mode", "660"], "--unix-mode needs --unix"],
  [
    ["a.ts", "--reload", "--workers", "2"],
    "--reload and --workers exclude each other",
  ],
  [["a.ts", "--reload-path", "b"], "--reload-path needs --reload"],
  [
    ["a.ts", "--max-requests-jitter", "5"],
    "--max-requests-jitter needs --max-requests",
  ],
];

for (const [args, message] of REFUSED) {
  Deno.test(`[${args.join(" ")}] is refused: ${message}`, () => {
    assertRefused(args, message);
  });
}

Deno.test("what is wrong in a variable is said of the variable", () => {
  assertRefused(["a.ts"], 'ASGI_PORT must be a port from 0 to 65535, not "x"', {
    ASGI_PORT: "x",
  });
  assertRefused(["a.ts"], "ASGI_CERT needs --key", { ASGI_CERT: "c" });
  assertRefused(["a.ts"], "ASGI_UNIX and ASGI_PORT exclude each other", {
    ASGI_PORT: "1",
    ASGI_UNIX: "a",
  });
  assertRefused(["a.ts"], 'ASGI_RELOAD must be true or false, not "x"', {
    ASGI_RELOAD: "x",
  });
});

Deno.test("a wrong variable is no matter where a flag wins over it", () => {
  assertEquals(optionsFor(["--port", "1"], { ASGI_PORT: "x" }), { port: 1 });
});

Deno.test("--metrics takes an address with a port, and nothing else", () => {
  const metricsFor = (text: string) =>
    settingsFor(["a.ts", `--metrics=${text}`]).metrics;
  assertEquals(metricsFor("127.0.0.1:9090"), {
    hostname: "127.0.0.1",
    port: 9090,
  });
  assertEquals(metricsFor("[::1]:0"), { hostname: "::1", port: 0 });
  assertEquals(settingsFor(["a.ts"]).metrics, null);
  for (
    const text of ["9090", "localhost", "a:65536", "a:1/", "http://a:1"]
  ) {
    assertRefused(
      ["a.ts", `--metrics=${text}`],
      `--metrics must be an address and a port, such as 127.0.0.1:9090, not "${text}"`,
    );
  }
});
