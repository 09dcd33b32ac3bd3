// Small pieces leave in one write, in order, copied; large ones fit as well.

import { assertEquals, assertRejects } from "@std/assert";
import { Output } from "../../src/streams/output.ts";
import { bytes, text } from "../_feeding.ts";

/** An output whose writes are kept as they were when they were made. */
function recorded(): { output: Output; written: string[] } {
  const written: string[] = [];
  const output = outputTo((chunk) => {
    written.push(text(chunk));
    return Promise.resolve();
  });
  return { output, written };
}

Deno.test("Output sends what was collected in one write", async () => {
  const { output, written } = recorded();
  output.text("HTTP/1.1 200 OK\r\n");
  output.text("x: \xff\r\n\r\n");
  output.bytes(bytes("caf\xe9"));
  assertEquals(output.length, 29);
  await output.flush();
  assertEquals(output.length, 0);
  assertEquals(written, ["HTTP/1.1 200 OK\r\nx: \xff\r\n\r\ncaf\xe9"]);
});

Deno.test("Output writes nothing when there is nothing to send", async () => {
  const { output, written } = recorded();
  await output.flush();
  output.text("");
  output.bytes(new Uint8Array(0));
  await output.flush();
  assertEquals(written, []);
});

Deno.test("Output copies bytes, so that the caller may reuse them", async () => {
  const { output, written } = recorded();
  const chunk = bytes("abc");
  output.bytes(chunk);
  chunk.fill(0);
  await output.flush();
  assertEquals(written, ["abc"]);
});

Deno.test("Output takes pieces of any size", async () => {
  const { output, written } = recorded();
  const pieces = [10, 70_000, 5_000, 300_000, 1].map((length, i) =>
    String(i).repeat(length)
  );
  for (const piece of pieces) output.bytes(bytes(piece));
  output.text(pieces[1]);
  await output.flush();
  assertEquals(written, [pieces.join("") + pieces[1]]);
});

Deno.test("Output writes one buffer at a time, and keeps the order", async () => {
  const gates: (() => void)[] = [];
  const written: string[] = [];
  const output = outputTo((chunk) => {
    written.push(text(chunk));
    return new Promise((resolve) => gates.push(resolve));
  });
  output.text("first");
  const first = output.flush();
  output.text("second");
  const second = output.flush();
  assertEquals(written, ["first"]);
  gates[0]();
  await first;
  await Promise.resolve();
  assertEquals(written, ["first", "second"]);
  gates[1]();
  await second;
});

Deno.test("Output does not change bytes while they are being written", async () => {
  let chunk: Uint8Array | undefined;
  let finish = (): void => {};
  const output = outputTo((given) => {
    chunk ??= given;
    return new Promise((resolve) => finish = resolve);
  });
  output.text("in flight");
  const flushed = output.flush();
  output.text("collected meanwhile");
  assertEquals(text(chunk!), "in flight");
  finish();
  await flushed;
});

Deno.test("Output rejects with what a write failed with, and stays failed", async () => {
  const output = outputTo(() => Promise.reject(new Error("Broken pipe")));
  for (let turn = 0; turn < 2; turn++) {
    output.text("lost");
    await assertRejects(async () => await output.flush(), Error, "Broken pipe");
  }
});

Deno.test("Output reports a failed write once, and rejects nothing that nobody awaits", async () => {
  const lost: unknown[] = [];
  const output = outputTo(
    () => Promise.reject(new Error("Broken pipe")),
    (error) => lost.push(error),
  );
  output.text("lost");
  output.send();
  output.text("a".repeat(60_000));
  output.send();
  await turn();
  output.text("b".repeat(60_000));
  output.send();
  await turn();
  assertEquals(lost.map(String), ["Error: Broken pipe"]);
});

Deno.test("Output keeps nothing once a write has failed", async () => {
  const output = outputTo(() => Promise.reject(new Error("Broken pipe")));
  output.text("lost");
  output.send();
  await turn();
  for (let round = 0; round < 3; round++) {
    output.text("a".repeat(60_000));
    output.send();
    assertEquals(output.length, 0);
    await assertRejects(async () => await output.room(), Error, "Broken pipe");
  }
});

Deno.test("Output collects small pieces while a write is under way, and writes them together", async () => {
  const gates: (() => void)[] = [];
  const written: string[] = [];
  const output = outputTo((chunk) => {
    written.push(text(chunk));
    return new Promise((resolve) => gates.push(resolve));
  });
  for (const piece of ["a", "b", "c"]) {
    output.text(piece);
    output.send();
    assertEquals(output.room(), undefined);
  }
  assertEquals(written, ["a"]);
  gates[0]();
  await turn();
  assertEquals(written, ["a", "bc"]);
  gates[1]();
  await output.flush();
});

Deno.test("Output has no room while much waits for a write to end", async () => {
  const gates: (() => void)[] = [];
  const output = outputTo(() => new Promise((resolve) => gates.push(resolve)));
  output.text("a".repeat(60_000));
  output.send();
  assertEquals(output.room(), undefined);
  output.text("b".repeat(60_000));
  output.send();
  let waits = true;
  const room = output.room()!.then(() => waits = false);
  await turn();
  assertEquals(waits, true);
  gates[0]();
  await room;
  gates[1]();
  await output.flush();
  assertEquals(output.idle, true);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function outputTo(
  write: (bytes: Uint8Array) => Promise<void>,
  onLost: (error: unknown) => void = () => {},
): Output {
  return new Output({ write }, onLost);
}
