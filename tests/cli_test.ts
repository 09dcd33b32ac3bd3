// The command as its users meet it: what it prints, what it serves, how it
// ends, and which permissions it needs.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { VERSION } from "../src/cli/version.ts";
import { createCertificate } from "./e2e/_certificates.ts";
import {
  Command,
  type CommandOptions,
  commandTest,
  folder,
  LIBRARY,
  run,
} from "./cli/_command.ts";
import type { Ended } from "./_process.ts";

const FILES = {
  "main.ts": `
import { respond } from "${LIBRARY}";
const hello = (text) => async (scope, receive, send) => {
  if (scope.type !== "http") throw new TypeError("No " + scope.type);
  if (scope.path === "/never") {
    console.error("is asked for /never");
    await new Promise(() => setInterval(() => {}, 1e9));
  }
  await respond(send, 200, { body: text });
};
export default hello("default");
export const other = hello("other");
export const create = () => Promise.resolve(hello("created"));
`,
  "throws.ts": 'throw new Error("no such table");',
  "imports_missing.ts": 'import "./gone.ts";',
  "fails.ts": `
export default async (scope, receive, send) => {
  if (scope.type !== "lifespan") return;
  await receive();
  await send({ type: "lifespan.startup.failed", message: "no database" });
};
`,
  "busy.ts": "setInterval(() => {}, 1000); export default () => {};",
};

/** Declares a test with the application's files in a folder of its own. */
function appTest(
  name: string,
  fn: (options: CommandOptions) => Promise<void>,
): void {
  commandTest(name, async () => {
    await using files = await folder(FILES);
    await fn({ cwd: files.path });
  });
}

/** Asserts that it has ended with one line on stderr, and nothing else. */
function assertFailed(
  { code, stdout, stderr }: Ended,
  expectedCode: number,
  message: RegExp,
): void {
  assertMatch(stderr, /^.*\n$/, "More than a line");
  assertMatch(stderr, message);
  assertEquals({ code, stdout }, { code: expectedCode, stdout: "" });
}

async function get(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  return await response.text();
}

/** What comes back over a unix socket. */
async function getByUnixSocket(path: string): Promise<string> {
  using conn = await Deno.connect({ transport: "unix", path });
  const head = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  await conn.write(new TextEncoder().encode(head));
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(1024);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    chunks.push(buffer.slice(0, n));
  }
  return await new Blob(chunks).text();
}

appTest(
  "it says what it serves and where, and logs requests",
  async (options) => {
    await using command = new Command(["main.ts", "--port=0"], options);
    const url = await command.url();
    assertEquals(await get(`${url}a?b`), "default");
    command.kill("SIGINT");
    const { code, stdout, stderr } = await command.end();
    assertEquals(code, 0);
    assertMatch(
      stderr,
      new RegExp(`x-asgi ${VERSION} serves main.ts at ${url}\n`),
    );
    assertMatch(
      stdout,
      /^127\.0\.0\.1 - - \[.+\] "GET \/a\?b HTTP\/1\.1" 200 7\n$/,
    );
  },
);

appTest(
  "it says what is bound where that is every address",
  async (options) => {
    const args = ["main.ts", "--host=0.0.0.0", "--port=0"];
    await using command = new Command(
      [...args, "--metrics=0.0.0.0:0"],
      options,
    );
    const [, port, url] = await command.printed(
      / serves main\.ts at http:\/\/0\.0\.0\.0:(\d+)\/ \(try (http:\S+)\)\n/,
    );
    assertEquals(url, `http://127.0.0.1:${port}/`);
    assertEquals(await get(url), "default");
    const [, metrics] = await command.printed(
      / at http:\/\/0\.0\.0\.0:\d+\/metrics \(try (http:\S+)\)\n/,
    );
    assertMatch(await get(metrics), /^asgi_ready 1$/m);
    command.kill("SIGTERM");
    assertEquals(await command.exitCode(), 0);
  },
);

appTest(
  "it serves another export, and what a factory makes",
  async (options) => {
    await using other = new Command(["main.ts:other", "--port=0"], options);
    const factory = ["main.ts:create", "--factory", "--port=0"];
    await using created = new Command(factory, options);
    assertEquals(await get(await other.url()), "other");
    assertEquals(await get(await created.url()), "created");
  },
);

