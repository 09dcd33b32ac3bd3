import { assertEquals } from "@std/assert";
import { BackOff } from "../../src/cli/back_off.ts";

Deno.test("BackOff doubles its waits, up to the longest", () => {
  const backOff = new BackOff({ minMs: 100, maxMs: 500 });
  const waits = [0, 0, 0, 0, 0].map((lived) => backOff.afterFailure(lived));
  assertEquals(waits, [100, 200, 400, 500, 500]);
});

Deno.test("BackOff starts anew after something that lived long enough", () => {
  const backOff = new BackOff({ minMs: 100, soundMs: 1000 });
  const waits = [0, 999, 1000, 0].map((lived) => backOff.afterFailure(lived));
  assertEquals(waits, [100, 200, 100, 200]);
});
