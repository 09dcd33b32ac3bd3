/**
 * The answer to a request on a stream that no handler gets.
 *
 * @module
 */

import { handled } from "../streams/handled.ts";
import { errorPage } from "./error_page.ts";
import type { FieldList } from "./field_list.ts";
import type { Field } from "./fields.ts";
import type { MessageStream } from "./message_stream.ts";
import type { ResponseDefaults } from "./response_fields.ts";
import { composeResponse } from "./response_section.ts";

/** Why a request is refused, and what is known of it. */
export interface StreamRefusal {
  /** The status to answer with. */
  readonly status: number;
  /** Fields of the answer besides those of the page. */
  readonly headers?: readonly Field[];
  /** The fields of the request, if they were read. */
  readonly list: FieldList | undefined;
  /** What is added to the answer. */
  readonly defaults: ResponseDefaults;
}

/**
 * Answers with an error page, or with its head alone if the method is HEAD.
 *
 * @returns The bytes of content.
 */
export function refuseStream(
  stream: Pick<MessageStream, "sendHeaders" | "sendData">,
  { status, headers: more = [], list, defaults }: StreamRefusal,
): number {
  const { headers, content } = errorPage(status, more);
  const { fields } = composeResponse({ status, headers, defaults });
  const isHead = list?.fields.some(isHeadMethod) ?? false;
  stream.sendHeaders(fields, isHead);
  if (isHead) return 0;
  // Nobody waits for it: a client that is lost is noticed by the stream.
  handled(stream.sendData(content, true));
  return content.length;
}

function isHeadMethod([name, value]: Field): boolean {
  return name === ":method" && value.toUpperCase() === "HEAD";
}
