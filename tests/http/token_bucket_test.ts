import { assert } from "@std/assert";
import { TokenBucket } from "../../src/http/token_bucket.ts";

/** A clock that is set by hand. */
class FakeClock {
  now = 1000;
  readonly read = (): number => this.now;
}

Deno.test("A bucket never holds more than its burst", () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ burst: 10, perSecond: 1 }, clock.read);
  clock.now += 1e9;
  assert(bucket.take(10));
  assert(!bucket.take(1));
  clock.now += 999;
  assert(!bucket.take(1));
  clock.now += 1;
  assert(bucket.take(1));
});
