// Every rule for frames, row by row (RFC 9113, section 6; RFC 9218, section 7.1),
// against a whole connection with stream 1 open: the exact code, and whether it
// ends the connection or the stream. Streams' states are in state_cells_test.ts.

import { assertEquals } from "@std/assert";
import { FLAGS } from "../../src/http2/frames.ts";
import { encodeByteString } from "../../src/streams/byte_string.ts";
import { concat, uint32, wire } from "./_frames.ts";
import { type Http2Client, requestFields } from "./_client.ts";
import { abort, outcome, routes } from "./_outcomes.ts";
import { serve } from "./_serving.ts";

const OK = "ok";
const SIZE = "connection FRAME_SIZE_ERROR";
const PROTOCOL = "connection PROTOCOL_ERROR";
const FLOW = "connection FLOW_CONTROL_ERROR";
const { ACK, END_HEADERS, END_STREAM, PADDED, PRIORITY } = FLAGS;

type Send = (client: Http2Client) => void;

/** Sends one frame. */
function frame(...args: Parameters<Http2Client["frame"]>): Send {
  return (client) => client.frame(...args);
}

/** Sends SETTINGS with one parameter. */
function setting(id: number, value: number): Send {
  return frame("SETTINGS", 0, 0, [id >> 8, id & 255, ...uint32(value)]);
}

function zeros(count: number): number[] {
  return new Array(count).fill(0);
}

