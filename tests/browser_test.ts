// The chat of `examples/chat.ts` in a real browser: two tabs talk to each other,
// through the page as a user sees it. Where there is no Chromium, the tests are
// ignored, and say so.

import { assertEquals } from "@std/assert";
import { Chromium, hasChromium, type Tab } from "./_chromium.ts";
import { Example } from "./_example.ts";
import { createChat } from "../examples/chat.ts";
import { createCertificate } from "./e2e/_certificates.ts";
import { granted, netTest, start } from "./e2e/_testing.ts";

/** Declares a test that drives a browser. */
function browserTest(name: string, fn: () => Promise<void>): void {
  netTest(name, fn, {
    permissions: ["read", "run", "env", "write"],
    lacks: granted("read") && !hasChromium()
      ? "there is no /usr/bin/chromium"
      : undefined,
    timeoutMs: 90_000,
  });
}

browserTest(
  "chat.ts lets two tabs of a browser talk to each other",
  async () => {
    await using example = await Example.start("chat.ts");
    await using browser = await Chromium.start();
    const ann = await enter(browser, example, "Ann");
    const bob = await enter(browser, example, "Bob");
    await sees(ann, "Bob has joined");
    await sees(ann, "In the room: Ann, Bob");
    await sees(bob, "In the room: Ann, Bob");

    await say(ann, "Hello, <b>Bob</b> \u{1f44b}");
    await sees(bob, "Ann Hello, <b>Bob</b> \u{1f44b}");
    await say(bob, "Hello, Ann");
    await sees(ann, "Bob Hello, Ann");
    // What was said is text, even where it is written like HTML.
    assertEquals(
      await bob.evaluate("document.querySelectorAll('li b b').length"),
      0,
    );

    await bob.close();
    await sees(ann, "Bob has left");
    await sees(ann, "In the room: Ann");
    assertEquals((await example.interrupt()).code, 0);
  },
);

browserTest(
  "chat.ts needs no more than one connection over HTTP/2",
  async () => {
    const ports = new Set<number | undefined>();
    const versions = new Set<string>();
    const chat = createChat();
    await using server = start((scope, receive, send) => {
      if (scope.type !== "lifespan") {
        ports.add(scope.client?.[1]);
        versions.add(`${scope.type} ${scope.http_version}`);
      }
      return chat(scope, receive, send);
    }, { tls: await createCertificate() });
    // Nobody has signed the certificate.
    await using browser = await Chromium.start("--ignore-certificate-errors");
    const ann = await enter(browser, server, "Ann");
    const bob = await enter(browser, server, "Bob");
    await sees(ann, "In the room: Ann, Bob");
    await say(bob, "Hello, Ann");
    await sees(ann, "Bob Hello, Ann");
    assertEquals([...versions].sort(), ["http 2", "websocket 2"]);
    assertEquals(ports.size, 1);
    assertEquals(server.errors, []);
  },
);

browserTest("chat.ts is found again when its server is back", async () => {
  await using first = await Example.start("chat.ts");
  await using browser = await Chromium.start();
  const ann = await enter(browser, first, "Ann");
  assertEquals((await first.interrupt()).code, 0);
  await ann.until(
    "document.querySelector('#status').textContent.includes('again in')",
  );
  assertEquals(
    await ann.evaluate("document.querySelector('#send').disabled"),
    true,
  );

  const { port } = new URL(first.url);
  await using second = await Example.start("chat.ts", { env: { PORT: port } });
  await sees(ann, "Connected as Ann");
  await say(ann, "Back again");
  await sees(ann, "Ann Back again");
  assertEquals((await second.interrupt()).code, 0);
});

/** Opens the page, and enters the room. */
async function enter(
  browser: Chromium,
  { url }: Pick<Example, "url">,
  name: string,
): Promise<Tab> {
  const tab = await browser.open(url);
  // The script that sees to the form is run before the page is complete.
  await tab.until(
    "document.readyState === 'complete' && document.activeElement?.id === 'name'",
  );
  await tab.type(name);
  await tab.pressEnter();
  await sees(tab, `Connected as ${name}`);
  return tab;
}

async function say(tab: Tab, text: string): Promise<void> {
  await tab.until("document.activeElement?.id === 'text'");
  await tab.type(text);
  await tab.pressEnter();
}

/** Waits until the page shows a line of text. */
async function sees(tab: Tab, line: string): Promise<void> {
  const elements = "[...document.querySelectorAll('#status, #names, li')]";
  // The author and the text are apart by a margin.
  const texts = `${elements}.map((element) =>
    [...element.childNodes].map((node) => node.textContent).join(" "))`;
  await tab.until(`${texts}.includes(${JSON.stringify(line)})`);
}
