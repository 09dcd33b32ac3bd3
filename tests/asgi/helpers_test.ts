// The helpers for raw ASGI: the request's content as a stream of bytes, whole
// responses, and fields by their name.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { toBytes, toJson, toText } from "@std/streams";
import {
  ClientDisconnected,
  InvalidEventError,
} from "../../src/asgi/errors.ts";
import { headerValue, requestBody, respond } from "../../src/asgi/helpers.ts";
import type { HeaderLike } from "../../src/asgi/types.ts";
import {
  brief,
  bytes,
  exampleScope,
  FakeWire,
  isPending,
  run,
} from "./_fake_wire.ts";
import { settled } from "../_turns.ts";

// requestBody

Deno.test("requestBody() gives text", async () => {
  const { wire } = await run(async (_scope, receive, send) => {
    const body = await toText(requestBody(receive));
    await respond(send, 200, { body });
  }, { wire: new FakeWire(["Hällo, ", "World"]) });
  assertEquals(wire.content, "Hällo, World");
});

Deno.test("requestBody() gives JSON", async () => {
  const { wire } = await run(async (_scope, receive, send) => {
    const order = await toJson(requestBody(receive));
    await respond(send, 200, { body: JSON.stringify(order) });
  }, { wire: new FakeWire(['{"a": [1', ", 2]}"]) });
  assertEquals(wire.content, '{"a":[1,2]}');
});

Deno.test("requestBody() gives bytes", async () => {
  await run(async (_scope, receive, send) => {
    assertEquals(await toBytes(requestBody(receive)), bytes("abcdef"));
    await respond(send, 200);
  }, { wire: new FakeWire(["abc", "def"]) });
});

Deno.test("requestBody() is empty where there is no content", async () => {
  await run(async (_scope, receive, send) => {
    assertEquals(await Array.fromAsync(requestBody(receive)), []);
    await respond(send, 200);
  });
});

Deno.test("requestBody() gives the content as it comes, without what is empty", async () => {
  const wire = new FakeWire(["a", "", "b"], true);
  await run(async (_scope, receive, send) => {
    const chunks = Array.fromAsync(requestBody(receive));
    await settled();
    wire.endBody();
    assertEquals(await chunks, [bytes("a"), bytes("b")]);
    await respond(send, 200);
  }, { wire });
});

Deno.test("requestBody() reads only what is read from it", async () => {
  const wire = new FakeWire(["a", "b", "c"]);
  await run(async (_scope, receive, send) => {
    const reader = requestBody(receive).getReader();
    await settled();
    assertEquals(wire.bodyReads, 0);
    await reader.read();
    await settled();
    assertEquals(wire.bodyReads, 1);
    await respond(send, 200);
  }, { wire });
});

Deno.test("requestBody() waits for content that has not arrived", async () => {
  const wire = new FakeWire([], true);
  await run(async (_scope, receive, send) => {
    const text = toText(requestBody(receive));
    assert(await isPending(text));
    wire.arrive("late");
    assert(await isPending(text));
    wire.endBody();
    assertEquals(await text, "late");
    await respond(send, 200);
  }, { wire });
});

Deno.test("requestBody() leaves what follows the content to receive", async () => {
  await run(async (_scope, receive, send) => {
    assertEquals(await toText(requestBody(receive)), "a");
    const next = receive();
    assert(await isPending(next));
    await respond(send, 200);
    assertEquals(brief(await next), "disconnect");
  }, { wire: new FakeWire(["a"]) });
});

Deno.test("requestBody() leaves the rest of the content when it is cancelled", async () => {
  await run(async (_scope, receive, send) => {
    const reader = requestBody(receive).getReader();
    await reader.read();
    await reader.cancel();
    assertEquals(brief(await receive()), "body b");
    await respond(send, 200);
  }, { wire: new FakeWire(["a", "b"]) });
});

Deno.test("requestBody() errors if the client disconnects amid its content", async () => {
  const wire = new FakeWire(["a"], true);
  await run(async (_scope, receive) => {
    const reader = requestBody(receive).getReader();
    assertEquals(await reader.read(), { done: false, value: bytes("a") });
    const read = reader.read();
    assert(await isPending(read));
    wire.disconnectClient("lost");
    await assertRejects(() => read, ClientDisconnected);
  }, { wire });
});

Deno.test("requestBody() whose error escapes is no fault of the application", async () => {
  const wire = new FakeWire(["a"], true);
  const ended = run(async (_scope, receive) => {
    await toText(requestBody(receive));
  }, { wire });
  await settled();
  wire.disconnectClient("lost");
  const { errors } = await ended;
  assertEquals(errors, []);
});

Deno.test("requestBody() errors if the response is complete before", async () => {
  await run(async (_scope, receive, send) => {
    await respond(send, 200);
    await assertRejects(
      () => toText(requestBody(receive)),
      ClientDisconnected,
    );
  }, { wire: new FakeWire(["a"]) });
});

// respond

Deno.test("respond() sends a whole response with its length", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await respond(send, 404, {
      headers: [["Content-Type", "text/plain"], [bytes("x-a"), bytes("1")]],
      body: "é",
    });
  });
  assertEquals(wire.calls, [
    ["head", 404, [
      ["content-type", "text/plain"],
      ["x-a", "1"],
      ["content-length", "2"],
    ]],
    ["data", "é", true],
  ]);
});

Deno.test("respond() sends bytes, and nothing by default", async () => {
  for (const body of [bytes("abc"), undefined]) {
    const { wire } = await run(async (_scope, _receive, send) => {
      await respond(send, 200, { body });
    });
    const length = String(body?.length ?? 0);
    assertEquals(wire.calls[0], ["head", 200, [["content-length", length]]]);
  }
});

Deno.test("respond() takes headers from any iterable", async () => {
  const { wire } = await run(async (_scope, _receive, send) => {
    await respond(send, 200, { headers: new Map([["a", "1"]]) });
  });
  assertEquals(wire.calls[0], ["head", 200, [
    ["a", "1"],
    ["content-length", "0"],
  ]]);
});

Deno.test("respond() rejects what is malformed, and can be called again", async () => {
  const faulty: [number, HeaderLike[], string][] = [
    [99, [], "status must be"],
    [200, [["a b", ""]], "must be a token"],
    [200, [["a", "\n"]], "byte string without controls"],
  ];
  const { wire } = await run(async (_scope, _receive, send) => {
    for (const [status, headers, message] of faulty) {
      await assertRejects(
        () => respond(send, status, { headers }),
        InvalidEventError,
        message,
      );
    }
    await respond(send, 500, { body: "a" });
  });
  assertEquals(wire.content, "a");
});

Deno.test("respond() rejects if the client is lost", async () => {
  const wire = new FakeWire();
  await run(async (_scope, _receive, send) => {
    wire.disconnectClient("lost");
    await assertRejects(() => respond(send, 200), ClientDisconnected);
  }, { wire });
});

// headerValue

Deno.test("headerValue() gives the first field of a name", () => {
  const scope = exampleScope();
  scope.headers = [["a", "1"], ["b", ""], ["a", "2"]];
  assertEquals(headerValue(scope, "a"), "1");
  assertEquals(headerValue(scope, "b"), "");
});

Deno.test("headerValue() gives nothing where there is no such field", () => {
  const scope = exampleScope();
  scope.headers = [["a", "1"]];
  for (const name of ["b", "", "A", "__proto__", "constructor", "length"]) {
    assertEquals(headerValue(scope, name), undefined);
  }
});
