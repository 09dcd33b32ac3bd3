// Connections whole: requests, responses, and what ends them.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Field } from "../../src/http/fields.ts";
import type { Http3Exchange } from "../../src/http3/exchange.ts";
import { bytes, text } from "../_feeding.ts";
import { concat, data, frame, headers, numbers } from "./_frames.ts";
import {
  echo,
  readAll,
  readResponse,
  requestFields,
  respond,
  serve,
  Serving,
} from "./_serving.ts";

const OK: Field[] = [[":status", "200"]];

Deno.test("A request is answered, and its stream ends", async () => {
  const serving = serve();
  const stream = serving.request(requestFields("GET", "/a?b"));
  await serving.settled();
  assertEquals(readResponse(stream), {
    frames: [OK, "GET /a "],
    ended: true,
  });
  assert(stream.inbound.over);
  await serving.leave();
});

Deno.test("Head and content leave in one write", async () => {
  const serving = serve();
  const stream = serving.request();
  await serving.settled();
  assertEquals(stream.outbound.writes.length, 1);
  await serving.leave();
});

Deno.test("The server says what it is like, on a stream of its own", async () => {
  const serving = serve(echo, { maxHeaderBytes: 1000 });
  await serving.settled();
  assertEquals(
    serving.controlBytes,
    concat(Uint8Array.of(0), numbers(0x04, 0x06, 1000, 0x08, 1)),
  );
  assertEquals(serving.quic.opened.length, 1);
  await serving.leave();
});

Deno.test("Requests are answered before the client has said anything of itself", async () => {
  const serving = new Serving(echo);
  serving.quic.allowsStreams = false;
  const stream = serving.request();
  await serving.settled();
  assertEquals(readResponse(stream).frames, [OK, "GET / "]);
  await serving.leave();
});

Deno.test("Bytes may come in any pieces", async () => {
  const wire = concat(
    frame(0x21, bytes("x")),
    headers(requestFields("POST")),
    data("abc"),
    frame(0x40, bytes("")),
    data("def"),
    headers([["t", "1"]]),
    frame(0x21, bytes("")),
  );
  for (let at = 0; at <= wire.length; at++) {
    const serving = serve();
    const stream = serving.quic.open();
    for (const piece of [wire.subarray(0, at), wire.subarray(at)]) {
      if (piece.length > 0) stream.inbound.send(piece);
    }
    stream.inbound.end();
    await serving.settled();
    const { frames } = readResponse(stream);
    assertEquals(frames, [OK, "POST / abcdef"], `split at ${at}`);
    await serving.leave();
  }
});

Deno.test("Content is read only as it is taken", async () => {
  const { promise: mayRead, resolve: read } = Promise.withResolvers<void>();
  const serving = serve(async (exchange) => {
    await mayRead;
    await echo(exchange);
  });
  const stream = serving.request(requestFields("POST"), "", false);
  for (let i = 0; i < 100; i++) stream.inbound.send(data("x".repeat(100)));
  await serving.settled();
  assert(stream.inbound.taken < 500, `${stream.inbound.taken}`);
  stream.inbound.end();
  read();
  await serving.settled();
  const [, content] = readResponse(stream).frames;
  assertEquals((content as string).length, 7 + 10_000);
  await serving.leave();
});

Deno.test("Content is sent only as the client lets it through", async () => {
  let sent = 0;
  const serving = serve(async (exchange) => {
    exchange.head(200, []);
    for (let i = 0; i < 100; i++) {
      await exchange.data(new Uint8Array(10_000), i === 99);
      sent++;
    }
  });
  const stream = serving.request();
  stream.outbound.window = 1000;
  await serving.settled();
  assert(sent < 10, `${sent}`);
  stream.outbound.grow(Infinity);
  await serving.settled();
  assertEquals([sent, stream.outbound.ended], [100, true]);
  await serving.leave();
});

Deno.test("Large content is cut into frames, in order, and is copied", async () => {
  const serving = serve(async (exchange) => {
    exchange.head(200, []);
    const first = new Uint8Array(150_000).fill(1);
    const sent = exchange.data(first, false);
    first.fill(9);
    // One that does not wait.
    const second = exchange.data(new Uint8Array(10).fill(2), true);
    await Promise.all([sent, second]);
  });
  const stream = serving.request();
  stream.outbound.window = 0;
  await serving.settled();
  stream.outbound.grow(Infinity);
  await serving.settled();
  const { frames, ended } = readResponse(stream);
  const sizes = frames.slice(1).map((one) => (one as string).length);
  assertEquals(sizes, [65536, 65536, 150_000 - 131_072, 10]);
  assertEquals(
    (frames.slice(1) as string[]).join(""),
    "\x01".repeat(150_000) + "\x02".repeat(10),
  );
  assert(ended);
  await serving.leave();
});

