// One client's work must not hold up that of another. All that a busy client has
// sent is there, and ready at once; when its first piece is dealt with, another
// client sends a request. That must be answered before the busy client's last
// piece is dealt with. Nothing here depends on how fast anything is.

import { assertEquals } from "@std/assert";
import { type AsgiApp, type Receive, respond, type Send } from "../../mod.ts";
import { type RawClient, request, webSocketRequest } from "./_raw_client.ts";
import { netTest, start } from "./_testing.ts";

/** All of them fit in what a socket of the loopback interface takes at once. */
const MANY = 60_000;
const TEXT = 0x81;
const PING = 0x89;

/** What the application calls at the first piece of its work, and at the last. */
interface Progress {
  begun(): void;
  done(): void;
}

/** What a busy client sends, and how the application answers "/busy". */
interface BusyClient {
  readonly sent: readonly string[];
  answer(receive: Receive, send: Send, progress: Progress): Promise<void>;
}

const LAST = request("GET", "/last");

fairnessTest("tiny chunks", {
  sent: [
    request("POST", "/busy", "transfer-encoding: chunked") +
    "1\r\nx\r\n".repeat(MANY) + "0\r\n\r\n" + LAST,
  ],
  async answer(receive, send, { begun }) {
    await readContent(receive, begun);
    await respond(send, 204);
  },
});

fairnessTest("pipelined requests", {
  sent: [request("GET", "/busy").repeat(MANY / 9) + LAST],
  async answer(_receive, send, { begun }) {
    begun();
    await respond(send, 204);
  },
});

fairnessTest("tiny messages", {
  sent: [webSocketRequest("/busy"), frame(TEXT).repeat(MANY)],
  answer: (receive, send, progress) =>
    readMessages(receive, send, MANY, progress),
});

fairnessTest("pings", {
  sent: [
    webSocketRequest("/busy"),
    frame(TEXT) + frame(PING).repeat(MANY) + frame(TEXT),
  ],
  answer: (receive, send, progress) => readMessages(receive, send, 2, progress),
});

fairnessTest("a response in tiny pieces", {
  sent: [request("GET", "/busy") + LAST],
  async answer(_receive, send, { begun }) {
    begun();
    await send({ type: "http.response.start", status: 200 });
    for (let piece = 0; piece < MANY; piece++) {
      await send({ type: "http.response.body", body: "x", more_body: true });
    }
    await send({ type: "http.response.body" });
  },
});

fairnessTest("an application that asks for more without end", {
  sent: [request("GET", "/busy", "connection: close")],
  async answer(receive, send, { begun, done }) {
    begun();
    await respond(send, 204);
    for (let asked = 0; asked < MANY; asked++) await receive();
    done();
  },
});

/** Declares a test of one busy client; a request of "/last" is its last piece. */
function fairnessTest(what: string, { sent, answer }: BusyClient): void {
  netTest(`another client need not wait for ${what}`, async () => {
    const order: string[] = [];
    const over = Promise.withResolvers<void>();
    let asked: Promise<void> | undefined;
    const progress: Progress = {
      begun() {
        asked ??= quiet.get("/other");
      },
      done() {
        order.push("last");
        over.resolve();
      },
    };
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type === "lifespan") return;
      if (scope.path === "/busy") return await answer(receive, send, progress);
      if (scope.path === "/other") order.push("other");
      if (scope.path === "/last") progress.done();
      await respond(send, 204);
    };
    await using running = start(app);
    using quiet: RawClient = await running.connect();
    using busy = await running.connect();
    await quiet.get("/");
    await quiet.readResponse();
    for (const text of sent) await busy.send(toBytes(text));
    await over.promise;
    await asked;
    await quiet.readResponse();
    assertEquals(order, ["other", "last"]);
  });
}

async function readContent(receive: Receive, begun: () => void): Promise<void> {
  for (;;) {
    const event = await receive();
    begun();
    if (event.type !== "http.request" || !event.more_body) return;
  }
}

/** Accepts a WebSocket, and reads so many messages. */
async function readMessages(
  receive: Receive,
  send: Send,
  count: number,
  { begun, done }: Progress,
): Promise<void> {
  await receive();
  await send({ type: "websocket.accept" });
  for (let message = 0; message < count; message++) {
    await receive();
    begun();
  }
  done();
}

/** A masked frame of one byte, with a key of zeros. */
function frame(flags: number): string {
  return String.fromCharCode(flags, 0x81, 0, 0, 0, 0, 0x78);
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
