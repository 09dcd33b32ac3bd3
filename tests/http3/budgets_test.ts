import { Budgets } from "../../src/http3/budgets.ts";
import { assertHttp3Error } from "./_errors.ts";

function repeat(times: number, act: () => void): void {
  for (let i = 0; i < times; i++) act();
}

Deno.test("1000 frames that carry nothing are accepted, 10 a request, 1 a second", () => {
  let now = 5;
  const budgets = new Budgets(0, () => now);
  repeat(1000, () => budgets.idleFrame());
  budgets.request();
  repeat(10, () => budgets.idleFrame());
  now += 3000;
  repeat(3, () => budgets.idleFrame());
  assertHttp3Error(() => budgets.idleFrame(), "H3_EXCESSIVE_LOAD");
});

Deno.test("100 requests may be cancelled at once, and 10 a second", () => {
  let now = 0;
  const budgets = new Budgets(0, () => now);
  repeat(100, () => budgets.cancel());
  assertHttp3Error(() => budgets.cancel(), "H3_EXCESSIVE_LOAD");
  now += 1000;
  repeat(10, () => budgets.cancel());
  assertHttp3Error(() => budgets.cancel(), "H3_EXCESSIVE_LOAD");
});

Deno.test("Of many requests, no more than half may be cancelled", () => {
  let now = 0;
  const budgets = new Budgets(0, () => now += 1000);
  repeat(201, () => budgets.request());
  repeat(100, () => budgets.cancel());
  assertHttp3Error(() => budgets.cancel(), "H3_EXCESSIVE_LOAD");
});

Deno.test("All requests that may be under way may be cancelled at once", () => {
  const budgets = new Budgets(150, () => 0);
  repeat(150, () => budgets.cancel());
  assertHttp3Error(() => budgets.cancel(), "H3_EXCESSIVE_LOAD");
});
