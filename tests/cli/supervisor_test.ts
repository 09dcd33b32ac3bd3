// The supervisor and its workers as real processes.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../e2e/_testing.ts";
import { SocketClient } from "../http2/_sockets.ts";
import {
  CommandProcess,
  isAlive,
  PID_APP,
  processTest,
} from "./_command_process.ts";

processTest(
  "Supervisor starts workers that share a port, and stops them on SIGTERM",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.workersReady(2);
    const seen = new Set<string>();
    await until(async () => seen.add(await command.get()).size === 2);
    assertEquals(seen, new Set(command.workers.map(String)));
    command.kill("SIGTERM");
    assertEquals(await command.exitCode(), 0);
    assertEquals(command.workers.filter(isAlive), []);
  },
);

processTest(
  "Supervisor answers a request that is in progress when it is stopped",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.workersReady(2);
    const answers = [1, 2, 3, 4].map(() => command.get("slow"));
    await command.logs(/is asked for \/slow/, 4);
    command.kill("SIGINT");
    for (const pid of await Promise.all(answers)) {
      assert(command.workers.includes(Number(pid)), `Answered: ${pid}`);
    }
    assertEquals(await command.exitCode(), 0);
  },
);

processTest("Supervisor ends at once at a second signal", async () => {
  const app = PID_APP.replace("300", "60_000");
  const args = ["--workers=2", "--shutdown-timeout=1h"];
  await using command = await CommandProcess.start(app, args);
  await command.workersReady(2);
  const lost = command.get("slow").catch(() => "lost");
  await command.logs(/is asked for \/slow/);
  command.kill("SIGTERM");
  await command.logs(/Received SIGTERM: shutting down/);
  command.kill("SIGTERM");
  await command.exitCode();
  assertEquals(await lost, "lost");
  assertEquals(command.workers.filter(isAlive), []);
});

processTest("Supervisor replaces a worker that was killed", async () => {
  await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
  await command.workersReady(2);
  const [killed] = command.workers;
  Deno.kill(killed, "SIGKILL");
  await command.workersReady(3);
  assertEquals(command.workers.filter(isAlive), command.workers.slice(1));
  assertMatch(command.log, new RegExp(`Worker ${killed} .*SIGKILL`));
});

processTest(
  "Supervisor replaces all workers on SIGHUP, and loads the application anew",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.workersReady(2);
    const old = command.workers;
    await command.write("app.ts", PID_APP.replace("Deno.pid", '"new"'));
    command.kill("SIGHUP");
    await command.workersReady(4);
    await until(() => !old.some(isAlive));
    assertEquals(await command.get(), "new");
    assertEquals(command.workers.slice(2).filter(isAlive).length, 2);
  },
);

processTest(
  "A client of HTTP/2 loses no request when all workers are replaced",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.workersReady(2);
    const old = command.workers;
    const port = Number(new URL(command.url).port);
    await using one = await SocketClient.connect(port);
    await using other = await SocketClient.connect(port);
    const asking = Promise.all([one, one, one, other, other, other].map(
      async (client) => {
        while (client.goAways.length === 0) {
          const { id, status, complete } = await client.request();
          // What is beyond the last GOAWAY was not taken, and can be repeated.
          const taken = client.seen("GOAWAY").at(-1)?.last ?? Infinity;
          assert(id > taken || status === 200 && complete, client.trace());
        }
        await client.closed();
        client.close();
      },
    ));
    command.kill("SIGHUP");
    await command.workersReady(4);
    await asking;
    await until(() => !old.some(isAlive));
  },
);

processTest(
  "Supervisor keeps the old workers when the new application cannot start",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.workersReady(2);
    await command.write("app.ts", "export default 1;");
    command.kill("SIGHUP");
    await command.logs(/serves on: its successor could not start/);
    assertEquals(command.workers.filter(isAlive), command.workers);
    assert(command.workers.includes(Number(await command.get())));
  },
);

processTest(
  "Supervisor stops with the exit code of an application that cannot start",
  async () => {
    const app = `export default async function (scope, receive, send) {
    if (scope.type !== "lifespan") return;
    await receive();
    await send({ type: "lifespan.startup.failed", message: "no database" });
  }`;
    await using command = await CommandProcess.start(app, ["--workers=2"]);
    assertEquals(await command.exitCode(), 3);
    await command.logs(/no database/);
    assertEquals(command.count(/ error .*no database/), 1);
  },
);

