// Attacks over real sockets, one connection after the other: each is ended, what
// the server holds does not grow, and another client is served all the time.

import { assert, assertEquals } from "@std/assert";
import { FLAGS } from "../../src/http2/frames.ts";
import { requestFields } from "../http2/_client.ts";
import { uint32 } from "../http2/_frames.ts";
import { SocketClient } from "../http2/_sockets.ts";
import { Metrics } from "../../src/metrics/metrics.ts";
import { echoApp } from "./_apps.ts";
import { netTest, pause, start, until } from "./_testing.ts";

/** What a client sends again and again. */
const ATTACKS: Record<string, (client: SocketClient) => void> = {
  "rapid reset": (client) => client.open().cancel(),
  "made you reset": (client) => {
    const { id } = client.open();
    client.frame("WINDOW_UPDATE", 0, id, uint32(0));
  },
  "malformed requests": (client) =>
    void client.open({ headers: [["connection", "close"]] }),
  "PINGs": (client) => client.ping("12345678"),
  "SETTINGS": (client) => client.settings({}),
  "empty DATA": (client) => {
    if (client.streams.size === 0) client.open({ method: "POST" }, false);
    client.data(1, "");
  },
  "CONTINUATIONs": (client) => {
    if (client.streams.size === 0) {
      client.open({ method: "POST" }, false);
      client.frame("HEADERS", 0, 3, client.encode(requestFields()));
    }
    client.frame("CONTINUATION", 0, 3, new Uint8Array(1_000).fill(0x90));
  },
  "references to a table": (client) => {
    const flags = FLAGS.END_HEADERS | FLAGS.END_STREAM;
    const references = new Uint8Array(16_000).fill(0x80 | 25);
    client.frame("HEADERS", flags, 1, references);
  },
};

/** Attacks once; returns why the connection was ended. */
async function attack(port: number, what: string): Promise<string[]> {
  const client = await SocketClient.connect(port);
  try {
    for (let round = 0; round < 1_000 && !client.ended; round++) {
      client.together(() => {
        for (let i = 0; i < 20; i++) ATTACKS[what](client);
      });
      await pause(0);
    }
    await until(() => client.ended);
    return client.goAways;
  } finally {
    client.close();
  }
}

for (const what of Object.keys(ATTACKS)) {
  netTest(`HTTP/2 under attack by ${what}: others are served`, async () => {
    const metrics = new Metrics();
    await using server = start(echoApp, { metrics });
    await using honest = await SocketClient.connect(server.port);
    let over = false;
    const attacks = (async () => {
      const codes = [];
      for (let i = 0; i < 5; i++) {
        codes.push(...await attack(server.port, what));
      }
      over = true;
      return codes;
    })();
    let served = 0;
    do {
      const content = `request ${served++}`;
      const response = await honest.request({ method: "POST", content });
      assertEquals([response.status, response.content], [200, content]);
    } while (!over);
    assertEquals(new Set(await attacks), new Set(["ENHANCE_YOUR_CALM"]));
    assert(served > 5, `only ${served} requests were served`);
    assertEquals(honest.goAways, []);
    assertEquals(server.errors, []);
    const { counts } = metrics;
    assertEquals(counts.http2ConnectionsClosedForAbuse, 5);
    await until(() => counts.http2StreamsOpen === 0);
  });
}
