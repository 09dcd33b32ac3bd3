// Sends that nobody awaits: their rejection ends neither the response nor the
// process. The process is a real one, because the runner of tests would catch
// what ends it.

import { assert, assertEquals } from "@std/assert";
import type { AsgiApp, Send } from "../../src/asgi/types.ts";
import { letsOthersIn } from "../_lets_others_in.ts";
import { FakeWire, run, start } from "./_fake_wire.ts";
import { runScript } from "./_scripts.ts";
import { settled } from "../_turns.ts";

const FAKE_WIRE = new URL("_fake_wire.ts", import.meta.url);

/** Applications that leave a send alone which rejects. */
const APPS: Record<string, AsgiApp> = {
  "a faulty event": (_scope, _receive, send) => {
    send({ type: "http.response.body" });
    send({ type: "http.response.start", status: 1 });
    send({ type: "http.response.start", status: 200 });
    send({ type: "http.response.body", body: "x".repeat(100_000) });
  },
  "a faulty event after a large one": (_scope, _receive, send) => {
    send({ type: "http.response.start", status: 200 });
    send({
      type: "http.response.body",
      body: "x".repeat(100_000),
      more_body: true,
    });
    send({ type: "http.response.start", status: 200 });
    send({ type: "http.response.body" });
  },
  "a file that is not there": (_scope, _receive, send) => {
    send({ type: "http.response.start", status: 200 });
    send({ type: "http.response.pathsend", path: "/none" });
    send({ type: "http.response.body" });
  },
};

for (const [what, app] of Object.entries(APPS)) {
  Deno.test(`A send of ${what} that nobody awaits leaves the response whole`, async () => {
    const { wire } = await run(app);
    await settled();
    assertEquals(wire.calls.at(-1)?.[0], "data");
  });
}

Deno.test("Sends to a client that is lost need not be awaited", async () => {
  const wire = new FakeWire();
  wire.hold();
  await run((_scope, _receive, send) => {
    send({ type: "http.response.start", status: 200 });
    send({ type: "http.response.body", body: "a", more_body: true });
    send({ type: "http.response.body", body: "b", more_body: true });
    setTimeout(() => wire.disconnectClient("lost"), 0);
    return settled().then(settled).then(() => {
      send({ type: "http.response.body" });
    });
  }, { wire });
  await settled();
  assertEquals(wire.content, "a");
});

Deno.test("Sends of an application that throws need not be awaited", async () => {
  const wire = new FakeWire();
  const thrower: AsgiApp = (_scope, _receive, send) => {
    send({ type: "http.response.start", status: 200 });
    send({ type: "http.response.body", body: "x".repeat(1_000_000) });
    send({ type: "http.response.body", body: "late" });
    setTimeout(() => {
      send({ type: "http.response.body" });
    }, 0);
    throw new Error("fault of the test");
  };
  const failed = await run(thrower, { wire }).catch(String);
  await settled();
  assertEquals(failed, "Error: fault of the test");
});

Deno.test({
  name: "A process outlives sends that reject and that nobody awaits",
  ignore: Deno.permissions.querySync({ name: "run" }).state !== "granted" ||
    Deno.permissions.querySync({ name: "read" }).state !== "granted",
  async fn() {
    const { code, output } = await runScript(`
      import { FakeWire, settled, start } from ${JSON.stringify(FAKE_WIRE)};

      const wire = new FakeWire();
      start(async (_scope, _receive, send) => {
        send({ type: "http.response.body" });
        send(undefined);
        await settled();
        wire.disconnectClient("lost");
        send({ type: "http.response.start", status: 200 });
        await settled();
      }, { wire });
      await settled();
      await settled();
      await settled();
      console.log("alive");
    `);
    assertEquals([code, output], [0, "alive"]);
  },
});

Deno.test({
  name:
    "A process does end by a rejection that nobody awaits, so that the test above can fail",
  ignore: Deno.permissions.querySync({ name: "run" }).state !== "granted",
  async fn() {
    const { code, output } = await runScript(`
      Promise.reject(new Error("fault of the test"));
      await new Promise((resolve) => setTimeout(resolve, 0));
      console.log("alive");
    `);
    assertEquals([code, output], [1, ""]);
  },
});

const IN_VAIN: Record<string, (send: Send) => Promise<void>> = {
  "after the response": (send) => send({ type: "http.response.body" }),
  "that are faulty": (send) => send({ type: "none" } as never).catch(() => {}),
};

for (const [which, act] of Object.entries(IN_VAIN)) {
  Deno.test(`Sends ${which} let others in, however many there are`, async () => {
    const letIn = await letsOthersIn(async () => {
      await start(async (_scope, _receive, send) => {
        await send({ type: "http.response.start", status: 200 });
        await send({ type: "http.response.body" });
        for (let i = 0; i < 100_000; i++) await act(send);
      }).returned;
    });
    assert(letIn, "The application kept the event loop to itself");
  });
}
