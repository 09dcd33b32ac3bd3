import { assertEquals, assertThrows } from "@std/assert";
import { growthOf, type Sample, sampleOf } from "./watch.ts";

const MIB = 1024 * 1024;

function samples(memory: number[], descriptors = 50): Sample[] {
  return memory.map((mebibytes) => ({
    memory: mebibytes * MIB,
    descriptors,
  }));
}

Deno.test("growthOf() is content with what is flat, noisy or shrinking", () => {
  assertEquals(growthOf(samples([90, 90, 90, 90, 90, 90])), undefined);
  assertEquals(growthOf(samples([90, 80, 99, 120, 90, 85])), undefined);
  assertEquals(growthOf(samples([200, 190, 180, 90, 80, 70])), undefined);
});

Deno.test("growthOf() names what grows", () => {
  assertEquals(
    growthOf(samples([80, 80, 120, 160, 200, 200])),
    `memory from ${80 * MIB} to ${200 * MIB}`,
  );
  const growing = [20, 20, 40, 60, 200, 200].map((descriptors) => ({
    memory: 90 * MIB,
    descriptors,
  }));
  assertEquals(growthOf(growing), "descriptors from 20 to 200");
});

Deno.test("growthOf() refuses to judge by too little", () => {
  assertThrows(() => growthOf(samples([1, 2, 3, 4, 5])), RangeError);
});

const canLook = Deno.build.os === "linux" &&
  Deno.permissions.querySync({ name: "read", path: "/proc" }).state ===
    "granted";

Deno.test({
  name: "sampleOf() sees memory and descriptors of a process",
  ignore: !canLook,
  async fn() {
    const before = await sampleOf(Deno.pid);
    using _file = await Deno.open(new URL(import.meta.url));
    const after = await sampleOf(Deno.pid);
    assertEquals(after.descriptors, before.descriptors + 1);
    assertEquals(after.memory > 10 * MIB, true);
  },
});
