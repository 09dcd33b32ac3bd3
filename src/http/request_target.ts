/**
 * The four forms of a request target (RFC 9112, section 3.2), and the grammar
 * of an authority (RFC 3986, section 3.2).
 *
 * @module
 */

import { HttpError, quote } from "./http_error.ts";

/** A request target, taken apart. Both parts are as they came, still encoded. */
export interface RequestTarget {
  /** The path; "*" and an authority (of CONNECT) stand here as they are. */
  readonly path: string;
  /** What follows the first "?"; "" if there is none. */
  readonly query: string;
  /** The authority of an absolute target, which outranks the Host field. */
  readonly authority?: string;
}

/** Visible ASCII but "#": no control, no space, nothing above 0x7E. */
const TARGET = /^[\x21\x22\x24-\x7e]+$/;
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;
const REG_NAME = String.raw`(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+`;
const IP_LITERAL = String.raw`\[[0-9A-Fa-f:.]+\]`;
const HOST = new RegExp(`^(?:${IP_LITERAL}|${REG_NAME})(?::[0-9]{0,5})?$`);
const AUTHORITY = new RegExp(`^(?:${IP_LITERAL}|${REG_NAME}):[0-9]{1,5}$`);

/**
 * Takes a target apart, by the form that its method allows.
 *
 * @throws {HttpError} 400 if the target has none of these forms.
 */
export function parseRequestTarget(
  method: string,
  target: string,
): RequestTarget {
  if (!TARGET.test(target)) throw invalid(target);
  if (method === "CONNECT") {
    if (!AUTHORITY.test(target) || !isHost(target)) throw invalid(target);
    return { path: target, query: "", authority: target };
  }
  if (target.startsWith("/")) return splitQuery(target);
  if (target === "*" && method === "OPTIONS") return { path: "*", query: "" };
  const [, authority, rest] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined || !isHost(authority)) throw invalid(target);
  const { path, query } = splitQuery(rest);
  const root = method === "OPTIONS" && rest === "" ? "*" : "/";
  return { path: path === "" ? root : path, query, authority };
}

/** Whether `text` is a host with an optional port (RFC 9110, section 7.2). */
export function isHost(text: string): boolean {
  return HOST.test(text) && (text[0] !== "[" || hasIpv6(text));
}

/** The platform knows the many forms of an IPv6 address. */
function hasIpv6(host: string): boolean {
  return URL.canParse(`http://${host.slice(0, host.indexOf("]") + 1)}`);
}

function splitQuery(target: string): RequestTarget {
  const mark = target.indexOf("?");
  if (mark === -1) return { path: target, query: "" };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

function invalid(target: string): HttpError {
  return new HttpError(400, `Cannot parse request target: ${quote(target)}`);
}
