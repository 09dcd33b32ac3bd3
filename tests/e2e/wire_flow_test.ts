// Content that is not read, by the application or by the client.

import { assert, assertEquals } from "@std/assert";
import { respond } from "../../mod.ts";
import { countApp, http, pathApp } from "./_apps.ts";
import { post, type RawClient, readBodies, request } from "./_raw_client.ts";
import { netTest, pause, start, until } from "./_testing.ts";

// Requests that are answered before they were sent.

/** Larger than what the server drains, and than what sockets buffer. */
const LARGE = 32 * 1024 * 1024;

for (
  const framing of [`content-length: ${LARGE}`, "transfer-encoding: chunked"]
) {
  netTest(
    `an early 401 reaches a client that sends on (${framing})`,
    async () => {
      const app = http(async (_scope, _receive, send) => {
        await respond(send, 401, { body: "Who is there?" });
      });
      await using server = start(app);
      using client = await server.connect();
      await client.send(request("POST", "/", framing));
      await sendLargeBody(client, framing);
      const { status, headers, body } = await client.readResponse();
      assertEquals([status, body], [401, "Who is there?"]);
      assertEquals(headers.get("connection"), "close");
      assertEquals(await client.readToEnd(), "");
    },
  );

  netTest(`a 413 reaches a client that sends on (${framing})`, async () => {
    await using server = start(countApp, { maxBodyBytes: 1_000_000 });
    using client = await server.connect();
    await client.send(request("POST", "/", framing));
    await sendLargeBody(client, framing);
    const { status, headers } = await client.readResponse();
    assertEquals(status, 413);
    assertEquals(headers.get("connection"), "close");
    assertEquals(await client.readToEnd(), "");
  });
}

netTest("content that nobody read is drained if it is small", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  const content = "GET /smuggled HTTP/1.1\r\nhost: test\r\n\r\n".repeat(500);
  await client.send(post("/1", content) + request("GET", "/2"));
  assertEquals(await readBodies(client, 2), ["/1", "/2"]);
});

netTest("content past drainBytes is never taken for a request", async () => {
  await using server = start(pathApp, { drainBytes: 1000 });
  using client = await server.connect();
  const content = "GET /smuggled HTTP/1.1\r\nhost: test\r\n\r\n".repeat(500);
  await client.send(post("/1", content) + request("GET", "/2"));
  assertEquals((await client.readResponse()).body, "/1");
  assertEquals(await client.readToEnd(), "");
});

// Back pressure.

netTest("a client can't send more than the app takes", async () => {
  const gate = Promise.withResolvers<void>();
  const app = http(async (scope, receive, send) => {
    await gate.promise;
    await countApp(scope, receive, send);
  });
  await using server = start(app);
  using client = await server.connect();
  await client.send(request("POST", "/", `content-length: ${LARGE}`));
  let sent = 0;
  const sending = sendZeros(client, LARGE, (total) => sent = total);
  await untilStable(() => sent);
  assert(sent < LARGE, `All ${sent} bytes were taken`);
  gate.resolve();
  await sending;
  assertEquals((await client.readResponse()).body, String(LARGE));
});

netTest("an app can't send more than the client takes", async () => {
  let sent = 0;
  const app = http(async (_scope, _receive, send) => {
    const body = new Uint8Array(64 * 1024);
    await send({ type: "http.response.start", status: 200 });
    while (sent < LARGE) {
      await send({ type: "http.response.body", body, more_body: true });
      sent += body.length;
    }
    await send({ type: "http.response.body" });
  });
  await using server = start(app);
  using client = await server.connect();
  await client.get("/");
  await untilStable(() => sent);
  assert(sent < LARGE, `All ${sent} bytes were sent`);
  await client.readHead();
  let read = 0;
  for (let chunk; (chunk = await client.readChunk()) !== "";) {
    read += chunk.length;
  }
  assertEquals(read, LARGE);
});

/** Sends content until all is sent, or the server takes no more. */
async function sendLargeBody(client: RawClient, framing: string) {
  const piece = new Uint8Array(64 * 1024);
  const chunked = framing.includes("chunked");
  for (let sent = 0; sent < LARGE; sent += piece.length) {
    if (chunked) await client.send("10000\r\n", piece, "\r\n");
    else await client.send(piece);
  }
  if (chunked) await client.send("0\r\n\r\n");
}

async function sendZeros(
  client: RawClient,
  bytes: number,
  onSent: (total: number) => void,
): Promise<void> {
  const piece = new Uint8Array(64 * 1024);
  for (let sent = 0; sent < bytes;) {
    await client.send(piece);
    onSent(sent += piece.length);
  }
}

/** Waits until a number has grown, and grows no more. */
async function untilStable(read: () => number): Promise<void> {
  let last = 0;
  await until(async () => {
    const before = last;
    last = read();
    if (before > 0 && before === last) return true;
    await pause(100);
    return false;
  });
}
