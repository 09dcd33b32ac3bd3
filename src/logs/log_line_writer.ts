/**
 * Writes the lines of log records, each at once, without waiting for a reader.
 *
 * @module
 */

import { LineWriter } from "./line_writer.ts";
import type { LogRecord } from "./records.ts";
import type { ByteSink } from "./write_all.ts";

/** Makes a writer for lines; where some are lost, a record of `toLine` says so. */
export function logLineWriter(
  sink: ByteSink,
  toLine: (record: LogRecord) => string,
): LineWriter {
  return new LineWriter(sink, {
    delay: 0,
    lossLine: (lines) =>
      toLine({
        level: "warn",
        message:
          `Log records were lost: ${lines}, which nobody read in time, or which could not be written`,
      }),
  });
}
