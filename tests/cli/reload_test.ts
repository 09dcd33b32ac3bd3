// --reload with real processes and files.

import { assertEquals, assertMatch } from "@std/assert";
import { netTest, until } from "../e2e/_testing.ts";
import { CommandProcess, isAlive, PID_APP } from "./_command_process.ts";

const LISTENING = /serves .* at http/;

/** Declares a test that starts processes and changes files. */
function reloadTest(name: string, fn: () => Promise<void>): void {
  netTest(name, fn, { permissions: ["read", "write", "run", "env"] });
}

/** An application that answers with what its other module exports. */
const TWO_MODULES = `import { answer } from "./answer.ts";
` + PID_APP.replace("String(Deno.pid)", "answer");

/** Starts an application of two modules, and waits until it serves. */
async function startReloading(
  answer: string,
  args: readonly string[] = [],
): Promise<CommandProcess> {
  const command = await CommandProcess.start(TWO_MODULES, [
    "--reload",
    ...args,
  ], { files: { "answer.ts": answer } });
  await command.logs(LISTENING);
  return command;
}

reloadTest(
  "--reload loads the application anew when a module that it imports has changed",
  async () => {
    await using command = await startReloading('export const answer = "one";');
    assertEquals(await command.get(), "one");
    await command.write("answer.ts", 'export const answer: string = "two";');
    await command.logs(LISTENING, 2);
    assertEquals(await command.get(), "two");
  },
);

reloadTest(
  "--reload notices a second change of the same file, and one that adds a module",
  async () => {
    await using command = await startReloading('export const answer = "one";');
    await command.write("more.ts", 'export const more = "two";');
    await command.write(
      "answer.ts",
      'export { more as answer } from "./more.ts";',
    );
    await command.logs(LISTENING, 2);
    assertEquals(await command.get(), "two");
    await command.write("more.ts", 'export const more = "three";');
    await command.logs(LISTENING, 3);
    assertEquals(await command.get(), "three");
  },
);

reloadTest(
  "--reload says where a syntax error is, serves on, and goes on when it is mended",
  async () => {
    await using command = await startReloading('export const answer = "one";');
    await command.write("answer.ts", "\nexport const answer = = 1;");
    await command.logs(/answer\.ts:2:\d+: SyntaxError/);
    await command.logs(/Waiting for a change/);
    assertEquals(await command.get(), "one");
    await command.write("answer.ts", 'export const answer = "two";');
    await command.logs(LISTENING, 2);
    assertEquals(await command.get(), "two");
  },
);

reloadTest(
  "--reload waits for a change when the application is broken from the start",
  async () => {
    await using command = await CommandProcess.start(
      TWO_MODULES,
      ["--reload"],
      {
        files: {},
      },
    );
    await command.logs(/answer\.ts/);
    await command.logs(/Waiting for a change/);
    await command.write("answer.ts", 'export const answer = "one";');
    await command.logs(LISTENING);
    assertEquals(await command.get(), "one");
  },
);

reloadTest(
  "--reload waits for a change when the application throws at its start",
  async () => {
    await using command = await startReloading('export const answer = "one";');
    const broken = 'export const answer = ""; throw new Error("no answer");';
    await command.write("answer.ts", broken);
    await command.logs(/no answer/);
    await command.logs(/The server ended with exit code 3; waiting/);
    await command.write("answer.ts", 'export const answer = "two";');
    await command.logs(LISTENING, 2);
    assertEquals(await command.get(), "two");
  },
);

reloadTest("--reload-path watches files that are no modules", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const args = [`--reload-path=${folder}`];
    await using command = await startReloading(
      'export const answer = "one";',
      args,
    );
    await Deno.writeTextFile(`${folder}/page.html`, "<p>");
    await command.logs(LISTENING, 2);
    assertMatch(command.log, /Changed: \S+page\.html/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

reloadTest("--reload stops on SIGINT, with its worker", async () => {
  await using command = await CommandProcess.start(PID_APP, ["--reload"]);
  await command.logs(LISTENING);
  const pid = Number(await command.get());
  command.signal("SIGINT");
  assertEquals(await command.exitCode(), 0);
  await until(() => !isAlive(pid));
});

reloadTest("--reload does not wait for responses that take long", async () => {
  const app = PID_APP.replace("300", "60_000");
  await using command = await CommandProcess.start(app, ["--reload"]);
  await command.logs(LISTENING);
  const slow = command.get("slow").catch(() => "cut");
  await new Promise((resolve) => setTimeout(resolve, 100));
  await command.write("app.ts", PID_APP);
  await command.logs(LISTENING, 2);
  assertEquals(await slow, "cut");
});
