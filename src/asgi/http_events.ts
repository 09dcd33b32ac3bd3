/**
 * Checks the events that an application sends for an HTTP response, and brings
 * them into the one shape that the rest of the server works with.
 *
 * @module
 */

import { type Field, parseContentLength } from "../http/fields.ts";
import {
  checkBody,
  checkCount,
  checkField,
  checkFields,
  checkFlag,
  checkStatus,
  invalid,
  isIterable,
  unknownType,
} from "./event_checks.ts";
import type {
  HttpResponsePathsendEvent,
  HttpResponseZerocopysendEvent,
  HttpSendEvent,
} from "./types.ts";

/** The head of a response, checked. */
export interface ResponseStart {
  readonly type: "http.response.start";
  readonly status: number;
  readonly headers: readonly Field[];
  readonly trailers: boolean;
  /** What `headers` declare of the content's length. */
  readonly contentLength: number | undefined;
}

/** Content of a response, checked. */
export interface ResponseBody {
  readonly type: "http.response.body";
  readonly body: Uint8Array;
  readonly more_body: boolean;
}

/** Trailers, checked. */
export interface ResponseTrailers {
  readonly type: "http.response.trailers";
  readonly headers: readonly Field[];
  readonly more_trailers: boolean;
}

/** Early hints, checked: they are Link fields by now. */
export interface EarlyHint {
  readonly type: "http.response.early_hint";
  readonly headers: readonly Field[];
}

/** An event that was checked. */
export type ResponseEvent =
  | ResponseStart
  | ResponseBody
  | ResponseTrailers
  | EarlyHint
  | HttpResponsePathsendEvent
  | HttpResponseZerocopysendEvent;

/**
 * Checks the shape of an event; keys that are not known are ignored.
 *
 * @throws {InvalidEventError} If a key has a wrong type or value.
 */
export function checkEvent(event: HttpSendEvent): ResponseEvent {
  switch (event?.type) {
    case "http.response.start":
      return checkStart(event);
    case "http.response.body":
      return {
        type: event.type,
        body: checkBody(event, event.body),
        more_body: checkFlag(event, "more_body", event.more_body),
      };
    case "http.response.trailers":
      return {
        type: event.type,
        headers: checkFields(event, event.headers),
        more_trailers: checkFlag(event, "more_trailers", event.more_trailers),
      };
    case "http.response.early_hint":
      return { type: event.type, headers: checkLinks(event, event.links) };
    case "http.response.pathsend":
      if (typeof event.path !== "string" || !isAbsolute(event.path)) {
        throw invalid(event, "path must be an absolute path", event.path);
      }
      return event;
    case "http.response.zerocopysend":
      return checkZerocopysend(event);
    default:
      throw unknownType(event);
  }
}

function checkStart(
  event: Extract<HttpSendEvent, { type: "http.response.start" }>,
): ResponseStart {
  const headers = checkFields(event, event.headers);
  let contentLength: number | undefined;
  for (const [name, value] of headers) {
    if (name !== "content-length") continue;
    const length = parseContentLength(value);
    if (contentLength !== undefined || length === undefined) {
      throw invalid(event, "content-length must be one number", value);
    }
    contentLength = length;
  }
  return {
    type: event.type,
    status: checkStatus(event, event.status),
    headers,
    trailers: checkFlag(event, "trailers", event.trailers),
    contentLength,
  };
}

function checkZerocopysend(
  event: HttpResponseZerocopysendEvent,
): HttpResponseZerocopysendEvent {
  const { file, offset, count } = event;
  if (typeof file?.read !== "function") {
    throw invalid(event, "file must be an open file", file);
  }
  if (offset !== undefined && typeof file.seek !== "function") {
    throw invalid(event, "file must have seek() for an offset", file);
  }
  checkCount(event, "offset", offset);
  checkCount(event, "count", count);
  checkFlag(event, "more_body", event.more_body);
  return event;
}

function checkLinks(event: HttpSendEvent, links: unknown): Field[] {
  if (!isIterable(links)) throw invalid(event, "links must be a list", links);
  return Array.from(links, (link) => checkField(event, "link", link));
}

/** POSIX paths, and those of Windows with a drive or a server. */
function isAbsolute(path: string): boolean {
  return /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(path) && !path.includes("\0");
}
