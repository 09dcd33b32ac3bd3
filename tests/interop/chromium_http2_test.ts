// Chromium over HTTP/2: a page, streams in both directions and a WebSocket, all
// of them on one connection.

import { assertEquals } from "@std/assert";
import { type AsgiApp, respond } from "../../mod.ts";
import { Chromium, hasChromium, type Tab } from "../_chromium.ts";
import { granted, netTest } from "../e2e/_testing.ts";
import { LARGE, peerApp, withServer } from "./_http2_server.ts";

/** The test makes its own certificate, which no one has signed. */
const TRUSTING = "--ignore-certificate-errors";

/** The ports of the clients of all calls: one for each connection. */
const ports = new Set<number | undefined>();

const pageApp: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "lifespan") return await peerApp(scope, receive, send);
  ports.add(scope.client?.[1]);
  if (scope.type !== "http" || scope.path !== "/") {
    return await peerApp(scope, receive, send);
  }
  const headers = [["content-type", "text/html"]] as const;
  const body = "<!DOCTYPE html><title>Page</title><link rel=icon href=data:,>";
  await respond(send, 200, { headers, body });
};

netTest("Chromium does all on one connection", async () => {
  ports.clear();
  await withServer(true, { app: pageApp }, async ({ origin }) => {
    await using browser = await Chromium.start(TRUSTING);
    const tab = await browser.open(`${origin}/`);
    await tab.until("document.title === 'Page'");
    assertEquals(await tab.evaluate(PROTOCOL), "h2");
    assertEquals(await tab.evaluate(DOWNLOAD), LARGE);
    assertEquals(await tab.evaluate(UPLOAD), "300000");
    assertEquals(await tab.evaluate(MANY), 60);
    await usesWebSocket(tab);
    // One for all of it, and one more where Chromium had begun another before
    // it knew that the first is HTTP/2; that one is never asked anything.
    assertEquals(ports.size, 1);
  });
}, {
  permissions: ["read", "run", "env", "write"],
  lacks: granted("read") && !hasChromium()
    ? "there is no /usr/bin/chromium"
    : undefined,
  timeoutMs: 90_000,
});

const PROTOCOL =
  "performance.getEntriesByType('navigation')[0].nextHopProtocol";

/** The bytes of a streamed response. */
const DOWNLOAD = `(async () => {
  let bytes = 0;
  for await (const chunk of (await fetch("/large")).body) bytes += chunk.length;
  return bytes;
})()`;

/** What the application says of a streamed request, which needs HTTP/2. */
const UPLOAD = `(async () => {
  let left = 3;
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(100_000));
      if (--left === 0) controller.close();
    },
  });
  const init = { method: "POST", body, duplex: "half" };
  return await (await fetch("/count", init)).text();
})()`;

/** How many of many requests at a time were answered as they should be. */
const MANY = `(async () => {
  const all = Array.from({ length: 60 }, async () => {
    return await (await fetch("/slow", { cache: "no-store" })).text();
  });
  return (await Promise.all(all)).filter((text) => text === "Slow").length;
})()`;

async function usesWebSocket(tab: Tab): Promise<void> {
  const echo = `new Promise((resolve, reject) => {
    const socket = new WebSocket("wss://" + location.host + "/chat");
    socket.onopen = () => socket.send("Hello");
    socket.onmessage = ({ data }) => {
      socket.onclose = ({ code }) => resolve([data, code]);
      socket.close(3001);
    };
    socket.onerror = () => reject(new Error("The WebSocket failed"));
  })`;
  assertEquals(await tab.evaluate(echo), ["Hello", 3001]);
}
