// Debian's Chromium without a window, driven through the DevTools protocol over
// its own WebSocket on the loopback interface. It has a new profile, which is
// removed with it, and calls nobody.

import { bounded } from "./e2e/_testing.ts";

const CHROMIUM = "/usr/bin/chromium";
const STEP_TIMEOUT_MS = 30_000;
const ARGS = [
  "--remote-debugging-port=0",
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];

/** A reply, or an event, of the DevTools protocol. */
interface DevToolsMessage {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** Whether there is a Chromium to drive. */
export function hasChromium(): boolean {
  try {
    return Deno.statSync(CHROMIUM).isFile;
  } catch {
    return false;
  }
}

/** A running browser. */
export class Chromium implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #profile: string;
  readonly #printing: Promise<void>;
  readonly #url = Promise.withResolvers<string>();
  readonly #calls = new Map<number, (message: DevToolsMessage) => void>();
  #socket: WebSocket | undefined;
  #lastId = 0;

  private constructor(profile: string, flags: readonly string[]) {
    this.#profile = profile;
    // It is off where both flags are given.
    const args = flags.includes("--enable-quic")
      ? ARGS.filter((flag) => flag !== "--disable-quic")
      : ARGS;
    this.#process = new Deno.Command(CHROMIUM, {
      args: [...args, ...flags, `--user-data-dir=${profile}`, "about:blank"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#url.promise.catch(() => {});
    this.#printing = this.#findUrl();
  }

  /** Starts a browser, with further flags. */
  static async start(...flags: string[]): Promise<Chromium> {
    const browser = new Chromium(await Deno.makeTempDir(), flags);
    try {
      await browser.#connect();
      return browser;
    } catch (error) {
      await browser[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Opens a tab with a page. */
  async open(url: string): Promise<Tab> {
    const { targetId } = await this.call("Target.createTarget", { url });
    const { sessionId } = await this.call("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    return new Tab(this, String(targetId), String(sessionId));
  }

  /** Calls a method of the protocol; rejects if the browser refuses it. */
  async call(
    method: string,
    params: Record<string, unknown>,
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    const replied = Promise.withResolvers<DevToolsMessage>();
    this.#calls.set(id, replied.resolve);
    this.#socket?.send(JSON.stringify({ id, method, params, sessionId }));
    const { result, error } = await bounded(
      replied.promise,
      `Chromium to do ${method}`,
      STEP_TIMEOUT_MS,
    );
    if (error !== undefined) {
      throw new Error(`Cannot call ${method}: ${error.message}`);
    }
    return result ?? {};
  }

  /** Ends it with all of its processes, and removes its profile. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Its processes write to the profile until they have ended.
    if (this.#socket !== undefined) {
      await this.call("Browser.close", {}).catch(() => {});
    }
    const killer = setTimeout(() => this.#kill(), 5_000);
    if (this.#socket === undefined) this.#kill();
    await this.#process.status;
    clearTimeout(killer);
    await this.#closed();
    await this.#printing;
    await this.#removeProfile();
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  async #connect(): Promise<void> {
    const url = this.#url.promise;
    const socket = new WebSocket(
      await bounded(url, "Chromium to start", STEP_TIMEOUT_MS),
    );
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error("Cannot reach Chromium"));
    socket.onmessage = ({ data }) => {
      const message: DevToolsMessage = JSON.parse(data);
      if (message.id === undefined) return;
      this.#calls.get(message.id)?.(message);
      this.#calls.delete(message.id);
    };
    await bounded(opened.promise, "Chromium to answer", STEP_TIMEOUT_MS);
    this.#socket = socket;
  }

  /** Waits until the socket is closed: the browser has closed it already. */
  async #closed(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    const closed = Promise.withResolvers<void>();
    socket.onclose = () => closed.resolve();
    socket.close();
    await closed.promise;
  }

  async #findUrl(): Promise<void> {
    const decoder = new TextDecoder();
    let printed = "";
    for await (const bytes of this.#process.stderr) {
      printed += decoder.decode(bytes, { stream: true });
      const url = /DevTools listening on (ws:\S+)/.exec(printed)?.[1];
      if (url !== undefined) this.#url.resolve(url);
    }
    this.#url.reject(new Error(`Cannot start Chromium:\n${printed}`));
  }

  /** Its children may end a little later, and still write. */
  async #removeProfile(): Promise<void> {
    for (let attempts = 20;; attempts--) {
      try {
        return await Deno.remove(this.#profile, { recursive: true });
      } catch (error) {
        if (attempts === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

/** A tab with a page. */
export class Tab {
  readonly #browser: Chromium;
  readonly #targetId: string;
  readonly #sessionId: string;

  /** Created by {@linkcode Chromium.open}. */
  constructor(browser: Chromium, targetId: string, sessionId: string) {
    this.#browser = browser;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
  }

  /** The value of an expression in the page; it may be a promise. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#call("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) {
      throw new Error(
        `Cannot evaluate ${expression}: ${JSON.stringify(exceptionDetails)}`,
      );
    }
    return (result as { value?: unknown }).value;
  }

  /** Waits until an expression in the page is true. */
  async until(expression: string): Promise<void> {
    const deadline = performance.now() + STEP_TIMEOUT_MS;
    while (await this.evaluate(`Boolean(${expression})`) !== true) {
      if (performance.now() > deadline) {
        const text = await this.evaluate("document.body.innerText");
        throw new Error(`Cannot see ${expression} in the page:\n${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Types text where the focus is, as a keyboard does. */
  async type(text: string): Promise<void> {
    await this.#call("Input.insertText", { text });
  }

  /** Presses Enter. */
  async pressEnter(): Promise<void> {
    const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 };
    await this.#key({ type: "keyDown", text: "\r", ...key });
    await this.#key({ type: "keyUp", ...key });
  }

  /** The page as it is rendered, as a PNG. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.#call("Page.captureScreenshot", {});
    return Uint8Array.fromBase64(String(data));
  }

  /** Closes the tab. */
  async close(): Promise<void> {
    const targetId = this.#targetId;
    await this.#browser.call("Target.closeTarget", { targetId });
  }

  async #key(params: Record<string, unknown>): Promise<void> {
    await this.#call("Input.dispatchKeyEvent", params);
  }

  #call(
    method: string,
    params: Record<string, unknown>,
  ): Promise<Record<string, unknown>> {
    return this.#browser.call(method, params, this.#sessionId);
  }
}
