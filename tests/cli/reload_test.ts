// --reload with real processes and files.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { netTest, pause } from "../e2e/_testing.ts";
import { lacksProgram } from "../interop/_program.ts";
import {
  CommandProcess,
  isAlive,
  PID_APP,
  processesWith,
} from "./_command_process.ts";

/** Declares a test that starts processes and changes files. */
function reloadTest(
  name: string,
  fn: () => Promise<void>,
  lacks?: string,
): void {
  const permissions = ["read", "write", "run", "env"] as const;
  netTest(name, fn, { permissions, lacks });
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
  await command.workersReady(1);
  return command;
}

/** Waits until so many workers have been replaced since the start. */
async function replaced(command: CommandProcess, times = 1): Promise<void> {
  await command.logs(/Worker [0-9]+ has ended/, times);
}

reloadTest(
  "--reload loads the application anew when a module that it imports has changed",
  async () => {
    await using command = await startReloading('export const answer = "one";');
    assertEquals(await command.get(), "one");
    await command.write("answer.ts", 'export const answer: string = "two";');
    await replaced(command);
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
    await replaced(command);
    assertEquals(await command.get(), "two");
    await command.write("more.ts", 'export const more = "three";');
    await replaced(command, 2);
    assertEquals(await command.get(), "three");
  },
);

reloadTest("--reload refuses no connection while it reloads", async () => {
  await using command = await startReloading('export const answer = "one";');
  const port = Number(new URL(command.url).port);
  const connections: Promise<unknown>[] = [];
  const connecting = (async () => {
    for (; command.count(/has ended/) < 3; await pause(2)) {
      const connection = Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(connection.then((conn) => conn.close(), String));
    }
  })();
  for (const [index, answer] of ["two", "three", "four"].entries()) {
    await command.write("answer.ts", `export const answer = "${answer}";`);
    await replaced(command, index + 1);
  }
  await connecting;
  const failed = (await Promise.all(connections)).filter(Boolean);
  assertEquals(failed, []);
  assert(connections.length > 10);
});

reloadTest(
  "--reload says where a syntax error is, serves on, and goes on when it is mended",
  async () => {
    await using command = await startReloading('export const answer = "one";');
    await command.write("answer.ts", "\nexport const answer = = 1;");
    await command.logs(/answer\.ts:2:\d+: SyntaxError/);
    await command.logs(/Waiting for a change; the application from before/);
    assertEquals(await command.get(), "one");
    await command.write("answer.ts", 'export const answer = "two";');
    await replaced(command);
    assertEquals(await command.get(), "two");
  },
);

reloadTest(
  "--reload serves on when the new application cannot be started",
  async () => {
    await using command = await startReloading('export const answer = "one";');
    const broken = [
      "export const answer = 1; throw new Error('no answer');",
      "const twice = 1; const twice = 2; export const answer = 1;",
      "export const reply = 1;",
    ];
    for (const [index, text] of broken.entries()) {
      await command.write("answer.ts", text);
      await command.logs(/application from before serves on/, index + 1);
      assertEquals(await command.get(), "one");
    }
    assertEquals(command.count(/Worker [0-9]+ ended with exit code 3/), 3);
    await command.write("answer.ts", 'export const answer = "two";');
    await replaced(command);
    assertEquals(await command.get(), "two");
  },
);

reloadTest(
  "--reload gives up an application that hangs at its start when files change",
  async () => {
    await using command = await startReloading('export const answer = "one";');
    const hang = (how: string) =>
      `export let answer = 1; console.error("it hangs"); ${how}`;
    await command.write("answer.ts", hang("await new Promise(() => {});"));
    await command.logs(/it hangs/);
    await command.write("answer.ts", hang("for (;;);"));
    await command.logs(/it hangs/, 2);
    assertEquals(await command.get(), "one");
    await command.write("answer.ts", 'export const answer = "two";');
    await command.workersReady(2);
    await replaced(command, 3);
    assertEquals(await command.get(), "two");
  },
);

