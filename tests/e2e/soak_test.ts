// Many connections: idle ones that keep nobody from being served, and ones that
// are reset in every state a connection has, after which nothing may remain: no
// socket, no timer, no wait. A timer or a wait would show in the sanitizers,
// or in a shutdown that never ends; a socket among those of the process.

import { assertEquals } from "@std/assert";
import { respond } from "../../mod.ts";
import { http, pathApp } from "./_apps.ts";
import { post, request } from "./_raw_client.ts";
import { reset } from "./_reset.ts";
import { lacksProc, ServerProcess } from "./_server_process.ts";
import { netTest, start, until } from "./_testing.ts";

const IDLE = 1_000;
const RESETS = 10_000;
const AT_A_TIME = 100;

netTest("1,000 idle connections leave the server serving others", async () => {
  await using server = start(pathApp);
  const idle = await Promise.all(
    Array.from({ length: IDLE }, () => server.connect()),
  );
  try {
    // Every other one is idle after a request, the rest have sent nothing.
    const used = idle.filter((_, index) => index % 2 === 0);
    for (const client of used) {
      await client.get("/used");
      await client.readResponse();
    }
    for (let i = 0; i < 100; i++) {
      using client = await server.connect();
      await client.get(`/${i}`);
      assertEquals((await client.readResponse()).body, `/${i}`);
    }
    for (const client of used) {
      await client.get("/again");
      assertEquals((await client.readResponse()).body, "/again");
    }
    await server.server.shutdown({ timeout: Infinity });
    for (const client of idle) assertEquals(await client.readToEnd(), "");
  } finally {
    for (const client of idle) client.close();
  }
});

/** What a client sends before it sees the first of an answer, and is gone. */
const STATES: Record<string, string> = {
  "idle": request("GET", "/count"),
  "amid a head": request("GET", "/count") + "GET /next HTTP/1.1\r\nho",
  "amid a body": request("GET", "/count") +
    request("POST", "/count", "content-length: 10") + "half",
  "amid a chunk": request("GET", "/count") +
    request("POST", "/count", "transfer-encoding: chunked") + "a\r\nhalf",
  "amid a response": request("GET", "/begin"),
  "amid an upload's response": post("/begin", "Hello"),
  "after a refusal": "GET / HTTP/1.1\r\nbad field\r\n\r\n",
  "amid a large response": request("GET", "/download?10000000"),
  "amid many requests": request("GET", "/count").repeat(10),
};

for (const [state, bytes] of Object.entries(STATES)) {
  netTest(`a connection that is reset ${state} is let go`, async () => {
    await using server = start(statesApp());
    for (let i = 0; i < 20; i++) await reset(server.port, bytes);
    await server.server.shutdown({ timeout: Infinity });
    assertEquals(server.errors, []);
  });
}

netTest("after 10,000 resets, no connection and no timer is left", async () => {
  await using server = await ServerProcess.start();
  const states = Object.values(STATES);
  assertEquals(server.networkSockets(), 1);
  for (let done = 0; done < RESETS; done += AT_A_TIME) {
    await Promise.all(Array.from(
      { length: AT_A_TIME },
      (_, index) => reset(server.port, states[(done + index) % states.length]),
    ));
  }
  assertEquals(await server.get("/count"), "0");
  await until(() => server.networkSockets() === 1);
  assertEquals(await server.stop(), true);
}, { permissions: ["run", "read"], lacks: lacksProc(), timeoutMs: 120_000 });

/** As the server in a process of its own, as far as these tests go. */
function statesApp() {
  return http(async (scope, receive, send) => {
    if (scope.path === "/begin") {
      await send({ type: "http.response.start", status: 200 });
      await send({ type: "http.response.body", body: "be", more_body: true });
      while ((await receive()).type !== "http.disconnect");
      return;
    }
    if (scope.path === "/download") {
      return await respond(send, 200, { body: new Uint8Array(10_000_000) });
    }
    let more = true;
    while (more) {
      const event = await receive();
      if (event.type !== "http.request") return;
      more = event.more_body;
    }
    await respond(send, 200, { body: "0" });
  });
}
