// Every WebSocket example does what it says, as a user runs it, with Deno's own
// WebSocket as the client, and Ctrl-C ends it with exit code 0.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Example, exampleTest } from "./_example.ts";
import type { Ended } from "./_process.ts";
import { WebSocketClient } from "./_web_socket_client.ts";
import { type RawClient, WEBSOCKET_FIELDS } from "./e2e/_raw_client.ts";

// websocket_echo.ts

exampleTest("websocket_echo.ts sends text and bytes back", async () => {
  await using example = await Example.start("websocket_echo.ts");
  await using client = await WebSocketClient.open(example.url);
  const bytes = new Uint8Array([0, 1, 254, 255]);
  const messages = ["Hello", "", "wörld \u{1f600}", bytes, new Uint8Array()];
  for (const message of messages) client.send(message);
  for (const message of messages) assertEquals(await client.next(), message);
  assertEquals((await client.close(1000, "done")).code, 1000);
  assertClean(await example.interrupt());
});

exampleTest("websocket_echo.ts sends a message of 16 MiB back", async () => {
  await using example = await Example.start("websocket_echo.ts");
  await using client = await WebSocketClient.open(example.url);
  const text = "0123456789abcdef".repeat(1 << 20);
  client.send(text);
  const echoed = await client.next();
  assert(echoed === text, `${echoed.length} of ${text.length} came back`);
  await client.close();
  assertClean(await example.interrupt());
});

exampleTest("websocket_echo.ts agrees on compression", async () => {
  await using example = await Example.start("websocket_echo.ts");
  using client = await example.connect();
  const offer = "sec-websocket-extensions: permessage-deflate";
  await client.get("/", ...WEBSOCKET_FIELDS, offer);
  const { status, headers } = await client.readHead();
  assertEquals(status, 101);
  assertMatch(
    headers.get("sec-websocket-extensions") ?? "none",
    /^permessage-deflate\b/,
  );
  client.close();
  assertClean(await example.interrupt());
});

exampleTest("websocket_echo.ts closes with 1012 at its end", async () => {
  await using example = await Example.start("websocket_echo.ts");
  await using client = await WebSocketClient.open(example.url);
  const ended = example.interrupt();
  assertEquals((await client.closed()).code, 1012);
  assertClean(await ended);
});

for (const name of ["echo", "subprotocols", "denial"]) {
  const file = `websocket_${name}.ts`;
  exampleTest(`${file} answers plain requests with 426`, async () => {
    await using example = await Example.start(file);
    const response = await fetch(example.url);
    assertEquals(response.status, 426);
    assertEquals(response.headers.get("upgrade"), "websocket");
    assertMatch(await response.text(), /WebSocket/);
    assertClean(await example.interrupt());
  });
}

// websocket_subprotocols.ts

exampleTest("websocket_subprotocols.ts speaks what is offered", async () => {
  await using example = await Example.start("websocket_subprotocols.ts");
  await using json = await WebSocketClient.open(example.url, ["sum.json"]);
  assertEquals(json.protocol, "sum.json");
  json.send("[1, 2, 3.5]");
  assertEquals(await json.nextJson(), { sum: 6.5 });
  await using text = await WebSocketClient.open(example.url, ["sum.text"]);
  assertEquals(text.protocol, "sum.text");
  text.send("1 2\n3.5");
  assertEquals(await text.next(), "6.5");
  await json.close();
  await text.close();
  assertClean(await example.interrupt());
});

exampleTest("websocket_subprotocols.ts heeds the client's order", async () => {
  await using example = await Example.start("websocket_subprotocols.ts");
  const names = ["sum.xml", "sum.text", "sum.json"];
  await using client = await WebSocketClient.open(example.url, names);
  assertEquals(client.protocol, "sum.text");
  names.reverse();
  await using other = await WebSocketClient.open(example.url, names);
  assertEquals(other.protocol, "sum.json");
  await client.close();
  await other.close();
  assertClean(await example.interrupt());
});

exampleTest("websocket_subprotocols.ts refuses what it lacks", async () => {
  await using example = await Example.start("websocket_subprotocols.ts");
  for (const names of [["sum.xml"], []]) {
    await assertRejects(
      () => WebSocketClient.open(example.url, names),
      Error,
      "Cannot open WebSocket",
    );
  }
  using client = await example.connect();
  await client.get("/", ...WEBSOCKET_FIELDS, "sec-websocket-protocol: sum.xml");
  assertEquals((await client.readResponse()).status, 403);
  client.close();
  assertClean(await example.interrupt());
});

exampleTest(
  "websocket_subprotocols.ts closes on what it cannot add",
  async () => {
    await using example = await Example.start("websocket_subprotocols.ts");
    for (
      const [message, code] of [
        ["[1, null]", 1007],
        ["1 2", 1007],
        ["{}", 1007],
        [new Uint8Array([1]), 1003],
      ] as const
    ) {
      await using client = await WebSocketClient.open(example.url, [
        "sum.json",
      ]);
      client.send(message);
      assertEquals((await client.closed()).code, code);
    }
    assertClean(await example.interrupt());
  },
);