reloadTest(
  "--reload waits for a change when the application is broken from the start",
  async () => {
    await using command = await CommandProcess.start(TWO_MODULES, ["--reload"]);
    await command.logs(/answer\.ts/);
    await command.logs(/Waiting for a change\n/);
    await command.write("answer.ts", "export const answer = 1; throw answer;");
    await command.logs(/Worker [0-9]+ ended with exit code 3/);
    await command.logs(/Waiting for a change\n/, 2);
    await command.write("answer.ts", 'export const answer = "one";');
    await command.workersReady(1);
    assertEquals(await command.get(), "one");
  },
);

reloadTest("--reload waits for a change when the server has died", async () => {
  await using command = await startReloading('export const answer = "one";');
  Deno.kill(command.workers[0], "SIGKILL");
  await command.logs(/Worker [0-9]+ was killed by SIGKILL/);
  await command.logs(/Waiting for a change\n/);
  await command.write("answer.ts", 'export const answer = "two";');
  await command.workersReady(2);
  assertEquals(await command.get(), "two");
});

reloadTest("--reload-path watches files that are no modules", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const args = [`--reload-path=${folder}`];
    await using command = await startReloading(
      'export const answer = "one";',
      args,
    );
    await Deno.writeTextFile(`${folder}/page.html`, "<p>");
    await command.workersReady(2);
    assertMatch(command.log, /Changed: \S+page\.html/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

reloadTest("--reload loads the application anew on SIGHUP", async () => {
  await using command = await CommandProcess.start(PID_APP, ["--reload"]);
  await command.workersReady(1);
  command.kill("SIGHUP");
  await command.workersReady(2);
  await replaced(command);
  assertEquals(await command.get(), String(command.workers[1]));
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  reloadTest(`--reload stops on ${signal}, with its worker`, async () => {
    await using command = await CommandProcess.start(PID_APP, ["--reload"]);
    await command.workersReady(1);
    const pid = Number(await command.get());
    command.kill(signal);
    assertEquals(await command.exitCode(), 0);
    assert(!isAlive(pid));
  });
}

reloadTest(
  "--reload stops while the application hangs at its start",
  async () => {
    const app = 'console.error("it hangs"); await new Promise(() => {});';
    await using command = await CommandProcess.start(app, ["--reload"]);
    await command.logs(/it hangs/);
    command.kill("SIGTERM");
    assertEquals(await command.exitCode(), 0);
  },
);

reloadTest("--reload does not wait for responses that take long", async () => {
  const app = PID_APP.replace("300", "60_000");
  await using command = await CommandProcess.start(app, ["--reload"]);
  await command.workersReady(1);
  const slow = command.get("slow").catch(() => "cut");
  await command.logs(/is asked for \/slow/);
  await command.write("app.ts", PID_APP);
  await replaced(command);
  assertEquals(await slow, "cut");
});

reloadTest(
  "--reload replaces a worker on a unix socket, which two cannot share",
  async () => {
    const socket = await Deno.makeTempFile({ suffix: ".sock" });
    await Deno.remove(socket);
    await using command = await CommandProcess.start(PID_APP, ["--reload"], {
      listen: [`--unix=${socket}`],
    });
    await command.workersReady(1);
    await command.write("app.ts", PID_APP + "// changed");
    await command.workersReady(2);
    (await Deno.connect({ transport: "unix", path: socket })).close();
  },
  Deno.build.os === "windows" ? "there are no unix sockets" : undefined,
);

reloadTest(
  "--reload stops when the terminal that it was started in is closed",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--reload"], {
      terminal: true,
    });
    await command.workersReady(1);
    assert(processesWith(command.folder).length > 1);
    command.kill("SIGKILL");
    while (processesWith(command.folder).length > 0) await pause(50);
  },
  Deno.build.os === "linux" ? lacksProgram("script") : "it needs Linux",
);
