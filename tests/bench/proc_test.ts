// What Linux says of processes.

import { assert } from "@std/assert";
import { cpuSeconds } from "../../bench/compare/proc.ts";
import { granted } from "../e2e/_testing.ts";

/** `/proc` may be read only by one who may do everything. */
const ALL = ["read", "write", "net", "env", "run", "sys", "ffi"] as const;

Deno.test({
  name: "processor time is counted in less than the ticks of the system",
  ignore: Deno.build.os !== "linux" || !ALL.every((name) => granted(name)),
  fn() {
    const before = cpuSeconds(Deno.pid);
    let gain = 0;
    // Each look takes some time of the processor itself.
    while (gain === 0) gain = cpuSeconds(Deno.pid) - before;
    assert(gain < 0.01, `The smallest step was ${gain} s`);
  },
});