// websocket_denial.ts

exampleTest(
  "websocket_denial.ts denies with 401 without the token",
  async () => {
    await using example = await Example.start("websocket_denial.ts");
    for (const path of ["/", "/?token=", "/?token=wrong"]) {
      using client = await example.connect();
      await client.get(path, ...WEBSOCKET_FIELDS);
      const { status, headers, body } = await client.readResponse();
      assertEquals([status, headers.get("www-authenticate")], [401, "Bearer"]);
      assertEquals(body, "Come back with the token\n");
      await assertRejects(
        () => WebSocketClient.open(new URL(path, example.url)),
        Error,
        "Cannot open WebSocket",
      );
    }
    assertClean(await example.interrupt());
  },
);

exampleTest("websocket_denial.ts lets the token through", async () => {
  const env = { TOKEN: "token of the test" };
  await using example = await Example.start("websocket_denial.ts", { env });
  const url = new URL("?token=token+of+the+test", example.url);
  await using client = await WebSocketClient.open(url);
  assertEquals(await client.next(), "Welcome");
  using raw = await example.connect();
  await raw.get(
    "/",
    ...WEBSOCKET_FIELDS,
    "authorization: Bearer token of the test",
  );
  assertEquals((await raw.readHead()).status, 101);
  raw.close();
  await client.close();
  assertClean(await example.interrupt());
});

// chat.ts

exampleTest("chat.ts serves its page, and nothing else", async () => {
  await using example = await Example.start("chat.ts");
  const page = await fetch(example.url);
  assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
  assertMatch(await page.text(), /^<!DOCTYPE html>/);
  const other = await fetch(new URL("other", example.url));
  assertEquals([other.status, await other.text()], [404, "Not found\n"]);
  using client = await example.connect();
  await client.get("/other", ...WEBSOCKET_FIELDS);
  assertEquals((await client.readResponse()).status, 403);
  client.close();
  assertClean(await example.interrupt());
});

exampleTest(
  "chat.ts sends all members what is said, and who comes and goes",
  async () => {
    await using example = await Example.start("chat.ts");
    await using ann = await enter(example, "Ann");
    const welcome = { type: "welcome", name: "Ann", names: ["Ann"] };
    assertEquals(await ann.nextJson(), welcome);
    await using bob = await enter(example, "  Bob\n the  Builder ");
    const name = "Bob the Builder";
    assertEquals(await ann.nextJson(), { type: "join", name });
    const both = { type: "welcome", name, names: ["Ann", name] };
    assertEquals(await bob.nextJson(), both);
    bob.send("   ");
    bob.send("<b>Hello</b>");
    const hello = { type: "say", name, text: "<b>Hello</b>" };
    assertEquals(await ann.nextJson(), hello);
    assertEquals(await bob.nextJson(), hello);
    await bob.close();
    assertEquals(await ann.nextJson(), { type: "leave", name });
    await ann.close();
    assertClean(await example.interrupt());
  },
);

exampleTest("chat.ts gives nobody a name that is taken", async () => {
  await using example = await Example.start("chat.ts");
  await using first = await enter(example, "Ann");
  await first.next();
  await using second = await enter(example, "Ann");
  const names = ["Ann", "Ann 2"];
  const welcome = { type: "welcome", name: "Ann 2", names };
  assertEquals(await second.nextJson(), welcome);
  await first.close();
  assertEquals(await second.nextJson(), { type: "leave", name: "Ann" });
  await using third = await enter(example, "Ann");
  const again = { type: "welcome", name: "Ann", names: ["Ann 2", "Ann"] };
  assertEquals(await third.nextJson(), again);
  await second.close();
  await third.close();
  assertClean(await example.interrupt());
});

exampleTest(
  "chat.ts closes on no name, bytes, and too long a text",
  async () => {
    await using example = await Example.start("chat.ts");
    await using ann = await enter(example, "Ann");
    await ann.next();
    await using nobody = await enter(example, " ");
    assertEquals(await nobody.closed(), { code: 4400, reason: "Who are you?" });
    for (
      const [message, code] of [
        [new Uint8Array([1]), 1003],
        ["x".repeat(16 * 1024 + 1), 1009],
      ] as const
    ) {
      await using bob = await enter(example, "Bob");
      assertEquals(await ann.nextJson(), { type: "join", name: "Bob" });
      bob.send(message);
      assertEquals((await bob.closed()).code, code);
      assertEquals(await ann.nextJson(), { type: "leave", name: "Bob" });
    }
    await ann.close();
    assertClean(await example.interrupt());
  },
);