appTest(
  "a first signal drains and says so, a second one cuts",
  async (options) => {
    await using command = new Command(["main.ts", "--port=0"], options);
    const url = await command.url();
    const lost = fetch(`${url}never`).then(() => "answered", () => "cut");
    await command.printed(/is asked for \/never/);
    command.kill("SIGINT");
    await command.printed(/SIGINT: shutting down within 10 s; another signal/);
    command.kill("SIGINT");
    const { code, stdout, stderr } = await command.end();
    assertEquals([code, await lost], [0, "cut"]);
    assertMatch(stderr, /SIGINT: cutting/);
    assertMatch(stdout, /"GET \/never HTTP\/1\.1" 499 - aborted\n/);
  },
);

appTest(
  "it ends although the application left a timer running",
  async (options) => {
    await using command = new Command(["busy.ts", "--port=0"], options);
    await command.url();
    command.kill("SIGTERM");
    assertEquals((await command.end()).code, 0);
  },
);

appTest("help and version are printed to stdout", async (options) => {
  const help = await run(["--help"], options);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /^x-asgi .+\n\nUsage: /);
  const version = await run(["--version"], options);
  assertEquals(version, {
    code: 0,
    stdout: `x-asgi ${VERSION} (Deno ${Deno.version.deno})\n`,
    stderr: "",
  });
});

appTest(
  "a wrong flag is reported, with where to find help",
  async (options) => {
    assertEquals(await run(["main.ts", "--prot=80"], options), {
      code: 2,
      stdout: "",
      stderr:
        'error: Unknown flag "--prot"; did you mean "--port"?\nTry "--help"\n',
    });
  },
);

appTest("an application that cannot be loaded ends it", async (options) => {
  const missing = await run(["none.ts"], options);
  assertFailed(
    missing,
    3,
    /error Cannot load .* there is no module "none.ts"\n/,
  );
  const throwing = await run(["throws.ts"], options);
  assertFailed(throwing, 3, /: Error: no such table \(throws\.ts:1:7\)\n/);
});

appTest(
  "a wrong import is placed, coloured by Deno or not",
  async (options) => {
    for (const variable of ["NO_COLOR", "FORCE_COLOR"]) {
      const env = { [variable]: "1" };
      const ended = await run(["imports_missing.ts"], { ...options, env });
      assertFailed(ended, 3, /gone\.ts" \(imports_missing\.ts:1:8\)\n/);
    }
  },
);

appTest("an application that fails to start ends it", async (options) => {
  const ended = await run(["fails.ts", "--port=0"], options);
  assertFailed(ended, 3, /error Cannot start application: no database\n/);
});

appTest("stacks are shown to those who debug", async (options) => {
  const debug = await run(["throws.ts", "--log-level=debug"], options);
  assertEquals(debug.code, 3);
  assertMatch(debug.stderr, /\n +at .*throws\.ts:1:7\n/);
});

appTest("failures are JSON where logs are", async (options) => {
  const { stderr } = await run(["none.ts", "--log-format=json"], options);
  const { level, message } = JSON.parse(stderr);
  assertEquals(level, "error");
  assertMatch(message, /there is no module "none.ts"$/);
});

appTest("a taken port is reported", async (options) => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const ended = await run(["main.ts", `--port=${port}`], options);
  assertFailed(
    ended,
    1,
    new RegExp(`error Cannot listen on 127.0.0.1:${port}: `),
  );
});

appTest(
  "a certificate that is none, or is not there, is reported",
  async (options) => {
    const args = ["main.ts", "--port=0", "--key=main.ts"];
    const missing = await run([...args, "--cert=none.pem"], options);
    assertFailed(missing, 1, /error Cannot read certificate .*none\.pem/);
    const wrong = await run([...args, "--cert=main.ts"], options);
    assertFailed(wrong, 1, /error Cannot use certificate .*main\.ts/);
  },
);

appTest("variables say what flags do not", async (options) => {
  const env = { ASGI_PORT: "none", ASGI_ACCESS_LOG: "off" };
  await using command = new Command(["main.ts", "--port=0"], {
    ...options,
    env,
  });
  await get(await command.url());
  command.kill("SIGTERM");
  assertEquals((await command.end()).stdout, "");
  const wrong = await run(["main.ts"], { ...options, env });
  assertEquals(wrong.code, 2);
  assertMatch(
    wrong.stderr,
    /^error: ASGI_PORT must be a port .*, not "none"\n/,
  );
});