Deno.test("Interim responses and trailers stand around the response", async () => {
  const serving = serve(async (exchange) => {
    await exchange.sendInformational(103, [["link", "x"]]);
    exchange.head(200, []);
    await exchange.data(bytes("a"), false);
    await exchange.trailers([["t", "1"]]);
  }, { earlyHints: true });
  const stream = serving.request();
  await serving.settled();
  assertEquals(readResponse(stream), {
    frames: [[[":status", "103"], ["link", "x"]], OK, "a", [["t", "1"]]],
    ended: true,
  });
  await serving.leave();
});

Deno.test("A response to HEAD ends with its head", async () => {
  const serving = serve();
  const stream = serving.request(requestFields("HEAD"));
  await serving.settled();
  assertEquals(readResponse(stream), { frames: [OK], ended: true });
  await serving.leave();
});

Deno.test("A client that waits for a 100 gets one", async () => {
  const serving = serve();
  const fields = requestFields("POST", "/", ["expect", "100-continue"]);
  const stream = serving.request(fields, "", false);
  await serving.settled();
  assertEquals(readResponse(stream).frames, [[[":status", "100"]]]);
  stream.inbound.send(data("abc"));
  stream.inbound.end();
  await serving.settled();
  assertEquals(readResponse(stream).frames.slice(1), [OK, "POST / abc"]);
  await serving.leave();
});

Deno.test("A handler that returns without an answer, or throws, gives a 500", async () => {
  for (const fail of [() => Promise.resolve(), () => Promise.reject("x")]) {
    const serving = serve(fail);
    const stream = serving.request();
    await serving.settled();
    const [head] = readResponse(stream).frames;
    assertEquals((head as Field[])[0], [":status", "500"]);
    serving.quic.end();
    await serving.done.catch((error) => assertEquals(error, "x"));
  }
});

Deno.test("What a handler fails with is reported when the connection ends", async () => {
  const serving = serve(() => Promise.reject(new Error("of the handler")));
  serving.request();
  await serving.settled();
  serving.quic.end();
  await assertRejects(() => serving.done, Error, "of the handler");
});

Deno.test("Answered early, a request is read on, and dropped", async () => {
  const serving = serve((exchange) => respond(exchange, "early"));
  const stream = serving.request(requestFields("POST"), "abc", false);
  await serving.settled();
  assertEquals(readResponse(stream), { frames: [OK, "early"], ended: true });
  for (let i = 0; i < 300; i++) stream.inbound.send(data("x".repeat(1000)));
  await serving.settled();
  assertEquals([stream.inbound.unread, stream.inbound.stopped], [0, false]);
  stream.inbound.end();
  await serving.settled();
  assert(serving.connection.idle);
  await serving.leave();
});

Deno.test("One that takes too long is stopped", async () => {
  const serving = serve((exchange) => respond(exchange, "early"), {
    drainTimeout: 1000,
  });
  const stream = serving.request(requestFields("POST"), "", false);
  await serving.quic.passTime(999);
  assert(!stream.inbound.stopped);
  await serving.quic.passTime(1);
  assert(stream.inbound.stopped);
  await serving.leave();
});

Deno.test("A response that can't be completed ends with trailers that are malformed", async () => {
  const serving = serve(async (exchange) => {
    if (exchange.request.target.path === "/wait") return await readAndWait();
    exchange.head(200, [["content-length", "100"]]);
    await exchange.data(bytes("half"), false);
    exchange.abort();
  });
  const never = Promise.withResolvers<void>();
  const readAndWait = () => never.promise;
  serving.request(requestFields("GET", "/wait"));
  const stream = serving.request();
  await serving.settled();
  assertEquals(readResponse(stream), {
    frames: [
      [[":status", "200"], ["content-length", "100"]],
      "half",
      [[":status", "500"]],
    ],
    ended: true,
  });
  assertEquals(serving.closeCode, undefined);
  never.resolve();
  await serving.leave();
});

