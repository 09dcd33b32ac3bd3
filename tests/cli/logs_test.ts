// Logs that nobody reads, or that cannot be written, hold up nothing: the
// command serves on, says what is lost, and ends when it is asked to.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../e2e/_testing.ts";
import { freePort } from "../_ports.ts";
import {
  Command,
  type CommandOptions,
  commandTest,
  folder,
  LIBRARY,
} from "./_command.ts";

/** Fails at /fail with a long message; `/` is answered. */
const APP = `
import { respond } from "${LIBRARY}";
export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new TypeError("No " + scope.type);
  if (scope.path === "/fail") throw new Error("failed ".repeat(3000));
  await respond(send, 200, { body: "Hello" });
};
`;

/** Long lines, of which some hundred fill all that is between. */
const LONG_LINES = `--access-log=%U ${"x".repeat(20_000)}`;
const LONG_LINE = /\/ x{20000}\n/g;
/** More than a pipe, a write and what may wait can hold of them. */
const MANY = 500;
/** Less than that. */
const FEW = 150;
/** The least that is lost of them. */
const LOST = 50;

/** Declares a test with an application in a folder of its own. */
function logTest(name: string, fn: (cwd: string) => Promise<void>): void {
  commandTest(
    name,
    async () => {
      await using files = await folder({ "main.ts": APP });
      await fn(files.path);
    },
    Deno.build.os === "linux" ? undefined : "there is no /dev/full",
  );
}

/** Sends so many requests, each of which has to be answered with a status. */
async function request(url: string, times: number, status = 200) {
  for (let i = 0; i < times; i++) {
    // Workers share connections, not requests.
    const response = await fetch(url, { headers: { connection: "close" } });
    await response.body?.cancel();
    assertEquals(response.status, status);
  }
}

/** How many long lines were read so far. */
function linesOf({ output }: Command): number {
  return output.stdout.match(LONG_LINE)?.length ?? 0;
}

/** Waits until it is served there. */
async function answers(url: string): Promise<void> {
  await until(async () => {
    try {
      return await (await fetch(url)).text() !== "";
    } catch {
      return false;
    }
  });
}

/** Starts the command where stderr cannot say what it listens on. */
async function startAt(url: string, options: CommandOptions): Promise<Command> {
  const command = new Command(
    ["main.ts", `--port=${new URL(url).port}`],
    options,
  );
  await answers(url);
  return command;
}

async function lostLines(metricsUrl: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  return Number(/^asgi_log_lines_lost_total (\d+)$/m.exec(text)?.[1]);
}

for (const workers of [1, 2]) {
  logTest(
    `a reader of stdout that stalls holds up nothing, workers: ${workers}`,
    async (cwd) => {
      const args = ["main.ts", "--port=0", "--metrics=127.0.0.1:0", LONG_LINES];
      await using command = new Command([...args, `--workers=${workers}`], {
        cwd,
        unread: "stdout",
      });
      const [, url] = await command.printed(/serves main\.ts at (http\S+)/);
      const [metrics] = await command.printed(/http\S+\/metrics/);
      await request(url, MANY * workers);
      await command.printed(/warn .*Access lines were lost: \d+; what reads/);
      await until(async () => await lostLines(metrics) >= LOST);
      command.kill("SIGTERM");
      assertEquals(await command.exitCode(), 0);
    },
  );
}

logTest("all that was lost is reported at the end", async (cwd) => {
  await using command = new Command(["main.ts", "--port=0", LONG_LINES], {
    cwd,
    unread: "stdout",
  });
  await request(await command.url(), MANY);
  command.kill("SIGTERM");
  assertEquals(await command.exitCode(), 0);
  command.readOn();
  const { stdout, stderr } = await command.end();
  const losses = [...stderr.matchAll(/Access lines were lost: (\d+)/g)]
    .map(([, count]) => Number(count));
  const lost = losses.reduce((sum, count) => sum + count, 0);
  // Of what was given up, some had been written already.
  const whole = stdout.match(LONG_LINE)?.length ?? 0;
  assert(whole + lost >= MANY, `${whole} written, ${lost} lost`);
  assert(lost >= LOST, `${lost} lost`);
});

const PIPES: [what: string, shell: string | undefined][] = [
  ["a reader of stdout that is slow", undefined],
  // Changes the pipe itself, for all who share it.
  [
    "a pipe that does not block",
    "dd oflag=nonblock if=/dev/null 2>/dev/null",
  ],
];

for (const [what, shell] of PIPES) {
  logTest(`${what} gets every line`, async (cwd) => {
    const options = { cwd, unread: "stdout", shell } as const;
    await using command = new Command(
      ["main.ts", "--port=0", LONG_LINES],
      options,
    );
    await request(await command.url(), FEW);
    command.readOn();
    await until(() => linesOf(command) >= FEW);
    command.kill("SIGTERM");
    const { code, stdout } = await command.end();
    assertEquals(code, 0);
    assertEquals(stdout.match(LONG_LINE)?.length, FEW);
  });
}

logTest("workers that share a pipe tear no lines", async (cwd) => {
  const format = `--access-log=%U ${"x".repeat(3000)}`; // Less than 4 KiB.
  const args = ["main.ts", "--port=0", "--workers=2", format];
  await using command = new Command(args, { cwd, unread: "stdout" });
  await request(await command.url(), MANY);
  command.readOn();
  command.kill("SIGTERM");
  const { code, stdout } = await command.end();
  assertEquals(code, 0);
  assertEquals(stdout.replaceAll(/\/ x{3000}\n/g, ""), "");
  assert(stdout.length > 0);
});

logTest("a reader of stderr that stalls holds up nothing", async (cwd) => {
  const url = `http://127.0.0.1:${freePort()}/`;
  await using command = await startAt(url, { cwd, unread: "stderr" });
  await request(`${url}fail`, MANY, 500);
  await request(url, 1);
  command.readOn();
  await command.printed(/warn .*Log records were lost: \d+/);
  command.kill("SIGTERM");
  assertEquals(await command.exitCode(), 0);
});

logTest("it ends although nobody reads stderr", async (cwd) => {
  const url = `http://127.0.0.1:${freePort()}/`;
  await using command = await startAt(url, { cwd, unread: "stderr" });
  await request(`${url}fail`, MANY, 500);
  command.kill("SIGTERM");
  assertEquals(await command.exitCode(), 0);
});

logTest("a full disk costs the access log, and nothing else", async (cwd) => {
  await using command = new Command(["main.ts", "--port=0"], {
    cwd,
    shell: "exec >/dev/full",
  });
  await request(await command.url(), 3);
  await command.printed(
    /warn .*Access lines were lost: \d+; they cannot be written to stdout: No space/,
  );
  command.kill("SIGTERM");
  assertEquals(await command.exitCode(), 0);
});

logTest("a full disk costs the log records, and nothing else", async (cwd) => {
  const url = `http://127.0.0.1:${freePort()}/`;
  await using command = await startAt(url, { cwd, shell: "exec 2>/dev/full" });
  await request(`${url}fail`, 3, 500);
  command.kill("SIGTERM");
  const { code, stdout } = await command.end();
  assertEquals(code, 0);
  assertMatch(stdout, /"GET \/fail HTTP\/1\.1" 500/);
});