processTest("Supervisor says once that the port is taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const listen = [`--port=${port}`];
  const args = ["--workers=2"];
  await using command = await CommandProcess.start(PID_APP, args, { listen });
  assertEquals(await command.exitCode(), 1);
  await command.logs(/already in use/);
  assertEquals(command.count(/ error .*already in use/), 1);
});

processTest("Supervisor refuses to share a unix socket", async () => {
  const listen = ["--unix=/nowhere/app.sock"];
  const args = ["--workers=2"];
  await using command = await CommandProcess.start(PID_APP, args, { listen });
  assertEquals(await command.exitCode(), 2);
  await command.logs(/Cannot share the unix socket/);
});

processTest(
  "Supervisor adds and removes a worker on SIGTTIN and SIGTTOU",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.workersReady(2);
    command.kill("SIGTTIN");
    await command.workersReady(3);
    assertEquals(command.workers.filter(isAlive).length, 3);
    command.kill("SIGTTOU");
    await until(() => command.workers.filter(isAlive).length === 2);
  },
);

processTest(
  "Workers ignore the SIGINT of a terminal, which their supervisor gets, too",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.workersReady(2);
    const { workers } = command;
    for (const pid of workers) Deno.kill(pid, "SIGINT");
    await Promise.all([command.get("slow"), command.get("slow")]);
    assertEquals(command.workers, workers);
    assertEquals(workers.filter(isAlive), workers);
  },
);

processTest(
  "A worker that gets SIGTERM is replaced before it ends",
  async () => {
    await using command = await CommandProcess.start(PID_APP, ["--workers=2"]);
    await command.workersReady(2);
    const [old] = command.workers;
    Deno.kill(old, "SIGTERM");
    await command.workersReady(3);
    await until(() => !isAlive(old));
    assertEquals(command.workers.filter(isAlive).length, 2);
    const fresh = command.workers[2];
    const order = new RegExp(`Worker ${fresh} is ready[^]*${old} has ended`);
    await command.logs(order);
  },
);

processTest("A worker is replaced after --max-requests", async () => {
  const args = ["--max-requests=3"];
  await using command = await CommandProcess.start(PID_APP, args);
  await command.workersReady(1);
  const [old] = command.workers;
  for (let request = 0; request < 3; request++) {
    assertEquals(await command.get(), String(old));
  }
  await command.workersReady(2);
  await until(() => !isAlive(old));
  assertEquals(await command.get(), String(command.workers[1]));
});

processTest(
  "A worker is replaced when it uses more than --max-worker-memory",
  async () => {
    const app = PID_APP + "const ballast = [];\n" +
      'if (!Deno.args.includes("x")) ballast.push(new Uint8Array(1).fill(1));';
    const args = ["--max-worker-memory=1MiB"];
    await using command = await CommandProcess.start(app, args);
    await command.workersReady(2);
    assertMatch(command.log, /is replaced: it uses [0-9]+ bytes of memory/);
  },
);

processTest(
  "Workers poll sockets in each turn, unless the environment says otherwise",
  async () => {
    const variable = "DENO_TOKIO_EVENT_INTERVAL";
    const app = PID_APP.replace("Deno.pid", `Deno.env.get("${variable}")`);
    for (const [env, expected] of [[{}, "1"], [{ [variable]: "7" }, "7"]]) {
      const options = { env: env as Record<string, string> };
      const args = ["--workers=2"];
      await using command = await CommandProcess.start(app, args, options);
      await command.workersReady(2);
      assertEquals(await command.get(), expected);
    }
  },
);

processTest(
  "Workers get no more permissions than their supervisor",
  async () => {
    const app = PID_APP.replace(
      "String(Deno.pid)",
      `[ "/etc/hostname", import.meta.filename ].map((path) =>
      Deno.permissions.querySync({ name: "read", path }).state).join()`,
    );
    const permissions = [
      "--allow-net=127.0.0.1",
      "--allow-env",
      `--allow-run=${Deno.execPath()}`,
      `--allow-read=${Deno.env.get("TMPDIR") ?? "/tmp"}`,
    ];
    const args = ["--workers=2"];
    await using command = await CommandProcess.start(app, args, {
      permissions,
    });
    await command.workersReady(2);
    assertEquals(await command.get(), "prompt,granted");
  },
);

processTest("Supervisor names the permissions that it needs", async () => {
  const permissions = ["--allow-net", "--allow-read"];
  const args = ["--workers=2"];
  await using command = await CommandProcess.start(PID_APP, args, {
    permissions,
  });
  assertEquals(await command.exitCode(), 1);
  await command.logs(/--allow-run=\S+ --allow-env/);
});