Deno.test("Where it is the only one, the connection is closed instead", async () => {
  const serving = serve(async (exchange) => {
    exchange.head(200, []);
    await exchange.data(bytes("half"), false);
    exchange.abort();
  });
  serving.request();
  await serving.done;
  assertEquals(serving.closeCode, 0x102);
});

Deno.test("A request that is cancelled is lost to its handler", async () => {
  let seen: Http3Exchange | undefined;
  const serving = serve(async (exchange) => {
    seen = exchange;
    await assertRejects(() => readAll(exchange), Error, "error 268");
  });
  const stream = serving.request(requestFields("POST"), "abc", false);
  await serving.settled();
  stream.inbound.reset("stream reset by peer: error 268");
  await serving.settled();
  assertEquals([seen!.disconnect, seen!.aborted], ["lost", true]);
  assert(stream.outbound.ended);
  assert(serving.connection.idle);
  await serving.leave();
});

Deno.test("A response that is stopped is noticed by the next write", async () => {
  let lost: string | undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  const serving = serve(async (exchange) => {
    exchange.disconnectListener = { disconnected: (how) => lost = how };
    exchange.head(200, []);
    await exchange.data(bytes("a"), false);
    await promise;
  });
  const stream = serving.request();
  await serving.settled();
  stream.outbound.fail("sending stopped by peer: error 268");
  await serving.settled();
  assertEquals(lost, undefined);
  await serving.quic.passTime(30_000);
  assertEquals(lost, "lost", "by the probe");
  resolve();
  await serving.settled();
  assert(serving.connection.idle);
  await serving.leave();
});

Deno.test("A response that idles is probed, also before its head", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const serving = serve(async (exchange) => {
    await promise;
    await respond(exchange, "late");
  });
  const stream = serving.request();
  await serving.quic.passTime(45_000);
  resolve();
  await serving.settled();
  const { frames } = readResponse(stream);
  assertEquals(frames.slice(0, 2), [0x21, 0x21]);
  assertEquals(frames.slice(-2), [OK, "late"]);
  await serving.leave();
});

Deno.test("A connection that is lost is lost to all of its requests", async () => {
  const lost: string[] = [];
  const serving = serve(async (exchange) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    exchange.disconnectListener = {
      disconnected(how) {
        lost.push(how);
        resolve();
      },
    };
    await promise;
  });
  serving.request();
  serving.request();
  await serving.settled();
  await serving.leave();
  await serving.settled();
  assertEquals(lost, ["lost", "lost"]);
  assertEquals(serving.quic.deadlines.size, 0);
});

Deno.test("A tunnel carries bytes both ways, and frames mean nothing to it", async () => {
  const serving = serve(async (exchange) => {
    assertEquals(exchange.request.protocol, "websocket");
    const stream = await exchange.upgrade([["x", "1"]]);
    await stream.reader.fill();
    const first = text(stream.reader.peek());
    stream.reader.discard();
    await stream.write(bytes(`got ${first}`));
    await stream.close(1000);
  });
  const stream = serving.request(
    requestFields("CONNECT", "/chat", [":protocol", "websocket"])
      .sort(([a], [b]) => Number(b[0] === ":") - Number(a[0] === ":")),
    "ping",
    false,
  );
  await serving.settled();
  assertEquals(readResponse(stream), {
    frames: [[[":status", "200"], ["x", "1"]], "got ping"],
    ended: true,
  });
  stream.inbound.end();
  await serving.settled();
  assert(serving.connection.idle);
  await serving.leave();
});

Deno.test("Counters follow the streams", async () => {
  const serving = serve(echo, { maxConcurrentStreams: 1 });
  const meter = {
    http3StreamsOpen: 0,
    http3StreamsRefused: 0,
    http3ConnectionsClosedForAbuse: 0,
  };
  serving.connection.meter = meter;
  serving.request(requestFields("POST"), "", false);
  const second = serving.request();
  await serving.settled();
  assertEquals(meter.http3StreamsOpen, 1);
  assertEquals(meter.http3StreamsRefused, 1);
  const [head] = readResponse(second).frames;
  assertEquals((head as Field[])[0], [":status", "503"]);
  await serving.leave();
  await serving.settled();
  assertEquals(meter.http3StreamsOpen, 0);
});
