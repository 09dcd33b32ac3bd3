// The streams of a client in its direction, on whole connections.

import { assertEquals } from "@std/assert";
import { bytes } from "../_feeding.ts";
import { concat, data, numbers } from "./_frames.ts";
import { echo, readResponse, serve, Serving } from "./_serving.ts";

const SETTINGS = numbers(0x04);

/** The code that a connection is closed with, for what comes on these streams. */
async function codeFor(
  ...streams: (readonly [wire: Uint8Array, ends?: "ends" | "resets"])[]
): Promise<number | undefined> {
  const serving = new Serving(echo);
  for (const [wire, end] of streams) {
    const stream = serving.quic.openOneWay();
    stream.send(wire);
    if (end === "ends") stream.end();
    await serving.settled();
    if (end === "resets") stream.reset("stream reset by peer: error 256");
  }
  await serving.settled();
  const { closeCode } = serving;
  await serving.leave();
  return closeCode;
}

const hex = (digits: string): Uint8Array => Uint8Array.fromHex(digits);
const CONTROL = concat(hex("00"), SETTINGS);

Deno.test("Each stream that the protocol needs may come once", async () => {
  const all = [[CONTROL], [hex("02")], [hex("03")]] as const;
  assertEquals(await codeFor(...all), undefined);
  for (const [again] of all) {
    const first = again.subarray(0, 1);
    assertEquals(await codeFor(...all, [first]), 0x103, `${first}`);
  }
});

Deno.test("None of them may end, or be reset", async () => {
  for (const type of ["02", "03"]) {
    assertEquals(await codeFor([hex(type), "ends"]), 0x104);
    assertEquals(await codeFor([hex(type), "resets"]), 0x104);
  }
  assertEquals(await codeFor([CONTROL, "ends"]), 0x104);
  assertEquals(await codeFor([CONTROL, "resets"]), 0x104);
});

Deno.test("A client must not push", async () => {
  assertEquals(await codeFor([hex("0100")]), 0x103);
});

Deno.test("A stream may end before it has a type", async () => {
  assertEquals(await codeFor([hex(""), "ends"]), undefined);
  assertEquals(await codeFor([hex("40"), "ends"]), undefined);
  assertEquals(await codeFor([hex("40"), "resets"]), undefined);
});

Deno.test("Streams that are not known are stopped, and nothing else", async () => {
  const serving = serve();
  for (const wire of ["21", "5e0000", "4054", "ffffffffffffffff00"]) {
    const stream = serving.quic.openOneWay();
    for (const byte of hex(wire)) stream.send(Uint8Array.of(byte));
    await serving.settled();
    assertEquals(stream.stopped, true, wire);
  }
  const stream = serving.request();
  await serving.settled();
  assertEquals(readResponse(stream).ended, true);
  await serving.leave();
});

Deno.test("They have a budget", async () => {
  const serving = serve();
  for (let i = 0; i < 1001; i++) serving.quic.openOneWay().send(hex("21"));
  await serving.settled();
  assertEquals(serving.closeCode, 0x107);
  await serving.done;
});

Deno.test("Without a dynamic table, there is nothing to say about it", async () => {
  const encoder = (wire: string) => codeFor([hex(`02${wire}`)]);
  assertEquals(await encoder("20"), undefined, "a capacity of 0");
  assertEquals(await encoder("21"), 0x201, "a capacity");
  assertEquals(await encoder("c00161"), 0x201, "an entry");
  const decoder = (wire: string) => codeFor([hex(`03${wire}`)]);
  assertEquals(await decoder("44"), undefined, "a stream that was cancelled");
  assertEquals(await decoder("80"), 0x202, "a section that was read");
  assertEquals(await decoder("01"), 0x202, "entries that were added");
  assertEquals(await decoder("7fffffffffffffffffff"), 0x202, "no number");
});

Deno.test("A control stream begins with SETTINGS", async () => {
  assertEquals(await codeFor([concat(hex("00"), numbers(7, 0))]), 0x10a);
  assertEquals(await codeFor([concat(hex("00"), data("x"))]), 0x10a);
  assertEquals(await codeFor([concat(CONTROL, SETTINGS)]), 0x105);
  assertEquals(await codeFor([concat(hex("4000"), SETTINGS)]), undefined);
  assertEquals(
    await codeFor([concat(hex("00"), bytes("GET / HTTP/1.1"))]),
    0x10a,
  );
});
