// What is done about requests that are malformed, too large, too slow, too many;
// and the order in which responses are sent.

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Field } from "../../src/http/fields.ts";
import type { RefusedBytes } from "../../src/http/served_connection.ts";
import { encodeVarints } from "../../src/http3/varint.ts";
import { bytes } from "../_feeding.ts";
import { concat, data, frame, headers } from "./_frames.ts";
import type { MemoryStream } from "./_memory_quic.ts";
import {
  echo,
  readAll,
  readResponse,
  requestFields,
  respond,
  serve,
} from "./_serving.ts";

function statusOf(stream: MemoryStream): string | undefined {
  const [head] = readResponse(stream).frames;
  return (head as Field[] | undefined)?.[0][1];
}

const MALFORMED: Field[][] = [
  [],
  requestFields().slice(1),
  requestFields("GET", "x"),
  requestFields("GET", "/", [":status", "200"]),
  requestFields("GET", "/", ["x", "1"], [":path", "/"]),
  requestFields("GET", "/", ["X", "1"]),
  requestFields("GET", "/", ["", "1"]),
  requestFields("GET", "/", ["x", "1\n"]),
  requestFields("GET", "/", ["x", " 1"]),
  requestFields("GET", "/", ["connection", "close"]),
  requestFields("GET", "/", ["transfer-encoding", "chunked"]),
  requestFields("GET", "/", ["te", "gzip"]),
  requestFields("GET", "/", ["host", "other"]),
  requestFields("GET", "/", ["content-length", "x"]),
];

Deno.test("A malformed request is answered with 400, and not handled", async () => {
  let handled = 0;
  const serving = serve((exchange) => {
    handled++;
    return echo(exchange);
  });
  const refused: RefusedBytes[] = [];
  serving.connection.onRefused = (one) => refused.push(one);
  for (const fields of MALFORMED) {
    const stream = serving.request(fields);
    await serving.settled();
    assertEquals(statusOf(stream), "400", JSON.stringify(fields));
    assert(readResponse(stream).ended);
  }
  assertEquals([handled, refused.length], [0, MALFORMED.length]);
  assertEquals(refused[0], {
    status: 400,
    refusal: 400,
    bytesSent: 12,
    aborted: false,
  });
  assert(serving.connection.idle);
  await serving.leave();
});

Deno.test("Requests that cannot be served have a status of their own", async () => {
  const serving = serve(echo, {
    maxRequestLineBytes: 100,
    maxBodyBytes: 10,
    maxHeaders: 5,
  });
  const many = Array.from({ length: 6 }, (_, i): Field => [`x${i}`, "1"]);
  const refused: [string, Field[]][] = [
    ["414", requestFields("GET", "/" + "x".repeat(100))],
    ["413", requestFields("POST", "/", ["content-length", "11"])],
    ["417", requestFields("POST", "/", ["expect", "x"])],
    ["431", requestFields("GET", "/", ...many)],
    ["501", [[":method", "CONNECT"], [":authority", "localhost:80"]]],
  ];
  for (const [status, fields] of refused) {
    const stream = serving.request(fields);
    await serving.settled();
    assertEquals(statusOf(stream), status);
  }
  await serving.leave();
});

Deno.test("Fields that are too large are refused before they are there", async () => {
  const serving = serve(echo, { maxHeaderBytes: 1000 });
  const stream = serving.send(encodeVarints(0x01, 1001));
  await serving.settled();
  assertEquals(statusOf(stream), "431");
  stream.inbound.send(new Uint8Array(1001));
  stream.inbound.end();
  await serving.settled();
  // As the specification counts them, which is 32 for each.
  const fields = requestFields(
    "GET",
    "/",
    ...Array.from({ length: 30 }, (): Field => ["x", "1"]),
  );
  const second = serving.request(fields);
  await serving.settled();
  assertEquals(statusOf(second), "431");
  assert(serving.connection.idle);
  await serving.leave();
});

Deno.test("Fields that are too slow get a 408", async () => {
  const serving = serve(echo, { headerTimeout: 1000 });
  const empty = serving.quic.open();
  const [first, ...rest] = headers(requestFields());
  const slow = serving.send(Uint8Array.of(first));
  await serving.quic.passTime(1000);
  assertEquals([statusOf(empty), statusOf(slow)], ["408", "408"]);
  slow.inbound.send(Uint8Array.from(rest));
  slow.inbound.end();
  await serving.settled();
  assertEquals(readResponse(slow).frames.length, 2, "one answer");
  await serving.quic.passTime(5000);
  assert(serving.connection.idle);
  await serving.leave();
});

Deno.test("Content that is not what it should be is refused when it is taken", async () => {
  const serving = serve(echo, { maxBodyBytes: 10 });
  const length = (value: string) =>
    requestFields("POST", "/", ["content-length", value]);
  const cases: [string, MemoryStream][] = [
    ["400", serving.request(length("4"), "abc")],
    ["400", serving.request(length("2"), "abc")],
    ["200", serving.request(length("3"), "abc")],
    ["400", serving.request(length("3"))],
    ["413", serving.request(requestFields("POST"), "x".repeat(11))],
    [
      "400",
      serving.send(
        concat(headers(requestFields("POST")), headers([[":path", "/"]])),
        true,
      ),
    ],
  ];
  await serving.settled();
  for (const [status, stream] of cases) assertEquals(statusOf(stream), status);
  await serving.leave();
});

