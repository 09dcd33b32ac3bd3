// What becomes of an application's response on the wire: when its head leaves,
// lengths that are declared, large content in pieces, trailers and early hints,
// the client's pace, and the order of events that nobody awaits.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import {
  ClientDisconnected,
  InvalidEventError,
} from "../../src/asgi/errors.ts";
import type { HeaderLike, Send } from "../../src/asgi/types.ts";
import {
  brief,
  bytes,
  FakeWire,
  isPending,
  nextTurn,
  run,
  runFaulty,
  sendUntilFull,
} from "./_fake_wire.ts";
import { unawaited } from "../_unawaited.ts";

/** The largest piece of content that a wire is given at once. */
const MAX_PIECE = 64 * 1024;

function begin(
  send: Send,
  headers: HeaderLike[] = [],
  status = 200,
): Promise<void> {
  return send({ type: "http.response.start", status, headers });
}

function more(send: Send, body: string | Uint8Array): Promise<void> {
  return send({ type: "http.response.body", body, more_body: true });
}

function last(send: Send, body: string | Uint8Array = ""): Promise<void> {
  return send({ type: "http.response.body", body });
}

// The head.

Deno.test("The head leaves with the first content, and not before", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 201 });
    await nextTurn();
    assertEquals(wire.calls, []);
    await last(send, "a");
  }, { wire });
  assertEquals(wire.calls, [["head", 201, []], ["data", "a", true]]);
});

Deno.test("The head has names in lowercase, in the order of the application", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await begin(send, [
      ["X-B", "1"],
      [bytes("Set-Cookie"), bytes("a=1")],
      ["set-cookie", "b=\xe9"],
    ]);
    await last(send);
  });
  assertEquals(wire.calls[0], ["head", 200, [
    ["x-b", "1"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=\xe9"],
  ]]);
});

Deno.test("The head is what it was when it was sent", async () => {
  const headers: [string, string][] = [["a", "1"]];
  const { wire } = await run(async (_scope, _receive, send) => {
    await begin(send, headers);
    headers[0][1] = "changed";
    headers.push(["b", "2"]);
    await last(send);
  });
  assertEquals(wire.calls[0], ["head", 200, [["a", "1"]]]);
});

Deno.test("A head with CR LF is refused, and the application can answer otherwise", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await assertRejects(
      () => begin(send, [["location", "/\r\nset-cookie: a"]]),
      InvalidEventError,
      "the value of location must be a byte string without controls",
    );
    await begin(send, [], 400);
    await last(send);
  });
  assertEquals(wire.calls, [["head", 400, []], ["data", "", true]]);
});

Deno.test("Content of text leaves as UTF-8, and content may be empty", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await begin(send);
    await more(send, "é");
    await more(send, "");
    await more(send, bytes("🦕"));
    await send({ type: "http.response.body" });
  });
  assertEquals(wire.content, "é🦕");
  assertEquals(wire.calls.at(-1), ["data", "", true]);
});

// Declared lengths.

const LENGTHS: readonly [what: string, length: number, content: string[]][] = [
  ["no content", 0, [""]],
  ["content in one event", 5, ["Hello"]],
  ["content in several events", 5, ["He", "", "llo"]],
  ["content whose end comes alone", 5, ["Hello", ""]],
];

for (const [what, length, content] of LENGTHS) {
  Deno.test(`A declared length is met by ${what}`, async () => {
    const { wire } = await run(async (_scope, _receive, send) => {
      await begin(send, [["content-length", String(length)]]);
      for (const body of content.slice(0, -1)) await more(send, body);
      await last(send, content.at(-1));
    });
    assertEquals(wire.content, content.join(""));
    assertEquals(wire.calls.at(-1), ["data", content.at(-1)!, true]);
  });
}

const MISSED: readonly [what: string, content: string[], left: string[]][] = [
  ["too many bytes at once", ["Hello!"], []],
  ["too many bytes in the end", ["Hell", "o!"], ["Hell"]],
  ["a byte after the last that was due", ["Hello", "!"], ["Hello"]],
  ["too few bytes at once", ["Hell"], []],
  ["too few bytes in the end", ["He", "ll"], ["He"]],
  ["no bytes", [""], []],
  ["far too many bytes", ["x".repeat(MAX_PIECE), "x"], []],
];

for (const [what, content, left] of MISSED) {
  Deno.test(`A declared length that is missed by ${what} breaks the response`, async () => {
    const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
      await begin(send, [["content-length", "5"]]);
      for (const body of left) await more(send, body);
      const [body, ...rest] = content.slice(left.length);
      await assertRejects(
        () => rest.length > 0 ? more(send, body) : last(send, body),
        InvalidEventError,
        "bytes where content-length declared 5",
      );
      await nextTurn();
      await assertRejects(() => last(send, "o"));
    });
    assertBroken(errors);
    const sent = left.map((body) => ["data", body, false]);
    assertEquals(
      wire.calls as unknown[],
      left.length > 0
        ? [["head", 200, [["content-length", "5"]]], ...sent, ["abort"]]
        : [["refuse", 500]],
    );
  });
}