const ROWS: Record<string, readonly (readonly [string, Send, string])[]> = {
  DATA: [
    ["on stream 0", frame("DATA", 0, 0, [1]), PROTOCOL],
    ["with no padding", frame("DATA", PADDED, 1, [0, 1, 2]), OK],
    ["that is all padding", frame("DATA", PADDED, 1, [3, 0, 0, 0]), OK],
    ["with too much padding", frame("DATA", PADDED, 1, [3, 0, 0]), PROTOCOL],
    [
      "with padding longer than itself",
      frame("DATA", PADDED, 1, [9]),
      PROTOCOL,
    ],
    ["without room for its pad length", frame("DATA", PADDED, 1), PROTOCOL],
    ["with undefined flags", frame("DATA", 0xf6, 1, [1]), OK],
    [
      "on stream 1 with the reserved bit",
      frame("DATA", 0, 2 ** 31 + 1, [1]),
      OK,
    ],
    ["of the largest size", frame("DATA", 0, 1, zeros(16_384)), OK],
    ["above the largest size", frame("DATA", 0, 1, zeros(16_385)), SIZE],
  ],
  HEADERS: [
    ["on stream 0", frame("HEADERS", END_HEADERS, 0, [0x82]), PROTOCOL],
    ["on an even stream", frame("HEADERS", END_HEADERS, 2, [0x82]), PROTOCOL],
    ["all padding", frame("HEADERS", PADDED | END_HEADERS, 3, [1]), PROTOCOL],
    ["no pad length", frame("HEADERS", PADDED | END_HEADERS, 3), SIZE],
    [
      "too short for its priority fields",
      frame("HEADERS", PRIORITY | END_HEADERS, 3, [0, 0, 0, 0]),
      SIZE,
    ],
    ["with padding and priority fields", (client) => {
      const block = client.encode(requestFields());
      const payload = [2, 0, 0, 0, 0, 15, ...block, 0, 0];
      client.frame("HEADERS", 0x2d, 3, payload);
    }, OK],
    ["with a reference to no entry", (client) => {
      client.frame("HEADERS", END_HEADERS | END_STREAM, 3, [0xff, 0x7f]);
    }, "connection COMPRESSION_ERROR"],
    ["with an index of 0", (client) => {
      client.frame("HEADERS", END_HEADERS | END_STREAM, 3, [0x80]);
    }, "connection COMPRESSION_ERROR"],
  ],
  PRIORITY: [
    ["on stream 0", frame("PRIORITY", 0, 0, zeros(5)), PROTOCOL],
    ["on an idle stream", frame("PRIORITY", 0, 9, [0, 0, 0, 1, 15]), OK],
    ["on an even stream", frame("PRIORITY", 0, 8, [0, 0, 0, 1, 15]), OK],
    [
      "of 4 bytes",
      frame("PRIORITY", 0, 1, zeros(4)),
      "stream FRAME_SIZE_ERROR",
    ],
    [
      "of 6 bytes",
      frame("PRIORITY", 0, 1, zeros(6)),
      "stream FRAME_SIZE_ERROR",
    ],
    ["of 4 bytes on an idle stream", frame("PRIORITY", 0, 9, zeros(4)), SIZE],
    [
      "that depends on itself",
      frame("PRIORITY", 0, 1, [0, 0, 0, 1, 15]),
      "stream PROTOCOL_ERROR",
    ],
    [
      "that depends on itself, idle",
      frame("PRIORITY", 0, 9, [0, 0, 0, 9, 15]),
      PROTOCOL,
    ],
  ],
  RST_STREAM: [
    ["on stream 0", frame("RST_STREAM", 0, 0, uint32(8)), PROTOCOL],
    ["of 3 bytes", frame("RST_STREAM", 0, 1, zeros(3)), SIZE],
    ["of 5 bytes", frame("RST_STREAM", 0, 1, zeros(5)), SIZE],
    ["with an unknown code", frame("RST_STREAM", 0, 1, uint32(0xffff)), OK],
    ["on an even stream", frame("RST_STREAM", 0, 2, uint32(8)), PROTOCOL],
  ],
  SETTINGS: [
    ["on stream 1", frame("SETTINGS", 0, 1), PROTOCOL],
    ["of 5 bytes", frame("SETTINGS", 0, 0, zeros(5)), SIZE],
    ["acknowledged with content", frame("SETTINGS", ACK, 0, zeros(6)), SIZE],
    ["acknowledged once too often", frame("SETTINGS", ACK, 0), OK],
    ["that is not known", setting(0x1234, 2 ** 32 - 1), OK],
    ["ENABLE_PUSH 0", setting(2, 0), OK],
    ["ENABLE_PUSH 1", setting(2, 1), OK],
    ["ENABLE_PUSH 2", setting(2, 2), PROTOCOL],
    ["INITIAL_WINDOW_SIZE 2³¹ − 1", setting(4, 2 ** 31 - 1), OK],
    ["INITIAL_WINDOW_SIZE 2³¹", setting(4, 2 ** 31), FLOW],
    ["MAX_FRAME_SIZE 2¹⁴ − 1", setting(5, 2 ** 14 - 1), PROTOCOL],
    ["MAX_FRAME_SIZE 2²⁴ − 1", setting(5, 2 ** 24 - 1), OK],
    ["MAX_FRAME_SIZE 2²⁴", setting(5, 2 ** 24), PROTOCOL],
    ["MAX_HEADER_LIST_SIZE 0", setting(6, 0), OK],
    ["ENABLE_CONNECT_PROTOCOL 2", setting(8, 2), PROTOCOL],
    ["ENABLE_CONNECT_PROTOCOL 1, then 0", (client) => {
      setting(8, 1)(client);
      setting(8, 0)(client);
    }, PROTOCOL],
    ["NO_RFC7540_PRIORITIES 2", setting(9, 2), PROTOCOL],
    ["NO_RFC7540_PRIORITIES 1 after the first", setting(9, 1), PROTOCOL],
    ["with 32 parameters", frame("SETTINGS", 0, 0, zeros(32 * 6)), OK],
    [
      "with 33 parameters",
      frame("SETTINGS", 0, 0, zeros(33 * 6)),
      "connection ENHANCE_YOUR_CALM",
    ],
    ["that widens a window too far", (client) => {
      client.windowUpdate(1, 2 ** 31 - 1 - 65_535);
      setting(4, 65_536)(client);
    }, FLOW],
  ],
  PUSH_PROMISE: [
    ["", frame("PUSH_PROMISE", END_HEADERS, 1, [0, 0, 0, 2, 0x82]), PROTOCOL],
  ],
  PING: [
    ["on stream 1", frame("PING", 0, 1, zeros(8)), PROTOCOL],
    ["of 7 bytes", frame("PING", 0, 0, zeros(7)), SIZE],
    ["of 9 bytes", frame("PING", 0, 0, zeros(9)), SIZE],
    ["acknowledged, though none was sent", frame("PING", ACK, 0, zeros(8)), OK],
  ],
  GOAWAY: [
    ["on stream 1", frame("GOAWAY", 0, 1, zeros(8)), PROTOCOL],
    ["of 7 bytes", frame("GOAWAY", 0, 0, zeros(7)), SIZE],
    ["with debug data", frame("GOAWAY", 0, 0, zeros(100)), OK],
    [
      "with an unknown code",
      frame("GOAWAY", 0, 0, [...zeros(4), ...uint32(99)]),
      OK,
    ],
  ],
  WINDOW_UPDATE: [
    ["of 3 bytes", frame("WINDOW_UPDATE", 0, 1, zeros(3)), SIZE],
    ["of 5 bytes", frame("WINDOW_UPDATE", 0, 0, zeros(5)), SIZE],
    ["of 0", frame("WINDOW_UPDATE", 0, 0, zeros(4)), PROTOCOL],
    [
      "of 0 on a stream",
      frame("WINDOW_UPDATE", 0, 1, zeros(4)),
      "stream PROTOCOL_ERROR",
    ],
    [
      "of 2³¹, which is 0",
      frame("WINDOW_UPDATE", 0, 0, uint32(2 ** 31)),
      PROTOCOL,
    ],
    ["up to 2³¹ − 1", (client) => {
      client.windowUpdate(0, 2 ** 31 - 1 - 65_535);
      client.windowUpdate(1, 2 ** 31 - 1 - 65_535);
    }, OK],
    ["above 2³¹ − 1", (client) => {
      client.windowUpdate(0, 2 ** 31 - 65_535);
    }, FLOW],
    ["above 2³¹ − 1 on a stream", (client) => {
      client.windowUpdate(1, 2 ** 31 - 65_535);
    }, "stream FLOW_CONTROL_ERROR"],
    ["on an idle stream", frame("WINDOW_UPDATE", 0, 9, uint32(1)), PROTOCOL],
    ["on an even stream", frame("WINDOW_UPDATE", 0, 2, uint32(1)), PROTOCOL],
  ],
  CONTINUATION: [
    [
      "without HEADERS",
      frame("CONTINUATION", END_HEADERS, 1, [0x82]),
      PROTOCOL,
    ],
    ["on stream 0", frame("CONTINUATION", END_HEADERS, 0, [0x82]), PROTOCOL],
    ["after the end of a block", (client) => {
      client.headers(3, requestFields(), true);
      client.frame("CONTINUATION", END_HEADERS, 3);
    }, PROTOCOL],
    ["on another stream", (client) => {
      client.frame("HEADERS", 0, 3, client.encode(requestFields()));
      client.frame("CONTINUATION", END_HEADERS, 5);
    }, PROTOCOL],
    ["that completes a block", (client) => {
      const block = client.encode(requestFields());
      client.frame("HEADERS", END_STREAM, 3, block.subarray(0, 3));
      client.frame("CONTINUATION", 0, 3, block.subarray(3, 4));
      client.frame("CONTINUATION", END_HEADERS, 3, block.subarray(4));
    }, OK],
  ],
  PRIORITY_UPDATE: [
    ["on stream 1", frame("PRIORITY_UPDATE", 0, 1, uint32(1)), PROTOCOL],
    ["of 3 bytes", frame("PRIORITY_UPDATE", 0, 0, zeros(3)), SIZE],
    ["for stream 0", frame("PRIORITY_UPDATE", 0, 0, uint32(0)), PROTOCOL],
    ["for an open stream", update(1, "u=1, i"), OK],
    ["for an idle stream", update(9, "u=7"), OK],
    ["that cannot be parsed", update(1, "\xff?"), OK],
  ],
  other: [
    ["frames that are not known", frame(0xee, 0xff, 1, zeros(500)), OK],
    ["ORIGIN", frame(12, 0, 0, zeros(9)), OK],
    [
      "an unknown frame above the largest size",
      frame(0xee, 0, 0, zeros(16_385)),
      SIZE,
    ],
  ],
};

