// Lost lines are counted, and reported now and then.

import { assertEquals } from "@std/assert";
import { LossReport } from "../../src/logs/_loss_report.ts";

Deno.test("LossReport reports the first loss at once, and later ones together", () => {
  const reports: [number, unknown][] = [];
  const losses = new LossReport((lines, error) => reports.push([lines, error]));
  losses.add(1, "first");
  losses.add(2, "second");
  losses.add(3, "third");
  assertEquals(reports, [[1, "first"]]);
  losses.report();
  assertEquals(reports, [[1, "first"], [5, "third"]]);
  assertEquals(losses.lines, 6);
});

Deno.test("LossReport reports nothing where nothing was lost", () => {
  let reports = 0;
  const losses = new LossReport(() => reports++);
  losses.report();
  losses.reportIfDue();
  assertEquals([reports, losses.lines], [0, 0]);
});

Deno.test("LossReport survives a listener that throws, and goes without one", () => {
  const failing = new LossReport(() => {
    throw new Error("failed");
  });
  failing.add(1, undefined);
  new LossReport(undefined).add(1, undefined);
  assertEquals(failing.lines, 1);
});
