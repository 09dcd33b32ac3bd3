// A `Response` as events: its length where that can be known, its content at the
// client's pace.

import { assertEquals, assertRejects } from "@std/assert";
import { ClientDisconnected } from "../../src/asgi/errors.ts";
import type { Receive, Send, SendEvent } from "../../src/asgi/types.ts";
import { RequestEvents } from "../../src/fetch/_request_events.ts";
import { sendResponse } from "../../src/fetch/_response_events.ts";
import { httpScopeOf, webSocketScopeOf } from "../middleware/_calls.ts";

const never: Receive = (() => new Promise(() => {})) as unknown as Receive;

/** The events of a response, content as text. */
async function sent(
  response: Response,
  scope = httpScopeOf(),
  requestEvents = new RequestEvents(never, false),
): Promise<unknown[]> {
  const events: unknown[] = [];
  const send = (event: SendEvent) => {
    const { body } = event as { body?: Uint8Array };
    const text = body && new TextDecoder().decode(body);
    events.push(
      text === undefined
        ? event
        : [text, "more_body" in event && event.more_body],
    );
    return Promise.resolve();
  };
  await sendResponse(response, scope, requestEvents, send as unknown as Send);
  return events;
}

function start(status: number, ...headers: [string, string][]) {
  return { type: "http.response.start", status, headers };
}

Deno.test("sendResponse() adds the length of content that is there", async () => {
  const headers = { "content-type": "text/plain" };
  const plain: [string, string] = ["content-type", "text/plain"];
  assertEquals(await sent(new Response("abc", { headers })), [
    start(200, plain, ["content-length", "3"]),
    ["abc", false],
  ]);
  const empty = new Response(null, { status: 404 });
  assertEquals(await sent(empty), [
    start(404, ["content-length", "0"]),
    ["", false],
  ]);
});

Deno.test("sendResponse() adds no length where there is no content", async () => {
  const response = new Response(null, { status: 204 });
  assertEquals(await sent(response), [start(204), ["", false]]);
});

Deno.test("sendResponse() sends a stream piece by piece, its head ahead", async () => {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (const text of ["a", "b"]) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        controller.enqueue(new TextEncoder().encode(text));
      }
      controller.close();
    },
  });
  assertEquals(await sent(new Response(body)), [
    start(200),
    ["", true],
    ["a", true],
    ["b", true],
    ["", false],
  ]);
});

Deno.test("sendResponse() sends no content to HEAD, and cancels a stream", async () => {
  const scope = { ...httpScopeOf(), method: "HEAD" };
  let cancelled = false;
  const body = new ReadableStream({ cancel: () => void (cancelled = true) });
  assertEquals(await sent(new Response(body), scope), [start(200), [
    "",
    false,
  ]]);
  assertEquals(cancelled, true);
});

Deno.test("sendResponse() denies a WebSocket by its extension", async () => {
  const scope = webSocketScopeOf() as unknown as ReturnType<typeof httpScopeOf>;
  const [head] = await sent(new Response(null, { status: 401 }), scope);
  assertEquals((head as SendEvent).type, "websocket.http.response.start");
});

Deno.test("sendResponse() sends no stream to a client that has disconnected", async () => {
  const events = new RequestEvents(never, false);
  events.abort();
  const body = new ReadableStream();
  await assertRejects(
    () => sent(new Response(body), httpScopeOf(), events),
    ClientDisconnected,
  );
});

Deno.test("sendResponse() refuses what is no response, or was read", async () => {
  const used = new Response("a");
  await used.text();
  for (const response of [{}, Response.error(), used]) {
    await assertRejects(
      () => sent(response as Response),
      TypeError,
      "Cannot answer: ",
    );
  }
});
