// The order in which responses are sent that wait for the same connection (RFC
// 9218), seen by a client that opens its window when all of them wait.

import { assert, assertEquals } from "@std/assert";
import type { Http2Client } from "./_client.ts";
import { leave, serve } from "./_serving.ts";

const SIZE = 40_000;
/** What takes the connection's window, until the client gives it back. */
const BLOCKING = 65_535;

/** Asks for responses with these priorities; returns whose turn each frame was. */
async function turnsOf(
  priorities: readonly (string | undefined)[],
  { before, meanwhile }: {
    readonly before?: (client: Http2Client) => void;
    readonly meanwhile?: (client: Http2Client) => void;
  } = {},
): Promise<number[]> {
  using connected = serve(
    async (exchange) => {
      const isFirst = exchange.request.target.path === "/first";
      exchange.head(200, []);
      await exchange.data(new Uint8Array(isFirst ? BLOCKING : SIZE), true);
    },
    {},
    { autoCredit: false, settings: { INITIAL_WINDOW_SIZE: 1_000_000 } },
  );
  const { client } = connected;
  await client.request({ path: "/first" });
  before?.(client);
  const streams = client.together(() =>
    priorities.map((value) =>
      client.open({ headers: value === undefined ? [] : [["priority", value]] })
    )
  );
  await client.sync();
  assert(
    streams.every(({ status, received }) => status === 200 && received === 0),
  );
  meanwhile?.(client);
  await client.sync();
  client.windowUpdate(0, 1_000_000);
  for (const stream of streams) await stream.response();
  await leave(connected);
  return client.seen("DATA").map(({ streamId }) => (streamId - 3) / 2)
    .filter((turn) => turn >= 0);
}

Deno.test("the more urgent comes first, whenever it was asked for", async () => {
  assertEquals(
    await turnsOf(["u=7", "u=3", "u=0", "u=1"]),
    [2, 2, 2, 3, 3, 3, 1, 1, 1, 0, 0, 0],
  );
});

Deno.test("of one urgency, one after the other, if that is asked for", async () => {
  assertEquals(
    await turnsOf(["u=2", "u=2", "u=2"]),
    [0, 0, 0, 1, 1, 1, 2, 2, 2],
  );
});

Deno.test("incremental ones take turns", async () => {
  assertEquals(
    await turnsOf(["u=2, i", "u=2, i", "u=2, i"]),
    [0, 1, 2, 0, 1, 2, 0, 1, 2],
  );
});

Deno.test("where nobody asks for an order, they take turns, too", async () => {
  assertEquals(
    await turnsOf([undefined, undefined, undefined]),
    [0, 1, 2, 0, 1, 2, 0, 1, 2],
  );
});

Deno.test("PRIORITY_UPDATE changes the place of what waits", async () => {
  const turns = await turnsOf(["u=3", "u=3", "u=3"], {
    meanwhile: (client) => {
      client.priorityUpdate(7, "u=0");
      client.priorityUpdate(3, "u=5");
    },
  });
  assertEquals(turns, [2, 2, 2, 1, 1, 1, 0, 0, 0]);
});

Deno.test("PRIORITY_UPDATE may come before its request, and counts for more", async () => {
  const turns = await turnsOf(["u=1", "u=6"], {
    before: (client) => client.priorityUpdate(5, "u=0"),
  });
  assertEquals(turns, [1, 1, 1, 0, 0, 0]);
});
