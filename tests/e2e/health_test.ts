// The command with --metrics: in one process, with workers, and while it starts
// and ends.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { readExposition, sumIn, valueIn } from "../metrics/_exposition.ts";
import { CommandProcess, PID_APP } from "../cli/_command_process.ts";
import { netTest, until } from "./_testing.ts";

const METRICS = "--metrics=127.0.0.1:0";

/** Starts and stops when the files `start` and `stop` are there. */
const WAITING_APP = `
const exists = (name) => Deno.stat(import.meta.dirname + "/" + name)
  .then(() => true, () => false);
async function file(name) {
  while (!await exists(name)) await new Promise((r) => setTimeout(r, 5));
}
export default async function app(scope, receive, send) {
  if (scope.type === "lifespan") {
    await receive();
    await file("start");
    await send({ type: "lifespan.startup.complete" });
    await receive();
    await file("stop");
    await send({ type: "lifespan.shutdown.complete" });
    return;
  }
  const headers = [["content-length", "2"]];
  await send({ type: "http.response.start", status: 200, headers });
  await send({ type: "http.response.body", body: "ok" });
}
`;

/** Declares a test of the command. */
function commandTest(name: string, fn: () => Promise<void>): void {
  netTest(`command: ${name}`, fn, {
    permissions: ["read", "write", "run", "env"],
    lacks: Deno.build.os === "windows"
      ? "processes cannot be interrupted by others here"
      : undefined,
  });
}

/** What it logs where it serves the application, and where its metrics. */
function urls(command: CommandProcess): { app: string; monitor: string } {
  const [, app] = /serves .* at (http:\S+\/)/.exec(command.log) ?? [];
  const [, monitor] = /Metrics are at (http:\S+\/)metrics/.exec(command.log)!;
  return { app, monitor };
}

/** Answers are read on a connection of their own. */
async function get(url: string): Promise<Response> {
  return await fetch(url, { headers: { connection: "close" } });
}

async function status(url: string): Promise<number> {
  const response = await get(url);
  await response.body?.cancel();
  return response.status;
}

async function metricsOf(monitor: string) {
  return readExposition(await (await get(`${monitor}metrics`)).text());
}

commandTest(
  "with --metrics, it is live at once, and ready between startup and drain",
  async () => {
    await using command = await CommandProcess.start(WAITING_APP, [METRICS]);
    await command.logs(/Metrics are at/);
    const { monitor } = urls(command);
    assertEquals(await status(`${monitor}livez`), 200);
    assertEquals(await status(`${monitor}readyz`), 503);
    await command.write("start", "");
    await command.logs(/serves .* at http/);
    const { app } = urls(command);
    assertEquals(await status(`${monitor}readyz`), 200);
    await (await get(app)).text();
    const metrics = await metricsOf(monitor);
    assertEquals(sumIn(metrics, "asgi_requests_total"), 1);
    assertEquals(valueIn(metrics, "asgi_connections_accepted_total"), 1);
    command.kill("SIGTERM");
    await until(async () => await status(`${monitor}readyz`) === 503);
    assertEquals(await status(`${monitor}livez`), 200);
    await command.write("stop", "");
    assertEquals(await command.exitCode(), 0);
  },
);

commandTest(
  "with --metrics and two workers, the sums are those of both",
  async () => {
    const args = [METRICS, "--workers=2"];
    await using command = await CommandProcess.start(PID_APP, args);
    await command.logs(/Metrics are at/);
    const { monitor } = urls(command);
    assertEquals(await status(`${monitor}readyz`), 503);
    await command.workersReady(2);
    const { app } = urls(command);
    assertEquals(await status(`${monitor}readyz`), 200);
    const pids = new Set<string>();
    let sent = 0;
    for (; sent < 40 || pids.size < 2; sent++) {
      pids.add(await (await get(app)).text());
    }
    await until(async () =>
      valueIn(await metricsOf(monitor), "asgi_connections_open") === 0
    );
    const metrics = await metricsOf(monitor);
    assertEquals(pids.size, 2);
    const name = "asgi_requests_total";
    assertEquals(
      valueIn(metrics, name, { method: "GET", status: "2xx" }),
      sent,
    );
    assertEquals(sumIn(metrics, name), sent);
    assertEquals(valueIn(metrics, "asgi_connections_accepted_total"), sent);
    assertEquals(valueIn(metrics, "asgi_workers_ready"), 2);
    assert(valueIn(metrics, "process_resident_memory_bytes")! > 3e7);
  },
);

commandTest(
  "what workers have counted still counts when they were replaced",
  async () => {
    const args = [METRICS, "--workers=2"];
    await using command = await CommandProcess.start(PID_APP, args);
    await command.workersReady(2);
    const { app, monitor } = urls(command);
    for (let i = 0; i < 20; i++) await (await get(app)).text();
    command.kill("SIGHUP");
    await command.logs(/Worker [0-9]+ has ended/, 2);
    assertEquals(await status(`${monitor}readyz`), 200);
    const metrics = await metricsOf(monitor);
    assertEquals(sumIn(metrics, "asgi_requests_total"), 20);
    const drained = { reason: "drained" };
    assertEquals(valueIn(metrics, "asgi_worker_exits_total", drained), 2);
    command.kill("SIGTERM");
    assertEquals(await command.exitCode(), 0);
  },
);

commandTest(
  "with --metrics and --reload, the supervisor serves the metrics",
  async () => {
    await using command = await CommandProcess.start(PID_APP, [
      METRICS,
      "--reload",
    ]);
    await command.logs(/serves .* at http/);
    const { app, monitor } = urls(command);
    await (await get(app)).text();
    assertEquals(sumIn(await metricsOf(monitor), "asgi_requests_total"), 1);
    assertEquals(await status(`${monitor}readyz`), 200);
  },
);

commandTest(
  "with --metrics at an address that is taken, it does not start",
  async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const args = [`--metrics=127.0.0.1:${port}`];
    await using command = await CommandProcess.start(PID_APP, args);
    assertEquals(await command.exitCode(), 1);
    await command.logs(/already in use/);
    assertMatch(command.log, new RegExp(`Cannot listen on 127.0.0.1:${port}`));
  },
);

commandTest(
  "without the permission for the metrics' address, it names the flag",
  async () => {
    const args = ["--metrics=127.0.0.1:9091"];
    await using command = await CommandProcess.start(PID_APP, args, {
      permissions: [
        "--allow-read",
        "--allow-env",
        "--allow-net=127.0.0.1:8000",
      ],
      listen: ["--port=8000"],
    });
    assertEquals(await command.exitCode(), 1);
    await command.logs(/run again with --allow-net=127\.0\.0\.1:9091/);
  },
);