/** A response that is cut is a fault, although its rejection was caught. */
function assertBroken(errors: readonly unknown[]): void {
  assertEquals(errors.map(String), [
    "Error: Cannot complete response: the application has returned",
  ]);
  assertInstanceOf((errors[0] as Error).cause, InvalidEventError);
}

Deno.test("A declared length counts bytes, not characters", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await begin(send, [["content-length", "2"]]);
    await last(send, "é");
  });
  assertEquals(wire.calls.at(-1), ["data", "é", true]);
  const { wire: short } = await runFaulty(async (_scope, _receive, send) => {
    await begin(send, [["content-length", "1"]]);
    await assertRejects(
      () => last(send, "é"),
      InvalidEventError,
      "2 bytes where content-length declared 1",
    );
  });
  assertEquals(short.calls, [["refuse", 500]]);
});

Deno.test("A declared length that is missed by large content is never taken for a whole response", async () => {
  const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
    await begin(send, [["content-length", String(3 * MAX_PIECE)]]);
    await assertRejects(
      () => last(send, "x".repeat(4 * MAX_PIECE)),
      InvalidEventError,
      "content-length declared",
    );
  });
  assertBroken(errors);
  assertEquals(wire.calls, [["refuse", 500]]);
});

for (const status of [204, 205, 304]) {
  Deno.test(`A response of status ${status} needs no content for its length`, async () => {
    const { wire } = await run(async (_scope, _receive, send) => {
      await begin(send, [["content-length", "5"]], status);
      await last(send);
    });
    assertEquals(wire.calls, [
      ["head", status, [["content-length", "5"]]],
      ["data", "", true],
    ]);
  });
}

for (const content of [[""], ["Hello"], ["He", "llo"], ["far too long"]]) {
  Deno.test(`A response to HEAD keeps its length, whatever its content: ${content}`, async () => {
    const { wire } = await run(async (_scope, _receive, send) => {
      await begin(send, [["content-length", "5"]]);
      for (const body of content) await more(send, body);
      await last(send);
    }, { bodyless: true });
    assertEquals(wire.calls[0], ["head", 200, [["content-length", "5"]]]);
    assertEquals(wire.calls.at(-1), ["data", "", true]);
  });
}

// Large content.

for (const size of [MAX_PIECE, MAX_PIECE + 1, 5 * MAX_PIECE + 3]) {
  for (const isText of [true, false]) {
    Deno.test(`${size} bytes of ${isText ? "text" : "a buffer"} leave whole, in pieces that are not too large`, async () => {
      const content = pattern(size);
      const { wire } = await run(async (_scope, _receive, send) => {
        await begin(send, [["content-length", String(size)]]);
        await last(send, isText ? content : bytes(content));
      });
      assert(wire.content === content);
      const data = wire.calls.filter((call) => call[0] === "data");
      assert(data.every(([, text]) => text.length <= MAX_PIECE));
      assertEquals(data.map(([, , end]) => end).indexOf(true), data.length - 1);
    });
  }
}

Deno.test("Large content leaves at the client's pace, piece by piece", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    wire.hold();
    const sent = last(send, pattern(10 * MAX_PIECE));
    assert(await isPending(sent));
    assertEquals(wire.content.length, MAX_PIECE);
    wire.release();
    await sent;
    assertEquals(wire.content.length, 10 * MAX_PIECE);
  }, { wire });
});

for (const size of [100, 3 * MAX_PIECE]) {
  Deno.test(`A buffer of ${size} bytes can be used again once it was sent`, async () => {
    const { wire } = await run(async (_scope, _receive, send) => {
      const buffer = new Uint8Array(size);
      await begin(send);
      for (const letter of "abc") {
        buffer.fill(letter.charCodeAt(0));
        await more(send, buffer);
      }
      buffer.fill(0);
      await last(send);
    });
    const expected = ["a", "b", "c"].map((letter) => letter.repeat(size));
    assert(wire.content === expected.join(""));
  });
}

// Trailers and early hints.

Deno.test("Trailers leave together, after content that is not the last", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: true });
    await last(send, "a");
    await send({
      type: "http.response.trailers",
      headers: [["X-A", "1"]],
      more_trailers: true,
    });
    await send({
      type: "http.response.trailers",
      headers: [[bytes("x-b"), bytes("2")], ["x-a", "3"]],
    });
  });
  assertEquals(wire.calls, [
    ["head", 200, []],
    ["data", "a", false],
    ["trailers", [["x-a", "1"], ["x-b", "2"], ["x-a", "3"]]],
  ]);
});

