// Files as content: `http.response.pathsend` opens and closes a file by itself,
// `http.response.zerocopysend` reads one that the application keeps.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  ClientDisconnected,
  InvalidEventError,
} from "../../src/asgi/errors.ts";
import { show } from "../../src/asgi/event_checks.ts";
import { readFilePieces } from "../../src/asgi/file_pieces.ts";
import type { Send } from "../../src/asgi/types.ts";
import {
  FakeFile,
  FakeWire,
  isPending,
  run,
  runFaulty,
  start,
} from "./_fake_wire.ts";
import { begin } from "./_responses.ts";
import { letsOthersIn } from "../_lets_others_in.ts";
import { unawaited } from "../_unawaited.ts";

const LARGE = "0123456789abcdef".repeat(20_000);

function sendPath(send: Send, path = "/srv/a.txt"): Promise<void> {
  return send({ type: "http.response.pathsend", path });
}

/** Opens one file, whatever its path, and notes the paths. */
function opener(file: FakeFile, paths: string[] = []) {
  return (path: string): Promise<FakeFile> => {
    paths.push(path);
    return Promise.resolve(file);
  };
}

// http.response.pathsend

for (const content of ["", "short", LARGE]) {
  Deno.test(`A path is sent as the whole content, of ${content.length} bytes, and its file closed`, async () => {
    const file = new FakeFile(content);
    const paths: string[] = [];
    const { wire } = await run(async (_scope, _receive, send) => {
      await begin(send, [["content-length", String(content.length)]]);
      await sendPath(send);
      assert(file.closed);
    }, { openFile: opener(file, paths) });
    assertEquals(paths, ["/srv/a.txt"]);
    assert(wire.content === content);
    assertEquals(wire.calls.at(-1), ["data", "", true]);
  });
}

Deno.test("A file lets others in, however many pieces it is read in", async () => {
  const file = new FakeFile("a".repeat(10_000), 1);
  const letIn = await letsOthersIn(async () => {
    await run(async (_scope, _receive, send) => {
      await begin(send);
      await sendPath(send);
    }, { openFile: opener(file) });
  });
  assert(letIn, "The file kept the event loop to itself");
});

Deno.test("A file that is read in small pieces is sent whole", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await begin(send);
    await sendPath(send);
  }, { openFile: opener(new FakeFile("abcdefg", 3)) });
  assertEquals(wire.content, "abcdefg");
});

Deno.test("A path that cannot be opened rejects, and the application can still answer", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await begin(send);
    await assertRejects(() => sendPath(send), Error, "Cannot open /srv/a.txt");
    await send({ type: "http.response.body", body: "gone" });
  });
  assertEquals(wire.calls, [["head", 200, []], ["data", "gone", true]]);
});

Deno.test("A path that cannot be opened becomes a 500, if the application lets it", async () => {
  const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
    await begin(send);
    await sendPath(send);
  });
  assertEquals(wire.calls, [["refuse", 500]]);
  assertEquals(errors.map(String), [
    "Error: Cannot open /srv/a.txt: there is no such file",
  ]);
});

Deno.test("A relative path opens nothing, and the application can still answer", async () => {
  const paths: string[] = [];
  const { wire } = await run(async (_scope, _receive, send) => {
    await begin(send);
    await assertRejects(
      () => sendPath(send, "srv/a.txt"),
      InvalidEventError,
      'path must be an absolute path, not "srv/a.txt"',
    );
    await send({ type: "http.response.body", body: "a" });
  }, { openFile: opener(new FakeFile("secret"), paths) });
  assertEquals(paths, []);
  assertEquals(wire.content, "a");
});

Deno.test("A path is not mixed with other content", async () => {
  const paths: string[] = [];
  const { wire, ignored } = await run(async (_scope, _receive, send) => {
    await begin(send);
    await send({ type: "http.response.body", body: "a", more_body: true });
    await assertRejects(
      () => sendPath(send),
      InvalidEventError,
      "content was sent before",
    );
    await send({ type: "http.response.body", body: "b" });
  }, { openFile: opener(new FakeFile("file"), paths) });
  assertEquals(wire.content, "ab");
  assertEquals([paths, ignored], [[], []]);
});

