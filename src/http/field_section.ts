/**
 * The fields of a message as HTTP/2 and HTTP/3 carry them: decoded pairs, with
 * the request line in pseudo-fields in front (RFC 9113, sections 8.2 and 8.3;
 * RFC 9114, sections 4.2 and 4.3). What breaks these rules is malformed, is not
 * answered, and is never forwarded:
 *
 * - a name that is no token in lowercase, a value with a control character, or
 *   with SP or HTAB at an end;
 * - a field that speaks of a connection, which these versions do not have:
 *   Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade, and
 *   HTTP2-Settings; TE with anything but "trailers";
 * - a pseudo-field that is not known, repeated, in trailers, or after a field.
 *
 * @module
 */

import { type Field, fieldName, isFieldValue } from "./fields.ts";
import { quote } from "./http_error.ts";

/** Thrown for a message that breaks the rules: it is not answered. */
export class MalformedError extends Error {
  /** The name of the class. */
  override readonly name = "MalformedError";
}

/** The pseudo-fields of a request (RFC 8441, section 4, for `:protocol`). */
export interface PseudoFields {
  /** The method. */
  ":method"?: string;
  /** The scheme. */
  ":scheme"?: string;
  /** Host and port. */
  ":authority"?: string;
  /** Path and query. */
  ":path"?: string;
  /** The protocol that an extended CONNECT asks for. */
  ":protocol"?: string;
}

/** Pseudo-fields and fields, apart. */
export interface FieldSection {
  /** Those that were there. */
  readonly pseudo: PseudoFields;
  /** All others, in their order; crumbs of Cookie are one field. */
  readonly fields: Field[];
}

const PSEUDO_FIELDS: ReadonlySet<string> = new Set<keyof PseudoFields>([
  ":method",
  ":scheme",
  ":authority",
  ":path",
  ":protocol",
]);
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

const COLON = 0x3a;
const SPACE = 0x20;
const HTAB = 0x09;

/**
 * Takes the decoded fields of a request apart.
 *
 * @throws {MalformedError} If one of them breaks a rule above.
 */
export function readFieldSection(decoded: readonly Field[]): FieldSection {
  const pseudo: PseudoFields = {};
  let at = 0;
  while (at < decoded.length && isPseudo(decoded[at][0])) {
    addPseudo(pseudo, decoded[at++]);
  }
  const fields: Field[] = [];
  let cookieAt = -1;
  for (; at < decoded.length; at++) {
    const field = decoded[at];
    checkField(field);
    if (field[0] !== "cookie") fields.push(field);
    else if (cookieAt === -1) cookieAt = fields.push(field) - 1;
    // RFC 9113, section 8.2.3: nothing but HTTP/2 and /3 knows crumbs.
    else fields[cookieAt] = ["cookie", `${fields[cookieAt][1]}; ${field[1]}`];
  }
  return { pseudo, fields };
}

/**
 * Checks the fields after the content.
 *
 * @throws {MalformedError} If one of them breaks a rule above.
 */
export function checkTrailers(decoded: readonly Field[]): void {
  for (const field of decoded) checkField(field);
}

function isPseudo(name: string): boolean {
  return name.charCodeAt(0) === COLON;
}

function addPseudo(pseudo: PseudoFields, [name, value]: Field): void {
  if (!PSEUDO_FIELDS.has(name)) {
    throw new MalformedError(`Cannot accept pseudo-field ${quote(name)}`);
  }
  const known = name as keyof PseudoFields;
  if (pseudo[known] !== undefined) {
    throw new MalformedError(`Cannot accept ${name} twice`);
  }
  if (value === "") throw new MalformedError(`Cannot accept empty ${name}`);
  checkValue(name, value);
  pseudo[known] = value;
}

function checkField([name, value]: Field): void {
  if (fieldName(name) !== name) {
    throw new MalformedError(
      isPseudo(name)
        ? `Cannot accept ${quote(name)}: not at the start of a request`
        : `Cannot accept field name ${quote(name)}`,
    );
  }
  checkValue(name, value);
  if (CONNECTION_FIELDS.has(name)) {
    throw new MalformedError(`Cannot accept field ${name} in this version`);
  }
  if (name === "te" && value.toLowerCase() !== "trailers") {
    throw new MalformedError(`Cannot accept te: ${quote(value)}`);
  }
}

function checkValue(name: string, value: string): void {
  const last = value.length - 1;
  if (
    isFieldValue(value) && !isSpace(value.charCodeAt(0)) &&
    !isSpace(value.charCodeAt(last))
  ) return;
  throw new MalformedError(`Cannot accept ${name}: ${quote(value)}`);
}

function isSpace(code: number): boolean {
  return code === SPACE || code === HTAB;
}
