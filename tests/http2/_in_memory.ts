// The test client and a connection of the server, over a transport in memory: no
// sockets, and no clock but that of the test.

import type { ServedConnection } from "../../src/http/served_connection.ts";
import type { Transport } from "../../src/http/transport.ts";
import {
  MemoryTransport,
  type Misbehaviour,
} from "../http/_memory_transport.ts";
import { settledSoon } from "../_turns.ts";
import { Http2Client, type Http2ClientOptions } from "./_client.ts";

/** How a connection in memory is made. */
export interface InMemoryOptions extends Http2ClientOptions {
  /** How its transport misbehaves. Default: it does not. */
  readonly transport?: Misbehaviour;
  /**
   * Whether the client begins with its preface and SETTINGS; if not, it sends
   * nothing of its own accord. Default: `true`.
   */
  readonly begins?: boolean;
}

/** Both ends of a connection, which is being served. */
export interface Connected<C> extends Disposable {
  readonly client: Http2Client;
  readonly transport: MemoryTransport;
  readonly connection: C;
  /** What `run` does: settles when the connection is closed. */
  readonly done: Promise<unknown>;
}

/** Serves a connection that `serve` makes, and lets a client begin. */
export function connectInMemory<C extends Pick<ServedConnection, "run">>(
  serve: (transport: Transport) => C,
  { transport: misbehaviour, begins = true, ...options }: InMemoryOptions = {},
): Connected<C> {
  const transport = new MemoryTransport(misbehaviour);
  const client = new Http2Client(
    (chunk) => transport.pushBytes(chunk),
    { acknowledges: begins, autoCredit: begins, ...options },
  );
  transport.onTaken = (chunk) => client.receive(chunk);
  transport.onEnded = () => client.end();
  const connection = serve(transport);
  // The server does not wait for the client, which would answer it too soon.
  if (begins) client.begin();
  const done = connection.run();
  done.catch(() => {});
  return {
    client,
    transport,
    connection,
    done,
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** Lets all happen that needs nothing from outside. */
export { settledSoon as settled };
