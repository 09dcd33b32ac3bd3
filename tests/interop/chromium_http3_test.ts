// Chromium over HTTP/3. A flag says that the origin has it: the way by Alt-Svc needs
// a certificate that an authority has signed.

import { assertEquals } from "@std/assert";
import { type AsgiApp, respond } from "../../mod.ts";
import { Chromium, hasChromium } from "../_chromium.ts";
import { granted, netTest } from "../e2e/_testing.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { LARGE, peerApp } from "./_http2_server.ts";
import { UPLOAD, withHttp3Server } from "./_http3_server.ts";

const pageApp: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "http" || scope.path !== "/") {
    return await peerApp(scope, receive, send);
  }
  const headers = [["content-type", "text/html"]] as const;
  const body = "<!DOCTYPE html><title>Page</title><link rel=icon href=data:,>";
  await respond(send, 200, { headers, body });
};

const LACKS = granted("read") && !hasChromium()
  ? "there is no /usr/bin/chromium"
  : undefined;

withUnstableNet(import.meta.url, () => {
  netTest("Chromium gets and sends all that it asks for", async () => {
    await withHttp3Server(async ({ port, keyHash }) => {
      const origin = `localhost:${port}`;
      await using browser = await Chromium.start(
        "--enable-quic",
        `--origin-to-force-quic-on=${origin}`,
        "--host-resolver-rules=MAP localhost 127.0.0.1",
        `--ignore-certificate-errors-spki-list=${keyHash}`,
      );
      const tab = await browser.open(`https://${origin}/`);
      await tab.until("document.title === 'Page'");
      assertEquals(await tab.evaluate(PROTOCOL), "h3");
      assertEquals(await tab.evaluate(DOWNLOAD), LARGE);
      assertEquals(await tab.evaluate(uploadTo("/count")), String(UPLOAD));
      assertEquals(await tab.evaluate(uploadTo("/refuse")), "Refused");
      assertEquals(await tab.evaluate(MANY), 60);
      assertEquals(await tab.evaluate(CUT), "an error");
      assertEquals(await tab.evaluate(AFTER), "Hello");
      assertEquals(await tab.evaluate(STOP), 20);
    }, pageApp);
  }, {
    permissions: ["read", "run", "env", "write"],
    lacks: LACKS,
    timeoutMs: 90_000,
  });
}, LACKS);

const PROTOCOL =
  "performance.getEntriesByType('navigation')[0].nextHopProtocol";

/** The bytes of a streamed response. */
const DOWNLOAD = `(async () => {
  let bytes = 0;
  for await (const chunk of (await fetch("/large")).body) bytes += chunk.length;
  return bytes;
})()`;

/** What the application says of a request with much content. */
function uploadTo(path: string): string {
  return `(async () => {
    const body = new Uint8Array(${UPLOAD});
    return await (await fetch("${path}", { method: "POST", body })).text();
  })()`;
}

/** How many of many requests at a time were answered as they should be. */
const MANY = `(async () => {
  const all = Array.from({ length: 60 }, async () => {
    return await (await fetch("/slow", { cache: "no-store" })).text();
  });
  return (await Promise.all(all)).filter((text) => text === "Slow").length;
})()`;

const CUT = `fetch("/cut").then((response) => response.text())
  .then(() => "no error", () => "an error")`;

const AFTER = `fetch("/hello").then((response) => response.text())`;

/** How many requests in flight were answered when the server stopped. */
const STOP = `(async () => {
  const all = Array.from({ length: 20 }, async () => {
    return await (await fetch("/wait", { cache: "no-store" })).text();
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await fetch("/stop");
  return (await Promise.all(all)).filter((text) => text === "Waited").length;
})()`;
