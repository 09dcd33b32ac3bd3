import { assertThrows } from "@std/assert";
import { WireProgress } from "../../src/http/wire_progress.ts";

Deno.test("A step that is not due says what to do", () => {
  const progress = new WireProgress();
  assertThrows(
    () => progress.content(1, "data"),
    Error,
    "Cannot send content: the response has not begun: call head() first",
  );
  progress.begin(undefined);
  assertThrows(
    () => progress.begin(undefined),
    Error,
    "Cannot begin response: the response has begun: send its content",
  );
  progress.content(0, "last data");
  assertThrows(
    () => progress.advance("last trailers"),
    Error,
    "Cannot send trailers: the response is complete: nothing can follow",
  );
});

Deno.test("Content of a wrong length says by how much", () => {
  const long = new WireProgress();
  long.begin(2);
  assertThrows(() => long.content(5, "data"), RangeError, "3 bytes more");
  const short = new WireProgress();
  short.begin(2);
  assertThrows(() => short.content(1, "last data"), RangeError, "1 bytes less");
});
