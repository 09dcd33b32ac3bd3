/**
 * Files for `http.response.pathsend`, in every runtime that has Node's modules.
 *
 * @module
 */

import { closeSync, openSync, readSync } from "node:fs";
import type { ReadableFile } from "../asgi/types.ts";

/** Opens a file for reading; it is closed when it is disposed of. */
export async function openFile(
  path: string,
): Promise<ReadableFile & Disposable> {
  const file = openSync(path, "r");
  let position = 0;
  return await Promise.resolve({
    async read(target: Uint8Array): Promise<number | null> {
      const length = readSync(file, target, 0, target.length, position);
      position += length;
      return await Promise.resolve(length === 0 ? null : length);
    },
    async seek(offset: number, _whence: 0): Promise<number> {
      return await Promise.resolve(position = offset);
    },
    [Symbol.dispose]: () => closeSync(file),
  });
}