Deno.test("Content that was refused is not read on its own account", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const serving = serve(async (exchange) => {
    await promise;
    await assertRejects(() => readAll(exchange), Error, "more than 10 bytes");
    await exchange.refuse(413);
  }, { maxBodyBytes: 10 });
  const stream = serving.request(requestFields("POST"), "", false);
  for (let i = 0; i < 20; i++) stream.inbound.send(data("x".repeat(11)));
  await serving.settled();
  assert(stream.inbound.unread > 200, `${stream.inbound.unread}`);
  resolve();
  await serving.settled();
  assertEquals([statusOf(stream), stream.inbound.unread], ["413", 0]);
  await serving.leave();
});

Deno.test("Calls that outlive their cancelled requests count for the limit", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const serving = serve(() => promise, { maxConcurrentStreams: 2 });
  for (let i = 0; i < 2; i++) {
    const stream = serving.request(requestFields("POST"), "", false);
    await serving.settled();
    stream.inbound.reset("stream reset by peer: error 268");
  }
  const third = serving.request();
  await serving.settled();
  assertEquals(statusOf(third), "503");
  const { frames } = readResponse(third);
  assert((frames[0] as Field[]).some(([name]) => name === "retry-after"));
  resolve();
  await serving.settled();
  const fourth = serving.request();
  await serving.settled();
  assertEquals(statusOf(fourth), "500", "handled");
  await serving.leave();
});

Deno.test("Those that go on after a whole response do not", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const serving = serve(async (exchange) => {
    await respond(exchange, "done");
    await promise;
  }, { maxConcurrentStreams: 1 });
  for (let i = 0; i < 3; i++) {
    const stream = serving.request();
    await serving.settled();
    assertEquals(statusOf(stream), "200");
  }
  resolve();
  await serving.leave();
});

Deno.test("A client that cancels without end is cut", async () => {
  const serving = serve(async (exchange) => {
    await readAll(exchange).catch(() => {});
  });
  for (let i = 0; i < 101 && serving.closeCode === undefined; i++) {
    const stream = serving.request(requestFields("POST"), "", false);
    await serving.settled();
    stream.inbound.reset("stream reset by peer: error 268");
    await serving.settled();
  }
  assertEquals(serving.closeCode, 0x107);
  await serving.done;
});

Deno.test("One that stops responses without end is cut, too", async () => {
  const serving = serve(async (exchange) => {
    exchange.head(200, []);
    await exchange.data(bytes("a"), false);
    await assertRejects(async () => {
      for (;;) await exchange.data(bytes("b"), false);
    });
  });
  for (let i = 0; i < 101 && serving.closeCode === undefined; i++) {
    const stream = serving.quic.open();
    stream.outbound.fail("sending stopped by peer: error 268");
    stream.inbound.send(headers(requestFields()));
    stream.inbound.end();
    await serving.settled();
  }
  assertEquals(serving.closeCode, 0x107);
  await serving.done;
});

Deno.test("So is one that stops responses that wait to be sent", async () => {
  const serving = serve((exchange) => respond(exchange, "x".repeat(100_000)));
  for (let i = 0; i < 101 && serving.closeCode === undefined; i++) {
    const stream = serving.quic.open();
    stream.outbound.window = 1000;
    stream.inbound.send(headers(requestFields()));
    stream.inbound.end();
    await serving.settled();
    stream.outbound.fail("sending stopped by peer: error 268");
    await serving.settled();
  }
  assertEquals(serving.closeCode, 0x107);
  await serving.done;
});

Deno.test("What is urgent is sent first", async () => {
  const serving = serve(() => new Promise(() => {}));
  const priority = (id: number, value: string) =>
    frame(0xf0700, concat(encodeVarints(id), bytes(value)));
  serving.control.send(priority(4, "u=6"));
  await serving.settled();
  const streams = [
    serving.request(),
    // What the control stream has said outranks it.
    serving.request(requestFields("GET", "/", ["priority", "u=0"])),
    serving.request(requestFields("GET", "/", ["priority", "u=1, i"])),
    serving.request(requestFields("GET", "/", ["priority", "?"])),
  ];
  await serving.settled();
  const orders = () => streams.map(({ sendOrder }) => sendOrder);
  assertEquals(orders(), [0, -3, 2, 0]);
  serving.control.send(priority(0, "u=0"));
  await serving.settled();
  assertEquals(orders(), [3, -3, 2, 0]);
  await serving.leave();
});

Deno.test("A stream of which nothing comes but its end is no request", async () => {
  const serving = serve();
  const ended = serving.send(new Uint8Array(), true);
  const reset = serving.quic.open();
  reset.inbound.reset("stream reset by peer: error 268");
  await serving.settled();
  assertEquals([ended.outbound.ended, ended.outbound.writes.length], [true, 0]);
  assertEquals(reset.outbound.ended, true);
  assert(serving.connection.idle);
  await serving.leave();
});
