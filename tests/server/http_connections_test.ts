// A socket in memory becomes a connection whose requests are dispatched.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { respond } from "../../src/asgi/helpers.ts";
import { LifespanCycle } from "../../src/asgi/lifespan_cycle.ts";
import type { AsgiApp } from "../../src/asgi/types.ts";
import type { AccessRecord } from "../../src/logs/records.ts";
import type { SocketConn } from "../../src/net/connection.ts";
import { DeadlineClock } from "../../src/net/deadlines.ts";
import type { Listener } from "../../src/net/listener.ts";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import { httpConnections } from "../../src/server/http_connections.ts";
import { DEFAULT_OPTIONS } from "../../src/server/options.ts";
import { bytes, text } from "../_feeding.ts";

const LISTENER = {
  address: {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 80,
    secure: false,
  },
} as Partial<Listener> as Listener;

const app: AsgiApp = (scope, _receive, send) =>
  respond(send, 200, {
    body: scope.type === "http" ? `${scope.client} ${scope.scheme}` : "",
  });

/** A socket whose client sends some bytes, and then no more. */
class MemoryConn implements SocketConn {
  readonly remoteAddr: Deno.Addr = address(1);
  readonly localAddr: Deno.Addr = address(80);
  output = "";
  closed = false;
  #sent: Uint8Array | null;

  constructor(sent: string) {
    this.#sent = bytes(sent);
  }

  read(into: Uint8Array): Promise<number | null> {
    const sent = this.#sent;
    this.#sent = null;
    if (sent === null) return Promise.resolve(null);
    into.set(sent);
    return Promise.resolve(sent.length);
  }

  write(written: Uint8Array): Promise<number> {
    this.output += text(written);
    return Promise.resolve(written.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    this.closed = true;
  }
}

function address(port: number): Deno.Addr {
  return { transport: "tcp", hostname: "127.0.0.1", port };
}

/** Serves what a client sends; what it gets, and what is recorded of it. */
async function serveOnce(
  sent: string,
): Promise<{ conn: MemoryConn; records: AccessRecord[] }> {
  const records: AccessRecord[] = [];
  const dispatcher = new Dispatcher(app, {
    options: DEFAULT_OPTIONS,
    lifespan: new LifespanCycle(app, "off", () => {}),
    openFile: () => Promise.reject(new Error("There are no files here")),
    log: () => {},
    accessLog: (record) => void records.push(record),
  });
  const connect = httpConnections(dispatcher, {
    clock: new DeadlineClock(1_000),
    options: DEFAULT_OPTIONS,
  });
  const conn = new MemoryConn(sent);
  await connect(conn, LISTENER).run();
  return { conn, records };
}

Deno.test("A request of a socket is answered by the application", async () => {
  const { conn, records } = await serveOnce(
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  );
  assertStringIncludes(conn.output, "\r\n\r\n127.0.0.1,1 http");
  assert(conn.closed);
  assertEquals(records.map(({ status }) => status), [200]);
});

Deno.test("Bytes of a socket that are no request are recorded", async () => {
  const { conn, records } = await serveOnce("nonsense\r\n\r\n");
  assertStringIncludes(conn.output, "HTTP/1.1 400 Bad Request\r\n");
  assertEquals(records.map(({ method, status }) => [method, status]), [
    ["", 400],
  ]);
});
