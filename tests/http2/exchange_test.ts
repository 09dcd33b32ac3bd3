// What a handler can do with its exchange.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { assertRejects } from "@std/assert";
import type { HttpError } from "../../src/http/http_error.ts";
import type { Http2Exchange } from "../../src/http2/exchange.ts";
import { bytes } from "../_feeding.ts";
import { settled } from "./_in_memory.ts";
import { leave, respond, serve } from "./_serving.ts";

const EMPTY = new Uint8Array(0);

Deno.test("A request has its head, without pseudo-fields", async () => {
  let seen: Http2Exchange | undefined;
  using connected = serve(async (exchange) => {
    seen = exchange;
    await respond(exchange, "");
  });
  const { client } = connected;
  await client.request({
    method: "PUT",
    path: "/a%20b?c=d",
    authority: "example.org:1",
    headers: [["x", "1"], ["cookie", "a=b"], ["cookie", "c=d"]],
    content: "",
  });
  const { version, method, target, headers, protocol } = seen!.request;
  assertEquals(
    { version, method, path: target.path, query: target.query, protocol },
    {
      version: "2",
      method: "PUT",
      path: "/a%20b",
      query: "c=d",
      protocol: undefined,
    },
  );
  assertEquals(headers, [
    ["host", "example.org:1"],
    ["x", "1"],
    ["cookie", "a=b; c=d"],
  ]);
  await leave(connected);
});

Deno.test("A response without content is one frame", async () => {
  using connected = serve((exchange) => respond(exchange, "", 404));
  const { client } = connected;
  const stream = await client.request();
  assertEquals([stream.status, stream.dataFrames], [404, 0]);
  await leave(connected);
});

Deno.test("Responses to HEAD, and those with 204 and 304, have no content", async () => {
  using connected = serve(async (exchange) => {
    const status = Number(exchange.request.target.path.slice(1));
    exchange.head(status, [["content-length", "3"]]);
    await exchange.data(bytes("abc"), true);
    assertEquals(exchange.bytesSent, 0);
  });
  const { client } = connected;
  const head = await client.request({ method: "HEAD", path: "/200" });
  const none = await client.request({ path: "/204" });
  const same = await client.request({ path: "/304" });
  for (const stream of [head, none, same]) {
    assert(stream.complete);
    assertEquals([stream.content, stream.dataFrames], ["", 0]);
  }
  assertEquals(
    [head, none, same].map((stream) => stream.header("content-length")),
    ["3", undefined, "3"],
  );
  await leave(connected);
});

Deno.test("Content, then trailers", async () => {
  using connected = serve(async (exchange) => {
    exchange.head(200, []);
    await exchange.data(bytes("abc"), false);
    await exchange.trailers([["grpc-status", "0"], ["upgrade", "x"]]);
  });
  const { client } = connected;
  const stream = await client.request();
  assertEquals(stream.content, "abc");
  assertEquals(stream.trailers, [["grpc-status", "0"]]);
  assert(stream.complete);
  await leave(connected);
});

Deno.test("Trailers without fields end the response", async () => {
  using connected = serve(async (exchange) => {
    exchange.head(200, []);
    await exchange.trailers([]);
  });
  const stream = await connected.client.request();
  assert(stream.complete);
  assertEquals(stream.trailers, undefined);
  await leave(connected);
});

Deno.test("Interim responses come before the final one", async () => {
  using connected = serve(async (exchange) => {
    await exchange.sendInformational(103, [["link", "</a>"]]);
    await exchange.sendInformational(102, []);
    await respond(exchange, "x");
    await exchange.sendInformational(102, []);
    assertEquals(exchange.status, 200);
  }, { earlyHints: true });
  const stream = await connected.client.request();
  assertEquals(stream.informational, [
    { status: 103, headers: [["link", "</a>"]] },
    { status: 102, headers: [] },
  ]);
  await leave(connected);
});