appTest("logs are lines of JSON where asked for", async (options) => {
  const args = ["main.ts", "--port=0", "--log-format=json"];
  await using command = new Command(args, options);
  const [url] = await command.printed(/http:[^" ]+\//);
  await get(url);
  command.kill("SIGTERM");
  const { stdout, stderr } = await command.end();
  const lines = (text: string) =>
    text.trim().split("\n").map((line) => JSON.parse(line));
  assert(lines(stderr).every(({ level }) => level === "info"));
  assertEquals(lines(stdout).map(({ status }) => status), [200]);
});

appTest(
  "it listens at several addresses, by TLS and unix sockets too",
  async (options) => {
    const { cert, key } = await createCertificate();
    await Deno.writeTextFile(`${options.cwd}/cert.pem`, cert);
    await Deno.writeTextFile(`${options.cwd}/key.pem`, key);
    const args = [
      ...["main.ts", "--cert=cert.pem", "--key=key.pem", "--unix=a.sock"],
      ...["--unix-mode=600", "--listen=http://127.0.0.1:0"],
      "--listen=https://127.0.0.1:0",
    ];
    await using command = new Command(args, options);
    const [, plain, secure] = await command.printed(
      / at (http:\S+), (https:\S+), unix:a\.sock\n/,
    );
    using client = Deno.createHttpClient({ caCerts: [cert] });
    assertEquals(await get(plain), "default");
    assertEquals(await get(secure, { client } as RequestInit), "default");
    const path = `${options.cwd}/a.sock`;
    assertMatch(await getByUnixSocket(path), /\r\n\r\ndefault$/);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  },
);

appTest("a port is not shared without Deno's consent", async (options) => {
  const ended = await run(["main.ts", "--port=0", "--reuse-port"], options);
  assertFailed(ended, 1, /error Cannot share a port: .* --unstable-net\n/);
});

/** What each use needs, as the documentation says. */
const LEAST_PERMISSIONS: [
  use: string,
  args: string[],
  permissions: string[],
][] = [
  ["a port", ["--port=0"], ["--allow-net=127.0.0.1:0", "--allow-read=."]],
  [
    "TLS",
    [
      "--listen=https://127.0.0.1:0",
      "--cert=tls/cert.pem",
      "--key=tls/key.pem",
    ],
    ["--allow-net=127.0.0.1:0", "--allow-read=tls/cert.pem,tls/key.pem,."],
  ],
  [
    "a unix socket",
    ["--unix=FOLDER/a.sock"],
    [
      "--allow-net=unix:FOLDER/a.sock",
      "--allow-read=FOLDER/a.sock,.",
      "--allow-write=FOLDER/a.sock",
    ],
  ],
];

for (const [use, args, permissions] of LEAST_PERMISSIONS) {
  appTest(
    `the permissions for ${use} are named, and are enough`,
    async ({ cwd }) => {
      const here = (text: string) => text.replaceAll("FOLDER", cwd);
      const { cert, key } = await createCertificate();
      await Deno.mkdir(`${cwd}/tls`);
      await Deno.writeTextFile(`${cwd}/tls/cert.pem`, cert);
      await Deno.writeTextFile(`${cwd}/tls/key.pem`, key);
      const flags = permissions.map(here);
      const denied = await run(["busy.ts", ...args.map(here)], {
        cwd,
        permissions: [],
      });
      assertEquals(denied.code, 1);
      assert(
        denied.stderr.endsWith(`: run again with ${flags.join(" ")}\n`),
        `It says: ${denied.stderr}`,
      );
      await using command = new Command(["busy.ts", ...args.map(here)], {
        cwd,
        permissions: flags,
        // Not to be read, and not to be asked for.
        env: { ASGI_HEADER_TIMEOUT: "wrong" },
      });
      await command.printed(/ serves busy\.ts at /);
      command.kill("SIGTERM");
      assertEquals((await command.end()).code, 0);
    },
  );
}

appTest("it serves on when nobody reads its logs", async ({ cwd }) => {
  await using command = new Command(["main.ts", "--port=0"], { cwd });
  const url = await command.url();
  await command.readNoMore();
  for (let i = 0; i < 3; i++) assertEquals(await get(url), "default");
  command.kill("SIGTERM");
  assertEquals(await command.exitCode(), 0);
});
