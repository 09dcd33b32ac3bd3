// Frames of clients: what they may send is taken apart, however it is cut;
// everything else is refused with 1002.

import { assertEquals, assertThrows } from "@std/assert";
import {
  type ControlFrame,
  type DataPart,
  FrameDecoder,
} from "../../src/websocket/frames.ts";
import { WebSocketError } from "../../src/websocket/websocket_error.ts";
import {
  BINARY,
  clientFrame,
  CLOSE,
  concat,
  CONTINUATION,
  PING,
  PONG,
  TEXT,
  utf8,
} from "./_frames.ts";
import { deliveries, Random } from "./_random.ts";

/** All that a decoder makes of some chunks; compression is agreed on. */
function decode(chunks: readonly Uint8Array[]): (DataPart | ControlFrame)[] {
  const decoder = new FrameDecoder(true);
  return chunks.flatMap((chunk) => {
    decoder.push(chunk.slice());
    return [...take(decoder)];
  });
}

function* take(decoder: FrameDecoder): Generator<DataPart | ControlFrame> {
  for (;;) {
    const part = decoder.next();
    if (part === undefined) return;
    yield part;
  }
}

/** A summary of frames in which it does not matter how they were cut. */
function summarize(parts: readonly (DataPart | ControlFrame)[]): string[] {
  const summaries: string[] = [];
  let payload: Uint8Array[] = [];
  for (const part of parts) {
    payload.push(part.payload.slice());
    if (part.type === "data" && part.remaining > 0) continue;
    const flags = part.type !== "data"
      ? part.type
      : `${part.text ? "text" : "binary"}${part.fin ? " fin" : ""}${
        part.compressed ? " compressed" : ""
      }`;
    summaries.push(`${flags} ${new TextDecoder().decode(concat(payload))}`);
    payload = [];
  }
  return summaries;
}

Deno.test("FrameDecoder reads frames, however they are cut", () => {
  const wire = concat([
    clientFrame(TEXT, "Hello"),
    clientFrame(PING, "a"),
    clientFrame(BINARY, "x".repeat(130), { fin: false }),
    clientFrame(PONG),
    clientFrame(CONTINUATION, "", { fin: false }),
    clientFrame(CONTINUATION, "end", { key: [0, 255, 0, 128] }),
    clientFrame(TEXT, "squeezed", { rsv: 4, fin: false }),
    clientFrame(CONTINUATION, "more"),
    clientFrame(TEXT),
    clientFrame(CLOSE, "\u0003\u0068Bye"),
  ]);
  const expected = [
    "text fin Hello",
    "ping a",
    `binary ${"x".repeat(130)}`,
    "pong ",
    "binary ",
    "binary fin end",
    "text compressed squeezed",
    "text fin compressed more",
    "text fin ",
    "close \u0003\u0068Bye",
  ];
  for (const { name, chunks } of deliveries(wire)) {
    assertEquals(summarize(decode(chunks)), expected, name);
  }
});

Deno.test("FrameDecoder says where a message starts, and what a frame lacks", () => {
  const decoder = new FrameDecoder();
  const frame = clientFrame(TEXT, "abcdef", { fin: false });
  decoder.push(frame.slice(0, 8));
  const [first] = take(decoder);
  assertEquals(
    { ...first, payload: first.payload.slice() },
    {
      type: "data",
      text: true,
      compressed: false,
      first: true,
      fin: false,
      remaining: 4,
      payload: utf8("ab"),
    },
  );
  decoder.push(frame.slice(8));
  const [second] = take(decoder) as Iterable<DataPart>;
  assertEquals([second.first, second.remaining], [false, 0]);
  assertEquals(second.payload, utf8("cdef"));
});

Deno.test("FrameDecoder reads lengths at the borders of their forms", () => {
  for (const length of [0, 1, 125, 126, 127, 65535, 65536, 70000]) {
    const content = new Random(length).bytes(length);
    const frame = clientFrame(BINARY, content);
    const whole = decode([frame]).map(({ payload }) => payload.slice());
    assertEquals(concat(whole), content, `${length}`);
    const cut = decode([frame.slice(0, 12), frame.slice(12)]);
    assertEquals(concat(cut.map(({ payload }) => payload)), content);
  }
});