Deno.test("A client that waits for 100 gets it when the content is asked for", async () => {
  const asks = Promise.withResolvers<void>();
  using connected = serve(async (exchange) => {
    await asks.promise;
    const chunk = await exchange.readBody();
    await respond(exchange, new TextDecoder().decode(chunk ?? EMPTY));
  });
  const { client } = connected;
  const headers = [["expect", "100-continue"]] as const;
  const stream = client.open({ method: "POST", headers }, false);
  await settled();
  assertEquals(stream.informational, []);
  asks.resolve();
  await stream.until(() => stream.informational.length === 1);
  assertEquals(stream.informational[0].status, 100);
  await stream.send("abc", true);
  await stream.response();
  assertEquals([stream.status, stream.content], [200, "abc"]);
  await leave(connected);
});

Deno.test("An answer before the end of the request stops it, without harm", async () => {
  using connected = serve((exchange) => respond(exchange, "early"));
  const { client, transport } = connected;
  const stream = client.open({ method: "POST" }, false);
  await stream.response();
  assertEquals(stream.content, "early");
  assert(stream.complete);
  const before = client.seen("WINDOW_UPDATE").length;
  client.data(stream.id, new Uint8Array(200_000));
  await client.sync();
  assertEquals(client.seen("WINDOW_UPDATE").length, before);
  assertEquals(stream.resetCode, undefined);
  await transport.passTime(1000);
  assertEquals(stream.resetCode, "NO_ERROR");
  client.data(stream.id, "too late");
  await client.sync();
  assertEquals((await client.request()).content, "early");
  await leave(connected);
});

Deno.test("abort() resets this stream, and no other", async () => {
  using connected = serve(async (exchange) => {
    if (exchange.request.target.path === "/good") {
      return await respond(exchange, "good");
    }
    exchange.head(200, []);
    await exchange.data(bytes("ab"), false);
    exchange.abort();
    assert(exchange.aborted);
  });
  const { client } = connected;
  const bad = await client.request();
  assertEquals([bad.content, bad.resetCode], ["ab", "INTERNAL_ERROR"]);
  assertEquals((await client.request({ path: "/good" })).content, "good");
  await leave(connected);
});

Deno.test("refuse() answers, or resets what has begun", async () => {
  using connected = serve(async (exchange) => {
    if (exchange.request.target.path === "/late") {
      exchange.head(200, []);
      await exchange.data(bytes("ab"), false);
    }
    await exchange.refuse(503, [["retry-after", "1"]]);
    assertEquals(exchange.refusal, 503);
  });
  const { client } = connected;
  const refused = await client.request();
  assertEquals(refused.status, 503);
  assertEquals(refused.header("retry-after"), "1");
  const late = await client.request({ path: "/late" });
  assertEquals(late.resetCode, "INTERNAL_ERROR");
  await leave(connected);
});

Deno.test("Content of a wrong length resets the stream", async () => {
  using connected = serve(async (exchange) => {
    exchange.head(200, [["content-length", "3"]]);
    await exchange.data(bytes("ab"), false);
    const send = (): unknown =>
      exchange.request.target.path === "/more"
        ? exchange.data(bytes("cd"), false)
        : exchange.data(EMPTY, true);
    assertThrows(send, RangeError, "than content-length declared");
  });
  const { client } = connected;
  for (const path of ["/more", "/less"]) {
    const stream = await client.request({ path });
    assertEquals(stream.resetCode, "INTERNAL_ERROR");
  }
  await leave(connected);
});

Deno.test("What is out of order throws, and changes nothing", async () => {
  using connected = serve(async (exchange) => {
    assertThrows(() => exchange.data(EMPTY, true), Error, "head() first");
    assertThrows(() => exchange.head(200, [["a\n", ""]]), TypeError);
    assertThrows(() => exchange.head(99, []), RangeError);
    await assertRejects(
      () => exchange.upgrade([]),
      Error,
      "asks for no other protocol",
    );
    exchange.head(200, []);
    assertThrows(() => exchange.head(200, []), Error, "has begun");
    assertThrows(() => exchange.data("x" as never, true), TypeError);
    await exchange.data(bytes("ok"), true);
    assertThrows(() => exchange.data(EMPTY, true), Error, "is complete");
  });
  const stream = await connected.client.request();
  assertEquals([stream.content, stream.complete], ["ok", true]);
  await leave(connected);
});

