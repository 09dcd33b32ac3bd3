// A worker that takes the global `Deno` away from itself, loads the modules
// whose URLs it is sent, and answers with those that could not be loaded.

// Deno's own modules read it while they load.
import "node:fs";

Reflect.deleteProperty(globalThis, "Deno");

const worker = globalThis as unknown as {
  onmessage(event: MessageEvent<readonly string[]>): Promise<void>;
  postMessage(failed: readonly string[]): void;
};

worker.onmessage = async (event) => {
  const failed: string[] = [];
  for (const url of event.data) {
    await import(url).catch((error) => failed.push(`${url}: ${error}`));
  }
  worker.postMessage("Deno" in globalThis ? ["Deno is still there"] : failed);
};
