// The numbers are those of RFC 9113, section 7, and RFC 9218.

import { assertEquals } from "@std/assert";
import {
  connectionError,
  ERROR_CODES,
  errorName,
  FRAME_TYPES,
  frameName,
  readUint31,
  readUint32,
  streamError,
  writeUint32,
} from "../../src/http2/frames.ts";

Deno.test("Error codes are numbered in the order of the RFC", () => {
  const names = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
  ];
  assertEquals(Object.entries(ERROR_CODES), names.map((name, i) => [name, i]));
  assertEquals(names.map((_, i) => errorName(i)), names);
  assertEquals(errorName(0x1f), "error 0x1f");
});

Deno.test("Frame types have names", () => {
  assertEquals(frameName(FRAME_TYPES.PRIORITY_UPDATE), "PRIORITY_UPDATE");
  assertEquals(frameName(0xfe), "frame of type 0xfe");
});

Deno.test("An error carries its code, and its stream if it is of one", () => {
  const ofConnection = connectionError("PROTOCOL_ERROR", "No");
  assertEquals([ofConnection.code, ofConnection.streamId], [1, undefined]);
  const ofStream = streamError(5, "CANCEL", "No");
  assertEquals([ofStream.code, ofStream.streamId], [8, 5]);
  assertEquals(ofStream.message, "No (CANCEL)");
});

Deno.test("Numbers of 32 and 31 bits are read as they are written", () => {
  const bytes = new Uint8Array(6);
  for (const value of [0, 1, 0x7fff_ffff, 0x8000_0001, 0xffff_ffff]) {
    writeUint32(bytes, 1, value);
    assertEquals(readUint32(bytes, 1), value);
    assertEquals(readUint31(bytes, 1), value % 2 ** 31);
  }
});
