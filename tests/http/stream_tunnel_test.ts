import { assertEquals } from "@std/assert";
import { StreamTunnel } from "../../src/http/stream_tunnel.ts";
import { bytes } from "../_feeding.ts";
import { FakeStream } from "./_fake_stream.ts";

Deno.test("A tunnel carries bytes in both directions, and ends both", async () => {
  const stream = new FakeStream();
  stream.content.push(bytes("ping"));
  const tunnel = new StreamTunnel(stream);
  await tunnel.reader.fill();
  assertEquals(tunnel.reader.peek(), bytes("ping"));
  await tunnel.write(bytes("pong"));
  assertEquals(tunnel.bytesSent, 4);
  await tunnel.close(1000);
  assertEquals(stream.events, [
    ["data", "pong", false],
    ["data", "", true],
    ["cut", "CANCEL"],
  ]);
  assertEquals(stream.deadlines, 0);
});
