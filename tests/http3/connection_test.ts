import { assertEquals } from "@std/assert";
import { Http3Connection } from "../../src/http3/connection.ts";
import { MemoryQuic } from "./_memory_quic.ts";

Deno.test("A connection runs until it is closed", async () => {
  const transport = new MemoryQuic();
  const connection = new Http3Connection(transport, () => Promise.resolve());
  const done = connection.run();
  transport.end();
  assertEquals(await done, undefined);
});
