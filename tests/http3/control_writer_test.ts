import { assertEquals } from "@std/assert";
import { concat, numbers } from "./_frames.ts";
import { serve } from "./_serving.ts";

Deno.test("A client that stops the control stream ends the connection", async () => {
  const serving = serve();
  await serving.settled();
  assertEquals(serving.quic.opened[0].sendOrder, 4);
  serving.quic.opened[0].fail("sending stopped by peer: error 0");
  serving.connection.shutdown();
  await serving.done;
  assertEquals(serving.closeCode, 0x104);
});

Deno.test("What is to be said waits until the client allows the stream", async () => {
  const serving = serve();
  serving.connection.shutdown();
  await serving.settled();
  assertEquals(
    serving.controlBytes,
    concat(
      Uint8Array.of(0),
      numbers(0x04, 0x06, 65536, 0x08, 1),
      numbers(0x07, 2 ** 53 - 4),
    ),
  );
  await serving.leave();
});