Deno.test("After a path, content and a second path are ignored", async () => {
  const paths: string[] = [];
  const { wire, ignored } = await run((_scope, _receive, send) => {
    unawaited(begin(send));
    unawaited(sendPath(send));
    unawaited(sendPath(send));
    send({ type: "http.response.body", body: "more" });
  }, { openFile: opener(new FakeFile("file"), paths) });
  assertEquals(wire.content, "file");
  assertEquals(paths.length, 1);
  assertEquals(ignored, ["http.response.pathsend", "http.response.body"]);
});

Deno.test("A path may be followed by trailers", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: true });
    await sendPath(send);
    await send({ type: "http.response.trailers", headers: [["a", "1"]] });
  }, { openFile: opener(new FakeFile("file")) });
  assertEquals(wire.content, "file");
  assertEquals(wire.calls.at(-1), ["trailers", [["a", "1"]]]);
});

for (const [what, length] of [["shorter", "9"], ["longer", "3"]]) {
  Deno.test(`A file that is ${what} than its declared length is no whole response`, async () => {
    const file = new FakeFile("file");
    const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
      await begin(send, [["content-length", length]]);
      await assertRejects(
        () => sendPath(send),
        InvalidEventError,
        `content-length declared ${length}`,
      );
    }, { openFile: opener(file) });
    assertEquals(errors.length, 1);
    assert(file.closed);
    assert(["abort", "refuse"].includes(wire.calls.at(-1)![0]));
    assert(!wire.calls.some((call) => call[0] === "data" && call[2]));
  });
}

Deno.test("A file is sent at the client's pace, and closed when the client is lost", async () => {
  const wire = new FakeWire();
  const file = new FakeFile(LARGE);
  await run(async (_scope, _receive, send) => {
    await begin(send);
    wire.hold();
    const sent = sendPath(send);
    assert(await isPending(sent));
    assert(wire.content.length < LARGE.length);
    assertEquals(file.closed, false);
    wire.disconnectClient("lost");
    await assertRejects(() => sent, ClientDisconnected);
    assert(file.closed);
  }, { wire, openFile: opener(file) });
});

Deno.test("A file that fails amid its content cuts the response, and is closed", async () => {
  const file = new FakeFile(LARGE, 1000);
  const wire = new FakeWire();
  const { errors } = await runFaulty(async (_scope, _receive, send) => {
    await begin(send);
    wire.hold();
    const sent = sendPath(send);
    await isPending(sent);
    file.read = () => Promise.reject(new Error("fault of the disk"));
    wire.release();
    await sent;
  }, { wire, openFile: opener(file) });
  assertEquals(errors.map(String), ["Error: fault of the disk"]);
  assertEquals(wire.calls.at(-1), ["abort"]);
  assert(file.closed);
});

Deno.test("A file stops, and is closed, when the application throws meanwhile", async () => {
  const file = new FakeFile(LARGE, 1000);
  const wire = new FakeWire();
  const { finished } = start(async (_scope, _receive, send) => {
    await begin(send);
    wire.hold();
    const sent = sendPath(send);
    assert(await isPending(sent));
    unawaited(sent);
    wire.release();
    throw new Error("fault of the test");
  }, { wire, openFile: opener(file) });
  await finished;
  assertEquals(wire.content.length, 1000);
  assertEquals(wire.calls.at(-1), ["abort"]);
  assert(file.closed);
});

// http.response.zerocopysend

const PARTS: readonly [
  what: string,
  part: { offset?: number; count?: number },
  content: string,
][] = [
  ["whole", {}, "0123456789"],
  ["from an offset", { offset: 4 }, "456789"],
  ["from its beginning", { offset: 0 }, "0123456789"],
  ["up to a count", { count: 3 }, "012"],
  ["as a part", { offset: 2, count: 5 }, "23456"],
  ["up to its end, if the count is beyond", { offset: 8, count: 99 }, "89"],
  ["as nothing, if the count is 0", { count: 0 }, ""],
  ["as nothing, if the offset is its end", { offset: 10 }, ""],
  ["as nothing, if the offset is beyond", { offset: 99 }, ""],
];

for (const [what, part, content] of PARTS) {
  for (const maxRead of [Infinity, 2]) {
    Deno.test(`A file is sent ${what}, ${maxRead} bytes a read, and left open`, async () => {
      const file = new FakeFile("0123456789", maxRead);
      const { wire } = await run(async (_scope, _receive, send) => {
        await begin(send, [["content-length", String(content.length)]]);
        await send({ type: "http.response.zerocopysend", file, ...part });
      });
      assertEquals(wire.content, content);
      assertEquals(wire.calls.at(-1), ["data", "", true]);
      assertEquals(file.closed, false);
    });
  }
}

