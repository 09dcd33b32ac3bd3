// A client that vanishes: it resets its connection, as a crash or a cable does.
// `Deno.Conn` says goodbye before it closes, the sockets of `node:net` need not.

import net from "node:net";

/**
 * Connects to a port of the loopback interface, sends, waits for the first
 * bytes of an answer, and resets the connection.
 */
export function reset(
  port: number,
  request: string | Uint8Array,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(request));
    socket.once("data", () => socket.resetAndDestroy());
    socket.once("error", reject);
    socket.once("close", () => resolve());
  });
}

/** Connects to a port of the loopback interface, and resets the connection. */
export function connectAndReset(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.resetAndDestroy();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve());
  });
}
