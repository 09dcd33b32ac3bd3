// What an application sends, on its way to what deals with it: the order, what is
// held, when a send resolves, and what becomes of it when that fails.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type ActionTaker,
  FromApp,
} from "../../src/asgi/websocket_from_app.ts";
import type { WebSocketAction } from "../../src/asgi/websocket_events.ts";
import { letsOthersIn } from "../_lets_others_in.ts";
import { unawaited } from "../_unawaited.ts";

import { isPending } from "./_fake_wire.ts";
import { countMadeStreams } from "./_made_streams.ts";
import { settled } from "../_turns.ts";

const CLOSE: WebSocketAction = {
  type: "websocket.close",
  code: 1000,
  reason: "",
};

function message(message: string | Uint8Array): WebSocketAction {
  return { type: "websocket.send", message };
}

/** Deals with events, at once unless the test holds it back. */
class Taker implements ActionTaker {
  readonly taken: WebSocketAction[] = [];
  readonly more: boolean[] = [];
  readonly fromApp = new FromApp(this);
  #gate: PromiseWithResolvers<void> | undefined;

  takeAction(
    action: WebSocketAction,
    more: boolean,
  ): Promise<void> | undefined {
    this.taken.push(action);
    this.more.push(more);
    return this.#gate?.promise;
  }

  write(...actions: WebSocketAction[]): Promise<void>[] {
    return actions.map((action) => this.fromApp.write(action));
  }

  hold(): void {
    this.#gate = Promise.withResolvers();
  }

  go(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  fail(error: Error): void {
    this.#gate?.reject(error);
  }
}

Deno.test("Events are dealt with in their order, and it is known whether more follow", async () => {
  const taker = new Taker();
  const events = [message("a"), message("b"), CLOSE];
  await Promise.all(taker.write(...events));
  assertEquals(taker.taken, events);
  assertEquals(taker.more, [true, true, false]);
  await Promise.all(taker.write(message("c")));
  assertEquals(taker.more.at(-1), false);
});

Deno.test("32 KiB are held of what can't be dealt with", async () => {
  const taker = new Taker();
  taker.hold();
  // Each counts for 1024 bytes.
  const text = "x".repeat(1024 - 64);
  let written = 0;
  const writing = (async () => {
    for (; written < 100; written++) await taker.fromApp.write(message(text));
  })();
  await settled();
  assertEquals([written, taker.taken.length], [33, 1]);
  taker.go();
  await writing;
  await settled();
  assertEquals(taker.taken.length, 100);
});

Deno.test("Bytes that are held are copied, and those that are not are not", async () => {
  const taker = new Taker();
  taker.hold();
  const bytes = new Uint8Array([1]);
  await taker.fromApp.write(message(bytes));
  await taker.fromApp.write(message(bytes));
  bytes[0] = 2;
  taker.go();
  await settled();
  const [first, second] = taker.taken.map((action) =>
    action.type === "websocket.send" && action.message
  );
  assert(first === bytes);
  assertEquals(second, new Uint8Array([1]));
});

Deno.test("An event that can't be copied changes nothing", async () => {
  const taker = new Taker();
  taker.hold();
  const [written] = taker.write(message("a"));
  const faulty = {
    type: "websocket.send" as const,
    get message(): Uint8Array {
      throw new RangeError("Out of memory for the test");
    },
  };
  assertThrows(() => taker.fromApp.write(faulty), RangeError, "memory");
  taker.go();
  await written;
  await settled();
  assertEquals(taker.more, [false]);
  assertEquals(taker.fromApp.emptied, undefined);
});

Deno.test("A send waits until its event was dealt with, if that is no short message", async () => {
  const long = message(new Uint8Array(64 * 1024 + 1));
  for (const action of [CLOSE, long]) {
    for (const before of [[], [message("a")]]) {
      const taker = new Taker();
      taker.hold();
      await Promise.all(taker.write(...before));
      const [written] = taker.write(action);
      assert(await isPending(written));
      taker.go();
      await written;
      assert(taker.taken.at(-1) === action);
    }
  }
});

Deno.test("When an event can't be dealt with, all that wait reject, and all that come", async () => {
  const taker = new Taker();
  taker.hold();
  const large = message("x".repeat(40_000));
  const sends = taker.write(message("a"), large, message("b"), CLOSE);
  await settled();
  const error = new RangeError("Lost for the test");
  taker.fail(error);
  await Promise.all(sends.slice(0, 2));
  for (const send of sends.slice(2)) {
    await assertRejects(() => send, RangeError, "Lost");
  }
  await assertRejects(() => taker.fromApp.write(CLOSE), RangeError, "Lost");
  assertEquals(taker.taken, [message("a")]);
});

Deno.test("Sends that nobody awaits may reject", async () => {
  const taker = new Taker();
  taker.hold();
  taker.write(CLOSE, CLOSE, message("a")).forEach(unawaited);
  await settled();
  taker.fail(new RangeError("Lost for the test"));
  await settled();
  unawaited(taker.fromApp.write(CLOSE));
  await settled();
});

for (const [which, action] of Object.entries({ short: message("a"), CLOSE })) {
  Deno.test(`Events let others in, however many are dealt with at once (${which})`, async () => {
    const taker = new Taker();
    const letIn = await letsOthersIn(async () => {
      for (let i = 0; i < 50_000; i++) await taker.fromApp.write(action);
    });
    assert(letIn, "The application kept the event loop to itself");
  });
}

Deno.test("A stream that was emptied serves what is sent next", async () => {
  const send = async (): Promise<void> => {
    await new Taker().fromApp.write(message("a"));
    await settled();
  };
  await send();
  // Other tests may have left some, but not as many.
  const sends = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await send();
  };
  assertEquals(await countMadeStreams(sends), 0);
});
