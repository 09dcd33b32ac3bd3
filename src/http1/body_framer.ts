/**
 * What takes content out of one kind of framing.
 *
 * @module
 */

/** The most bytes that are taken at once. */
export const MAX_READ_BYTES = 64 * 1024;

/** Takes the content of one request out of its framing. */
export interface BodyFramer {
  /** Whether everything up to the end of the content was taken. */
  readonly complete: boolean;
  /** Bytes of content that were not taken; `Infinity` if that is not known. */
  readonly left: number;
  /**
   * Takes up to 64 KiB of content from what is buffered.
   *
   * @returns `undefined` at the end, or if more bytes are needed.
   * @throws {HttpError} 400 for bad framing, 413 for too much content.
   */
  take(): Uint8Array | undefined;
}
