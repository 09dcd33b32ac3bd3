/**
 * The end of a connection whose last bytes shall arrive: a close with bytes
 * unread would reset it, and the client might lose the response.
 *
 * @module
 */

import type { ByteReader } from "../streams/byte_reader.ts";
import type { Transport } from "./transport.ts";

/**
 * Says that nothing more comes, and reads on for at most `ms` milliseconds.
 *
 * @throws Whatever the transport is lost by.
 */
export async function linger(
  transport: Transport,
  reader: ByteReader,
  ms: number,
): Promise<void> {
  await transport.closeWrite();
  transport.readDeadline.arm(ms, () => transport.endRead());
  try {
    do reader.discard(); while (await reader.fill());
  } finally {
    transport.readDeadline.disarm();
  }
}