Deno.test("Trailers may be none", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: true });
    await last(send);
    await send({ type: "http.response.trailers" });
  });
  assertEquals(wire.calls.at(-1), ["trailers", []]);
});

Deno.test("A response with trailers is not complete before them", async () => {
  await run(async (_scope, receive, send) => {
    await receive();
    const next = receive();
    await send({ type: "http.response.start", status: 200, trailers: true });
    await last(send);
    assert(await isPending(next));
    await send({ type: "http.response.trailers" });
    assertEquals(brief(await next), "disconnect");
  });
});

Deno.test("Early hints leave at once, each as a 103", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    const type = "http.response.early_hint";
    await send({ type, links: ["</a>; rel=preload", bytes("</b>")] });
    assertEquals(wire.calls, [
      ["informational", 103, [["link", "</a>; rel=preload"], ["link", "</b>"]]],
    ]);
    await send({ type, links: ["</c>"] });
    await begin(send);
    await last(send);
  }, { wire });
  assertEquals(wire.calls.slice(1), [
    ["informational", 103, [["link", "</c>"]]],
    ["head", 200, []],
    ["data", "", true],
  ]);
});

Deno.test("Early hints that the wire can't send are refused, and change nothing", async () => {
  const wire = new FakeWire();
  wire.earlyHints = false;
  await run(async (_scope, _receive, send) => {
    const links = ["</a>"];
    await assertRejects(
      () => send({ type: "http.response.early_hint", links }),
      InvalidEventError,
      "Cannot send http.response.early_hint: the scope does not offer it",
    );
    await begin(send);
    await last(send);
  }, { wire });
  assertEquals(wire.calls, [["head", 200, []], ["data", "", true]]);
});

Deno.test("Early hints keep to the client's pace", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    wire.hold();
    const type = "http.response.early_hint";
    const links = ["</a>"];
    const { waiting } = await sendUntilFull(() => send({ type, links }));
    assertEquals(wire.calls.length, 1);
    wire.release();
    await waiting;
    await begin(send);
    await last(send);
  }, { wire });
});

// The client's pace.

for (const [size, room] of [[1, 5], [2048, 5], [2049, 1], [MAX_PIECE, 1]]) {
  Deno.test(`Of events of ${size} bytes, ${room} have room where the wire holds them back, and then one for each that it takes`, async () => {
    const wire = new FakeWire();
    await run(async (_scope, _receive, send) => {
      await begin(send);
      wire.hold();
      const body = "a".repeat(size);
      const { count, waiting } = await sendUntilFull(() => more(send, body));
      assertEquals(count, room);
      assertEquals(wire.content.length, size);
      wire.release();
      await waiting;
      await last(send);
      assertEquals(wire.content.length, (room + 1) * size);
    }, { wire });
  });
}

Deno.test("A send of large content resolves when the wire has taken it, and not before", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    for (const letter of ["a", "b"]) {
      wire.hold();
      const sent = more(send, letter.repeat(MAX_PIECE + 1));
      assert(await isPending(sent));
      wire.release();
      await sent;
    }
    await last(send);
  }, { wire });
});

for (const size of [100, 3 * MAX_PIECE]) {
  Deno.test(`A buffer of ${size} bytes can be used again once it was sent, while the wire holds content back`, async () => {
    const wire = new FakeWire();
    await run(async (_scope, _receive, send) => {
      const buffer = new Uint8Array(size);
      await begin(send);
      wire.hold();
      for (const letter of "abcdefghij") {
        buffer.fill(letter.charCodeAt(0));
        const sent = more(send, buffer);
        if (!await isPending(sent)) continue;
        wire.release();
        await sent;
        wire.hold();
      }
      buffer.fill(0);
      wire.release();
      await last(send);
    }, { wire });
    const expected = [..."abcdefghij"].map((letter) => letter.repeat(size));
    assert(wire.content === expected.join(""));
  });
}

Deno.test("While the wire holds content back, no further event reaches it", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    wire.hold();
    const sends = [more(send, "a"), more(send, "b"), last(send, "c")];
    await nextTurn();
    assertEquals(wire.content, "a");
    wire.release();
    await Promise.all(sends);
    await nextTurn();
    assertEquals(wire.content, "abc");
  }, { wire });
});

Deno.test("A response is complete when the wire has taken its end", async () => {
  const wire = new FakeWire();
  await run(async (_scope, receive, send) => {
    await receive();
    await begin(send);
    wire.hold();
    const sent = last(send);
    const next = receive();
    assert(await isPending(next));
    wire.release();
    await sent;
    assertEquals(brief(await next), "disconnect");
  }, { wire });
});