function update(streamId: number, value: string): Send {
  return (client) => client.priorityUpdate(streamId, value);
}

for (const [type, rows] of Object.entries(ROWS)) {
  for (const [what, send, expected] of rows) {
    Deno.test(`${type} ${what}: ${expected}`, async () => {
      using connected = serve(routes);
      const { client } = connected;
      client.open({ path: "/hold" }, false);
      send(client);
      assertEquals(await outcome(client), expected, client.trace());
      if (expected.startsWith("connection")) {
        await client.closed();
        assertEquals(client.goAways.length, 1);
      }
      await abort(connected);
    });
  }
}

/** Every frame, in the middle of a header block of stream 3. */
for (const type of [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 0xee]) {
  for (const streamId of [0, 3, 5]) {
    Deno.test(`a frame of type ${type} on stream ${streamId} amid a header block: an error`, async () => {
      using connected = serve(routes);
      const { client } = connected;
      client.frame("HEADERS", END_STREAM, 3, client.encode(requestFields()));
      client.frame(type, 0, streamId, zeros(8));
      const code = await outcome(client);
      // Of its own length or stream, a frame may be wrong before its place is.
      assertEquals([PROTOCOL, SIZE].includes(code), true, code);
      if (type === 0xee) assertEquals(code, PROTOCOL);
      await abort(connected);
    });
  }
}

