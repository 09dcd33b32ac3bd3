// Logs that cannot be written, and callbacks that fail: the server serves on,
// loses nothing else, and says so where it can.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ServeOptions } from "../../mod.ts";
import { http, pathApp } from "./_apps.ts";
import { bounded, netTest, start, type TestServer } from "./_testing.ts";

const MOD_URL = new URL("../../mod.ts", import.meta.url).href;
const FAILED = new Error("fault of the test");

// Where stderr is lost.

/** Serves, fails once, and answers again; `log` is what stands for the log. */
function script(options: string): string {
  return `
    import { respond, serve } from "${MOD_URL}";
    await Deno.stdin.read(new Uint8Array(1));
    const targets = [];
    const app = async (scope, _receive, send) => {
      if (scope.type !== "http") throw new TypeError("Unknown scope");
      if (scope.path === "/fail") throw new Error("fault of the test");
      await respond(send, 200, { body: scope.path });
    };
    const server = serve(app, {
      port: 0,
      accessLog: ({ target }) => void targets.push(target),
      ${options}
    });
    for (const path of ["fail", "works"]) {
      const response = await fetch(server.url + path);
      console.log(response.status, await response.text());
    }
    await server.shutdown();
    console.log(...targets);
  `;
}

/** What a script prints, and how it ends; `stderr` says where that leads. */
async function run(
  code: string,
  stderr: "lost" | "full",
): Promise<{ stdout: string; success: boolean }> {
  const deno = [Deno.execPath(), "eval", "--no-check", code];
  const [program, ...args] = stderr === "full"
    ? ["sh", "-c", 'exec "$@" 2>/dev/full', "sh", ...deno]
    : deno;
  const process = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: stderr === "lost" ? "piped" : "inherit",
    env: { NO_COLOR: "1" },
  }).spawn();
  try {
    if (stderr === "lost") await process.stderr.cancel();
    await process.stdin.close();
    const stdout = bounded(new Response(process.stdout).text(), "the script");
    return { stdout: await stdout, ...await process.status };
  } catch (error) {
    process.kill("SIGKILL");
    await process.status;
    throw error;
  }
}

const PRINTED = "500 Internal Server Error\n\n200 /works\n/fail /works\n";
const LOGS: Record<string, string> = {
  "the default log": "",
  "a log that throws": "log() { throw new Error('The log is full'); }",
  "a log that rejects":
    "async log() { await undefined; throw new Error('The log is full'); }",
};

for (const [log, options] of Object.entries(LOGS)) {
  for (
    const [where, stderr] of [
      ["a pipe that nobody reads", "lost"],
      ["a full disk", "full"],
    ] as const
  ) {
    netTest(`A process outlives ${log} where stderr is ${where}`, async () => {
      const { stdout, success } = await run(script(options), stderr);
      assertEquals(stdout, PRINTED);
      assert(success);
    }, {
      permissions: ["run"],
      lacks: Deno.build.os === "windows" ? "there is no sh here" : undefined,
    });
  }
}

// Where a callback fails.

/** Ways to fail. */
const FAILING: Record<string, () => never> = {
  "throws": () => {
    throw FAILED;
  },
  "rejects": () => Promise.reject(FAILED) as never,
};

const failing = http((scope, receive, send) => {
  if (scope.path === "/fail") throw new Error("of the application");
  return pathApp(scope, receive, send);
});

/** What is answered to "/fail", and then to another. */
async function statuses(server: TestServer): Promise<number[]> {
  const answered: number[] = [];
  for (const path of ["/fail", "/works"]) {
    using client = await server.connect();
    await client.get(path);
    answered.push((await client.readResponse()).status);
  }
  return answered;
}

/** The messages of errors, as a server logs them that has these options. */
async function errorsOf(options: ServeOptions): Promise<string[]> {
  await using server = start(failing, options);
  assertEquals(await statuses(server), [500, 200]);
  await server.server.shutdown({ timeout: 0 });
  return server.records.filter(({ level }) => level === "error")
    .map(({ message, error }) => `${message}: ${(error as Error).message}`);
}

const APP_FAILED = "The application failed: of the application";

for (const [how, fail] of Object.entries(FAILING)) {
  netTest(`An onListen that ${how} is logged, and does no harm`, async () => {
    const errors = await errorsOf({ onListen: fail });
    assertEquals(errors, ["onListen failed: fault of the test", APP_FAILED]);
  });

  netTest(`An accessLog that ${how} is logged, and does no harm`, async () => {
    const errors = await errorsOf({ accessLog: fail });
    const failed = "The access log failed: fault of the test";
    assertEquals(errors.toSorted(), [failed, failed, APP_FAILED]);
  });
}

netTest("What a log fails to log goes to stderr, with the reason", async () => {
  const code = script("log() { throw new Error('The log is full'); }");
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    stdin: "null",
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(30_000),
  }).output();
  const text = new TextDecoder().decode(stderr);
  assertStringIncludes(text, " info  Listening on http://127.0.0.1:");
  assertStringIncludes(text, " error The log failed: Error: The log is full\n");
  assertStringIncludes(
    text,
    " error The application failed: Error: fault of the test\n",
  );
  // What is said at "debug" alone is not wanted there.
  assert(!text.includes(" debug "), text);
}, { permissions: ["run"] });
