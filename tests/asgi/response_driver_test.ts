// What becomes of an application's response on the wire: when its head leaves,
// lengths that are declared, large content in pieces, trailers and early hints.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { InvalidEventError } from "../../src/asgi/errors.ts";
import {
  brief,
  bytes,
  FakeWire,
  isPending,
  run,
  runFaulty,
  sendUntilFull,
} from "./_fake_wire.ts";
import { begin, last, MAX_PIECE, more } from "./_responses.ts";
import { settled } from "../_turns.ts";

// The head.

Deno.test("The head leaves with the first content, and not before", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 201 });
    await settled();
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
      await settled();
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

/** A wire that reads stable content as late as it may. */
class LateWire extends FakeWire {
  text = "";
  /** How much was given to it as stable. */
  stableBytes = 0;

  override async data(chunk: Uint8Array, _last: boolean, stable = false) {
    if (stable) this.stableBytes += chunk.length;
    const kept = stable ? chunk : chunk.slice();
    await settled();
    this.text += new TextDecoder().decode(kept);
  }
}

for (const size of [100, MAX_PIECE, 3 * MAX_PIECE]) {
  Deno.test(`Of ${size} bytes, only what their send waits for is left uncopied`, async () => {
    const wire = new LateWire();
    await run(async (_scope, _receive, send) => {
      const buffer = new Uint8Array(size);
      await begin(send);
      for (const letter of "abc") {
        buffer.fill(letter.charCodeAt(0));
        await more(send, buffer);
      }
      buffer.fill(0);
      await last(send);
    }, { wire });
    const expected = ["a", "b", "c"].map((letter) => letter.repeat(size));
    assert(wire.text === expected.join(""));
    assertEquals(wire.stableBytes, size > MAX_PIECE ? 3 * size : 0);
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

/** Text of so many bytes, in which no piece is like another. */
function pattern(size: number): string {
  let text = "";
  for (let line = 0; text.length < size; line++) text += `line ${line}\n`;
  return text.slice(0, size);
}
