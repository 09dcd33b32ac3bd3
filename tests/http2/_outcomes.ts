// What a connection makes of frames, in a word: the error of the connection, the
// reset of a stream, or nothing. And handlers whose requests stay in one state.

import type { Http2Connection } from "../../src/http2/connection.ts";
import type { Http2Exchange } from "../../src/http2/exchange.ts";
import type { Http2Client } from "./_client.ts";
import type { Connected } from "./_in_memory.ts";
import { echo } from "./_serving.ts";

/**
 * Waits until all frames were read, and says what came of them: "connection
 * CODE" for GOAWAY, "stream CODE" for a reset of `streamId`, or "ok".
 */
export async function outcome(
  client: Http2Client,
  streamId = 1,
  since = 0,
): Promise<string> {
  await served(client);
  const [goAway] = client.goAways;
  if (goAway !== undefined) return `connection ${goAway}`;
  const reset = client.frames.slice(since).find((frame) =>
    frame.type === "RST_STREAM" && frame.streamId === streamId
  );
  return reset?.type === "RST_STREAM" ? `stream ${reset.code}` : "ok";
}

/** Waits until all frames were read, or the connection is over. */
export async function served(client: Http2Client): Promise<void> {
  const payload = "outcome!";
  const seen = () =>
    client.seen("PING").filter((ping) => ping.ack && ping.payload === payload);
  const before = seen().length;
  client.ping(payload);
  await client.until(() =>
    seen().length > before || client.goAways.length > 0 || client.ended
  );
}

/**
 * Handles requests by their path: "/hold" is never answered, "/reset" is reset,
 * "/tunnel" is accepted and then ended by the server;
 * all others are echoed.
 */
export async function routes(exchange: Http2Exchange): Promise<void> {
  switch (exchange.request.target.path) {
    case "/hold":
      return await disconnected(exchange);
    case "/reset":
      return exchange.abort();
    case "/tunnel":
      return await (await exchange.upgrade([])).close(60_000);
    default:
      return await echo(exchange);
  }
}

/** Waits until the client is lost. */
export function disconnected(exchange: Http2Exchange): Promise<void> {
  return new Promise((resolve) => {
    if (exchange.disconnect === "lost") resolve();
    exchange.disconnectListener = {
      disconnected: (how) => how === "lost" && resolve(),
    };
  });
}

/** Ends a connection, whatever goes on, and waits until all is over. */
export async function abort(
  { connection, done }: Connected<Http2Connection>,
): Promise<void> {
  connection.abort();
  await done.catch(() => {}); // It was lost, or ended before.
}