Deno.test("Content above the limit is refused when it is read", async () => {
  using connected = serve(async (exchange) => {
    while (await exchange.readBody() !== null);
    await respond(exchange, "never");
  }, { maxBodyBytes: 5 });
  const { client } = connected;
  const stream = client.open({ method: "POST" }, false);
  await stream.send("abcdef", false);
  await stream.response();
  assertEquals(stream.status, 413);
  await leave(connected);
});

Deno.test("A client that resets is lost, for reads and for writes", async () => {
  const errors: unknown[] = [];
  using connected = serve(async (exchange) => {
    await exchange.readBody().catch((error) => errors.push(error));
    exchange.head(200, []);
    await exchange.data(bytes("x"), true)?.catch((error) => errors.push(error));
    assertEquals(exchange.disconnect, "lost");
  });
  const { client } = connected;
  const stream = client.open({ method: "POST" }, false);
  await settled();
  stream.cancel();
  await settled();
  const messages = errors.map((error) => (error as Error).message);
  assertEquals(messages, [
    "The client has reset the stream (CANCEL)",
    "The client has reset the stream (CANCEL)",
  ]);
  await leave(connected);
});

Deno.test("Content that is too slow is a 408", async () => {
  let status: unknown;
  using connected = serve(async (exchange) => {
    try {
      await exchange.readBody();
    } catch (error) {
      status = (error as HttpError).status;
      throw error;
    }
  }, { bodyTimeout: 1000 });
  const { client, transport } = connected;
  const stream = client.open({ method: "POST" }, false);
  await settled();
  await transport.passTime(1001);
  await stream.response();
  assertEquals([status, stream.status], [408, 408]);
  await leave(connected);
});

Deno.test("Content that has to wait is a copy, unless it is stable", async () => {
  using connected = serve(
    async (exchange) => {
      exchange.head(200, []);
      const chunk = bytes("abcdef");
      const isStable = exchange.request.target.path === "/stable";
      const sent = exchange.data(chunk, true, isStable);
      chunk.fill(0x78);
      await sent;
    },
    {},
    { settings: { INITIAL_WINDOW_SIZE: 2 }, autoCredit: false },
  );
  const { client } = connected;
  const streams = [client.open(), client.open({ path: "/stable" })];
  await settled();
  for (const stream of streams) stream.grant(9);
  for (const stream of streams) await stream.response();
  assertEquals(streams.map(({ content }) => content), ["abcdef", "abxxxx"]);
  await leave(connected);
});

Deno.test("A request that ends soon after its answer is not reset", async () => {
  using connected = serve((exchange) => respond(exchange, "early"));
  const { client, transport } = connected;
  const stream = client.open({ method: "POST" }, false);
  await stream.response();
  client.data(stream.id, "rest", true);
  await settled();
  await transport.passTime(1000);
  assertEquals([stream.content, stream.resetCode], ["early", undefined]);
  await leave(connected);
  assertEquals(transport.deadlines.size, 0);
});

Deno.test("A read that waits learns that its exchange was aborted", async () => {
  const errors: unknown[] = [];
  using connected = serve(async (exchange) => {
    const read = exchange.readBody().catch((error) => errors.push(error));
    await settled();
    exchange.abort();
    await read;
    await exchange.readBody().catch((error) => errors.push(error));
  });
  const { client } = connected;
  await client.open({ method: "POST" }, false).reset();
  await settled();
  assertEquals(errors.length, 2);
  await leave(connected);
});

Deno.test("A request that can't end without more window is stopped with its answer", async () => {
  using connected = serve((exchange) => respond(exchange, "early"));
  const { client } = connected;
  const headers = [["content-length", "300000"]] as const;
  const stream = client.open({ method: "POST", headers }, false);
  await stream.response();
  assertEquals(stream.content, "early");
  assertEquals(await stream.reset(), "NO_ERROR");
  await leave(connected);
});
