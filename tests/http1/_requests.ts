// Requests as a client writes them, and handlers that wait for the test.

import type { Disconnect } from "../../src/http/exchange.ts";
import { readContent, respond, serveInMemory } from "./_memory_transport.ts";
import { parseResponses } from "./_responses.ts";

export function get(path: string, ...fields: string[]): string {
  return [`GET ${path} HTTP/1.1`, "Host: a", ...fields, "", ""].join("\r\n");
}

export function post(path: string, content: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ` +
    `${content.length}\r\n\r\n${content}`;
}

export function postChunks(path: string, framed: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\n` +
    `Transfer-Encoding: chunked\r\n\r\n${framed}`;
}

/** Something that a test waits for, or makes others wait for. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { open: () => open(), opened };
}

export function bodies(output: string): string[] {
  return parseResponses(output).map(({ body }) => body);
}

/** Serves a request whose handler runs until `open`; notes the disconnects. */
export function serveWaiting(): {
  disconnects: Disconnect[];
  served: ReturnType<typeof serveInMemory>;
  open: () => void;
} {
  const disconnects: Disconnect[] = [];
  const { open, opened } = gate();
  const served = serveInMemory(async (exchange) => {
    exchange.disconnectListener = {
      disconnected: (how) => disconnects.push(how),
    };
    await readContent(exchange);
    await opened;
    await respond(exchange, "done");
  });
  return { disconnects, served, open };
}