Deno.test("A file without offset is sent from where it stands", async () => {
  const file = new FakeFile("0123456789");
  const { wire } = await run(async (_scope, _receive, send) => {
    await begin(send);
    await file.seek(3, 0);
    const type = "http.response.zerocopysend";
    await send({ type, file, count: 2, more_body: true });
    await send({ type, file, count: 3 });
  });
  assertEquals(wire.content, "34567");
});

Deno.test("Files and other content can be mixed, in the order in which they were sent", async () => {
  const { wire } = await run((_scope, _receive, send) => {
    const file = new FakeFile("0123456789", 3);
    const type = "http.response.zerocopysend";
    unawaited(begin(send));
    send({ type: "http.response.body", body: "<", more_body: true });
    send({ type, file, offset: 5, more_body: true });
    send({ type: "http.response.body", body: "|", more_body: true });
    send({ type, file, offset: 0, count: 5, more_body: true });
    send({ type: "http.response.body", body: ">" });
  });
  assertEquals(wire.content, "<56789|01234>");
});

Deno.test("A file can be closed as soon as its send has resolved", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    const file = new FakeFile(LARGE);
    await begin(send);
    wire.hold();
    const sent = send({ type: "http.response.zerocopysend", file });
    assert(await isPending(sent));
    wire.release();
    await sent;
    file[Symbol.dispose]();
  }, { wire });
  assert(wire.content === LARGE);
});

Deno.test("A file that cannot be read rejects, and the application can still answer", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    const file = new FakeFile("0123456789");
    file[Symbol.dispose]();
    const type = "http.response.zerocopysend";
    await begin(send);
    await assertRejects(() => send({ type, file }), Error, "Cannot read");
    await assertRejects(
      () => send({ type, file, offset: 1 }),
      Error,
      "Cannot seek",
    );
    await send({ type: "http.response.body", body: "a" });
  });
  assertEquals(wire.calls, [["head", 200, []], ["data", "a", true]]);
});

Deno.test("A response whose last event is a file that nobody awaits leaves whole", async () => {
  const { wire } = await run((_scope, _receive, send) => {
    unawaited(begin(send));
    send({ type: "http.response.zerocopysend", file: new FakeFile(LARGE) });
  });
  assert(wire.content === LARGE);
});

// Files that read wrong.

const WRONG_LENGTHS: unknown[] = [
  ...[-1, -Infinity, NaN, Infinity, 0.5, 65_537],
  ...[undefined, "5", 5n, {}, [5], true],
];

for (const length of WRONG_LENGTHS) {
  const label = typeof length === "number" ? length : show(length);
  Deno.test(`A file whose read gives ${label} rejects its send, and is no whole response`, async () => {
    const reads: unknown[] = [1, length];
    const file = {
      read: () => Promise.resolve(reads.shift() as number),
      seek: () => Promise.resolve(0),
    };
    const { wire, errors } = await runFaulty(async (_scope, _receive, send) => {
      await begin(send);
      await send({ type: "http.response.zerocopysend", file });
    });
    assertInstanceOf(errors[0], InvalidEventError);
    assertStringIncludes(errors[0].message, "Cannot send file: read() must");
    assertEquals(errors.length, 1);
    assertEquals(wire.calls.at(-1), ["abort"]);
  });
}

Deno.test("A file may give nothing now and then, but must come to an end", async () => {
  let left = 3 * 50;
  const hesitant = {
    read(target: Uint8Array) {
      if (left-- === 0) return Promise.resolve(null);
      target.fill(0x61);
      return Promise.resolve(left % 50 === 0 ? 1 : 0);
    },
    seek: () => Promise.resolve(0),
  };
  const { wire } = await run(async (_scope, _receive, send) => {
    await begin(send);
    await send({ type: "http.response.zerocopysend", file: hesitant });
  });
  assertEquals(wire.content, "aaa");
  const empty = { read: () => Promise.resolve(0), seek: hesitant.seek };
  await assertRejects(
    () => readFilePieces(empty).next(),
    InvalidEventError,
    "read() gave 0 bytes 100 times",
  );
});