Deno.test("the first bytes must be the preface", async () => {
  for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSX"]) {
    using connected = serve(routes, {}, { begins: false });
    connected.client.raw(encodeByteString(bytes));
    await connected.client.closed();
    assertEquals(connected.client.goAways, ["PROTOCOL_ERROR"]);
    await abort(connected);
  }
});

Deno.test("the first frame must be SETTINGS, and no acknowledgment", async () => {
  const preface = encodeByteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const frames = [wire(6, 0, 0, zeros(8)), wire(4, ACK, 0), wire(0xee, 0, 0)];
  for (const first of frames) {
    using connected = serve(routes, {}, { begins: false });
    connected.client.raw(concat([preface, first]));
    await connected.client.closed();
    assertEquals(connected.client.goAways, ["PROTOCOL_ERROR"]);
    await abort(connected);
  }
});

Deno.test("content must stay within the windows", async () => {
  for (
    const [streamWindow, bytes, expected] of [
      [65_535, 65_535, OK],
      [65_535, 65_536, "stream FLOW_CONTROL_ERROR"],
      [2 ** 21, 2 ** 20, OK],
      [2 ** 21, 2 ** 20 + 1, FLOW],
    ] as const
  ) {
    using connected = serve(routes, {
      http2StreamWindow: streamWindow,
      http2BufferBytes: 65_535, // So that the connection's is not given back.
    });
    const { client } = connected;
    client.open({ path: "/hold" }, false);
    client.together(() => {
      const chunk = new Uint8Array(16_384);
      for (let left: number = bytes; left > 0; left -= chunk.length) {
        client.data(1, chunk.subarray(0, left));
      }
    });
    const what = `${bytes} of ${streamWindow}`;
    assertEquals(await outcome(client), expected, what);
    await abort(connected);
  }
});

Deno.test("padding counts for the windows, and is given back at once", async () => {
  using connected = serve(routes);
  const { client } = connected;
  const stream = client.open({ path: "/hold" }, false);
  await client.sync();
  const granted = stream.sendable;
  const padded = new Uint8Array(256);
  padded[0] = 254;
  for (let sent = 0; sent < 4 * granted; sent += 256) {
    await stream.until(() => stream.sendable >= 256);
    client.frame("DATA", PADDED, 1, padded);
  }
  assertEquals(await outcome(client), OK);
  await abort(connected);
});