exampleTest(
  "chat.ts notices a client that is lost without a close",
  async () => {
    await using example = await Example.start("chat.ts");
    await using ann = await enter(example, "Ann");
    await ann.next();
    const raw = await enterRaw(example, "Bob");
    assertEquals(await ann.nextJson(), { type: "join", name: "Bob" });
    raw.close();
    assertEquals(await ann.nextJson(), { type: "leave", name: "Bob" });
    await ann.close();
    assertClean(await example.interrupt());
  },
);

exampleTest("chat.ts holds nobody up for one who does not read", async () => {
  await using example = await Example.start("chat.ts");
  await using ann = await enter(example, "Ann");
  await using bob = await enter(example, "Bob");
  for (const client of [ann, ann, bob]) await client.next();
  using raw = await enterRaw(example, "Slow");
  for (const client of [ann, bob]) {
    assertEquals(await client.nextJson(), { type: "join", name: "Slow" });
  }
  // More than what any buffer on the way takes: then Slow has to go. Ann is
  // some messages ahead of what is heard, or small packets would be waited for.
  const rest = "x".repeat(16_000);
  let said = 0;
  for (let gone = false; !gone;) {
    const texts = Array.from({ length: 16 }, (_, i) => `${said + i} ${rest}`);
    said += texts.length;
    for (const text of texts) ann.send(text);
    for (const client of [ann, bob]) {
      for (const text of texts) {
        let event = await client.nextJson();
        if (isSame(event, { type: "leave", name: "Slow" })) {
          gone = true;
          event = await client.nextJson();
        }
        assert(isSame(event, { type: "say", name: "Ann", text }), `${said}`);
      }
    }
  }
  // The others are as well as before.
  bob.send("Still here?");
  const question = { type: "say", name: "Bob", text: "Still here?" };
  assertEquals(await ann.nextJson(), question);
  assertEquals(await bob.nextJson(), question);
  // Slow finds what had waited for it, and then why nothing followed.
  let frames = 0;
  let frame = await readFrame(raw);
  for (; frame.opcode === 1; frames++) frame = await readFrame(raw);
  const payload = "\x03\xf5Too slow for this room";
  assertEquals(frame, { opcode: 8, payload });
  assert(frames > 64 && frames < said + 2, `${frames} of ${said} came`);
  await raw.send(new Uint8Array([0x88, 0x80, 1, 2, 3, 4]));
  assertEquals(await raw.readToEnd(), "");
  raw.close();
  await ann.close();
  await bob.close();
  assertClean(await example.interrupt());
});

exampleTest("chat.ts keeps one who says much at once in the room", async () => {
  await using example = await Example.start("chat.ts");
  await using ann = await enter(example, "Ann");
  await using bob = await enter(example, "Bob");
  for (const client of [ann, ann, bob]) await client.next();
  const texts = Array.from({ length: 1000 }, (_, i) => `${i}`);
  for (const text of texts) ann.send(text);
  for (const client of [ann, bob]) {
    for (const text of texts) {
      const said = { type: "say", name: "Ann", text };
      assertEquals(await client.nextJson(), said);
    }
  }
  await ann.close();
  await bob.close();
  assertClean(await example.interrupt());
});

exampleTest("chat.ts closes with 1012 at its end", async () => {
  await using example = await Example.start("chat.ts");
  await using ann = await enter(example, "Ann");
  await ann.next();
  const ended = example.interrupt();
  assertEquals((await ann.closed()).code, 1012);
  assertClean(await ended);
});

/** Enters the room, and reads nothing yet. */
function enter(example: Example, name: string): Promise<WebSocketClient> {
  return WebSocketClient.open(roomOf(example, name));
}

/** Enters the room as a client that reads only the handshake. */
async function enterRaw(example: Example, name: string): Promise<RawClient> {
  const { pathname, search } = roomOf(example, name);
  const client = await example.connect();
  await client.get(`${pathname}${search}`, ...WEBSOCKET_FIELDS);
  assertEquals((await client.readHead()).status, 101);
  return client;
}

/** Reads one frame of a server's. */
async function readFrame(
  client: RawClient,
): Promise<{ opcode: number; payload: string }> {
  const [first, second] = bytesOf(await client.readExactly(2));
  let length = second;
  if (length === 126) {
    const [high, low] = bytesOf(await client.readExactly(2));
    length = high * 256 + low;
  }
  assertEquals(first & 0xf0, 0x80);
  return { opcode: first & 0x0f, payload: await client.readExactly(length) };
}

function bytesOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function roomOf(example: Example, name: string): URL {
  const url = new URL("chat", example.url);
  url.searchParams.set("name", name);
  return url;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Asserts that an example has ended by itself, and printed no errors. */
function assertClean({ code, stdout, stderr }: Ended): void {
  assertEquals(code, 0, stderr);
  assertEquals(/error/i.exec(stdout + stderr), null, stdout + stderr);
}