Deno.test("FrameDecoder hands out a part when the header is there", () => {
  const decoder = new FrameDecoder();
  decoder.push(clientFrame(BINARY, "", { length: 2n ** 40n, lengthBytes: 8 }));
  const [part] = take(decoder) as Iterable<DataPart>;
  assertEquals(part.remaining, 2 ** 40);
});

const FRAGMENT = clientFrame(TEXT, "a", { fin: false });

const ILLEGAL: [what: string, wire: Uint8Array][] = [
  ["RSV1 on ping", clientFrame(PING, "", { rsv: 4 })],
  ["RSV1 on close", clientFrame(CLOSE, "", { rsv: 4 })],
  [
    "RSV1 on a continuation",
    concat([
      FRAGMENT,
      clientFrame(CONTINUATION, "b", { rsv: 4 }),
    ]),
  ],
  ...[1, 2, 3, 5, 6, 7].map((rsv): [string, Uint8Array] => [
    `reserved bits ${rsv}`,
    clientFrame(TEXT, "a", { rsv }),
  ]),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Uint8Array] => [
    `opcode ${opcode}`,
    clientFrame(opcode),
  ]),
  ["an unmasked frame", clientFrame(TEXT, "a", { key: null })],
  ["an unmasked ping", clientFrame(PING, "", { key: null })],
  ["a ping of 126 bytes", clientFrame(PING, "a".repeat(126))],
  ["a close of 126 bytes", clientFrame(CLOSE, "a".repeat(126))],
  ["a pong of 70000 bytes", clientFrame(PONG, "a".repeat(70000))],
  ["a fragmented ping", clientFrame(PING, "", { fin: false })],
  ["a fragmented close", clientFrame(CLOSE, "", { fin: false })],
  ["a continuation of nothing", clientFrame(CONTINUATION, "a")],
  [
    "a continuation after a message",
    concat([
      FRAGMENT,
      clientFrame(CONTINUATION, "b"),
      clientFrame(CONTINUATION, "c"),
    ]),
  ],
  ["a text inside a message", concat([FRAGMENT, clientFrame(TEXT, "b")])],
  ["a binary inside a message", concat([FRAGMENT, clientFrame(BINARY, "b")])],
  ["125 in 16 bits", clientFrame(TEXT, "a".repeat(125), { lengthBytes: 2 })],
  ["0 in 64 bits", clientFrame(TEXT, "", { lengthBytes: 8 })],
  [
    "65535 in 64 bits",
    clientFrame(TEXT, "a".repeat(65535), {
      lengthBytes: 8,
    }),
  ],
  ["a length of 64 bits", clientFrame(TEXT, "", { length: 2n ** 63n })],
];

Deno.test("FrameDecoder refuses illegal frames with 1002", () => {
  for (const [what, wire] of ILLEGAL) {
    const head = wire.slice(0, 30);
    for (const { name, chunks } of deliveries(head)) {
      const error = assertThrows(
        () => decode(chunks),
        WebSocketError,
        "Cannot read frame: ",
        `${what}, ${name}`,
      );
      assertEquals(error.code, 1002, what);
    }
  }
});

Deno.test("FrameDecoder refuses RSV1 where no compression was agreed on", () => {
  const decoder = new FrameDecoder();
  decoder.push(clientFrame(TEXT, "a", { rsv: 4 }));
  const error = assertThrows(() => decoder.next(), WebSocketError, "reserved");
  assertEquals(error.code, 1002);
});

Deno.test("FrameDecoder refuses lengths past all memory with 1009", () => {
  const decoder = new FrameDecoder();
  decoder.push(clientFrame(TEXT, "", { length: 2n ** 62n }));
  const error = assertThrows(() => decoder.next(), WebSocketError, "too long");
  assertEquals(error.code, 1009);
});
