// A server that runs out of descriptors: it must neither end nor stop to answer,
// whatever its clients do.

import { assert, assertEquals } from "@std/assert";
import { FRAME_TYPES } from "../src/http2/frames.ts";
import { Example, exampleTest } from "./_example.ts";
import { bounded } from "./e2e/_testing.ts";
import { type RawClient, webSocketRequest } from "./e2e/_raw_client.ts";

const MAX_OPEN_FILES = 128;
const CLIENTS = 200;

/** Many connections at once, each closed at the end of its scope. */
async function connectMany(example: Example): Promise<Disposable> {
  const clients: RawClient[] = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await example.connect());
  return {
    [Symbol.dispose]() {
      for (const client of clients) client[Symbol.dispose]();
    },
  };
}

async function requireAnswer(example: Example): Promise<void> {
  using client = await example.connect();
  await client.get("/");
  const { status } = await bounded(client.readResponse(), "an answer");
  assertEquals(status, 200);
}

exampleTest(
  "a server out of descriptors answers on, although clients say nothing",
  async () => {
    await using example = await Example.start("hello.ts", {
      maxOpenFiles: MAX_OPEN_FILES,
    });
    using _silent = await connectMany(example);
    await example.printed(/Cannot accept/);
    await requireAnswer(example);
    const { code, stderr } = await example.interrupt();
    assertEquals(code, 0, stderr);
  },
);

exampleTest(
  "a server out of descriptors answers on, although clients stay idle",
  async () => {
    await using example = await Example.start("hello.ts", {
      maxOpenFiles: MAX_OPEN_FILES,
    });
    const idle: RawClient[] = [];
    try {
      for (let i = 0; i < CLIENTS; i++) {
        const client = await example.connect();
        idle.push(client);
        await client.get("/");
        const { status } = await bounded(client.readResponse(), `answer ${i}`);
        assertEquals(status, 200);
      }
      await example.printed(/Cannot accept/);
      await requireAnswer(example);
      await idle[0].readToEnd();
      await idle.at(-1)!.get("/");
      const { status } = await bounded(
        idle.at(-1)!.readResponse(),
        "an answer",
      );
      assertEquals(status, 200, "The newest connection was not closed");
    } finally {
      for (const client of idle) client[Symbol.dispose]();
    }
    const { code, stderr } = await example.interrupt();
    assert(/too many open files/i.test(stderr), stderr);
    assertEquals(code, 0, stderr);
  },
);

exampleTest(
  "a server out of descriptors can still open its first WebSocket",
  async () => {
    await using example = await Example.start("websocket_echo.ts", {
      maxOpenFiles: MAX_OPEN_FILES,
    });
    const handshake = webSocketRequest();
    const begun: RawClient[] = [];
    try {
      for (let i = 0; i < CLIENTS; i++) {
        const client = await example.connect();
        begun.push(client);
        await client.send(handshake.slice(0, 20));
      }
      await example.printed(/Cannot accept/);
      // Some of them make room for others.
      const answers = begun.map(async (client) => {
        await client.send(handshake.slice(20));
        return await client.readHead();
      });
      const { status } = await bounded(Promise.any(answers), "an answer");
      assertEquals(status, 101);
    } finally {
      for (const client of begun) client.close();
    }
    const { code, stderr } = await example.interrupt();
    assertEquals(code, 0, stderr);
  },
);

exampleTest(
  "a server out of descriptors can still serve its first client of HTTP/2",
  async () => {
    await using example = await Example.start("hello.ts", {
      maxOpenFiles: MAX_OPEN_FILES,
    });
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const begun: RawClient[] = [];
    try {
      for (let i = 0; i < CLIENTS; i++) {
        const client = await example.connect();
        begun.push(client);
        await client.send(preface.slice(0, 20));
      }
      await example.printed(/Cannot accept/);
      // Some of them make room for others.
      const answers = begun.map(async (client) => {
        await client.send(preface.slice(20));
        return await client.readExactly(4);
      });
      const head = await bounded(Promise.any(answers), "an answer");
      assertEquals(head.charCodeAt(3), FRAME_TYPES.SETTINGS);
    } finally {
      for (const client of begun) client.close();
    }
    const { code, stderr } = await example.interrupt();
    assertEquals(code, 0, stderr);
  },
);