Deno.test("An application may answer before the content has arrived, and read on", async () => {
  const wire = new FakeWire([], true);
  await run(async (_scope, receive, send) => {
    await begin(send);
    for (const text of ["a", "b", "c"]) {
      const event = receive();
      assert(await isPending(event));
      wire.arrive(text);
      assertEquals(brief(await event), `body ${text}, more`);
      await more(send, text);
      assertEquals(wire.content.at(-1), text);
    }
    wire.endBody();
    assertEquals(brief(await receive()), "body ");
    await last(send);
  }, { wire });
  assertEquals(wire.content, "abc");
});

Deno.test("A send that waits does not hold up what is received", async () => {
  const wire = new FakeWire(["a", "b"]);
  await run(async (_scope, receive, send) => {
    await begin(send);
    wire.hold();
    const sent = last(send, "held back");
    assertEquals(brief(await receive()), "body a, more");
    assertEquals(brief(await receive()), "body b");
    wire.release();
    await sent;
  }, { wire });
});

Deno.test("A send that waits is released when the client is lost", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await begin(send);
    wire.hold();
    const { waiting } = await sendUntilFull(() => more(send, "a"));
    wire.disconnectClient("lost");
    await assertRejects(() => waiting, ClientDisconnected);
    await assertRejects(() => more(send, "a"), ClientDisconnected);
  }, { wire });
  assertEquals(wire.content, "a");
});

// Sends that nobody awaits.

Deno.test("Events that nobody awaits leave in their order, and whole", async () => {
  const { wire } = await run((_scope, _receive, send) => {
    unawaited(begin(send, [["a", "1"]]));
    unawaited(more(send, "a"));
    unawaited(more(send, "b"));
    unawaited(last(send, "c"));
  });
  assertEquals(wire.calls, [
    ["head", 200, [["a", "1"]]],
    ["data", "a", false],
    ["data", "b", false],
    ["data", "c", true],
  ]);
});

Deno.test("Large and small contents that nobody awaits leave in their order, and whole", async () => {
  const parts = ["a", "b", "c", "d", "e"].map((letter, index) =>
    letter.repeat(index % 3 === 2 ? 1 : 3 * MAX_PIECE)
  );
  const { wire } = await run((_scope, _receive, send) => {
    unawaited(begin(send));
    for (const part of parts) unawaited(more(send, part));
    unawaited(last(send, "end"));
  });
  assert(wire.content === parts.join("") + "end", "The content is not whole");
  assertEquals(wire.calls.at(-1), ["data", "end", true]);
});

Deno.test("What is sent after an awaited large content leaves after what was sent before", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    unawaited(begin(send));
    const first = more(send, "a".repeat(2 * MAX_PIECE));
    unawaited(more(send, "b"));
    await first;
    unawaited(last(send, "c"));
  });
  assertEquals(wire.content.slice(-3), "abc");
});

Deno.test("What is faulty after a large content rejects alone", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    unawaited(begin(send));
    const large = more(send, "a".repeat(2 * MAX_PIECE));
    await assertRejects(() => begin(send), InvalidEventError, "is due");
    await large;
    await last(send, "b");
  });
  assertEquals(wire.content.slice(-2), "ab");
});

Deno.test("send works apart from its call", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    const bound = send.bind(null);
    await bound({ type: "http.response.start", status: 200 });
    await [{ type: "http.response.body" as const, body: "a" }].map(bound)[0];
  });
  assertEquals(wire.content, "a");
});

Deno.test("What is sent after a complete response is ignored, and noted", async () => {
  const { wire, ignored } = await run(async (_scope, _receive, send) => {
    await begin(send);
    await last(send, "a");
    await last(send, "b");
    await begin(send);
  });
  assertEquals(wire.content, "a");
  assertEquals(ignored, ["http.response.body", "http.response.start"]);
});

Deno.test("A fault of the wire is the client's loss: the response is cut, and sends reject", async () => {
  const wire = new FakeWire();
  const { errors } = await runFaulty(async (_scope, _receive, send) => {
    await begin(send);
    wire.failSends(); // Not reported: only the write shows it.
    await more(send, "a");
    await nextTurn();
    const error = await assertRejects(
      () => more(send, "b"),
      ClientDisconnected,
    );
    assert(error.cause instanceof Error);
    await assertRejects(() => last(send), ClientDisconnected);
  }, { wire });
  assertEquals(errors, []);
  assertEquals(wire.calls.at(-1), ["abort"]);
});

/** Text of so many bytes, in which no piece is like another. */
function pattern(size: number): string {
  let text = "";
  for (let line = 0; text.length < size; line++) text += `line ${line}\n`;
  return text.slice(0, size);
}
