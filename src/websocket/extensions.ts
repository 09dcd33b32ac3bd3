/**
 * The grammar of Sec-WebSocket-Extensions (RFC 6455, section 9.1): offers in the
 * order of preference, each a name and parameters.
 *
 *     permessage-deflate; client_max_window_bits, permessage-deflate; a="b"
 *
 * A value is a token, quoted or not: both spellings mean the same. A list of more
 * words and separators than any client has use for is malformed: those of 64 KiB
 * would cost as much as some thousand requests.
 *
 * @module
 */

/** A parameter of an extension; `true` if it has no value. */
export type ExtensionParameter = readonly [name: string, value: string | true];

/** An extension as it is offered, or accepted. */
export interface Extension {
  /** Its name. */
  readonly name: string;
  /** In their order; names may occur twice. */
  readonly parameters: readonly ExtensionParameter[];
}

/** A token, a quoted string, or a separator, with white space before it. */
const LEXEME =
  /[\t ]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[^"\\]|\\.)*)"|([,;=])|$)/y;
/** Clients offer two or three extensions, of up to four parameters each. */
const MAX_LEXEMES = 256;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Parses a field value; `undefined` if it is malformed, or too long a list. */
export function parseExtensions(value: string): Extension[] | undefined {
  const lexemes = split(value);
  if (lexemes === undefined) return undefined;
  const extensions: Extension[] = [];
  for (const member of divide(lexemes, ",")) {
    if (member.length === 0) continue; // Empty members of a list are ignored.
    const extension = parseExtension(member);
    if (extension === undefined) return undefined;
    extensions.push(extension);
  }
  return extensions;
}

/** Writes an extension as a member of the field's value. */
export function formatExtension({ name, parameters }: Extension): string {
  return [
    name,
    ...parameters.map(([key, value]) =>
      value === true ? key : `${key}=${value}`
    ),
  ].join("; ");
}

/** A word (a token, or what was quoted), or a separator. */
interface Lexeme {
  readonly word?: string;
  readonly quoted?: boolean;
  readonly separator?: string;
}

function split(value: string): Lexeme[] | undefined {
  const lexemes: Lexeme[] = [];
  LEXEME.lastIndex = 0;
  while (LEXEME.lastIndex < value.length) {
    const match = LEXEME.exec(value);
    if (match === null || lexemes.length === MAX_LEXEMES) return undefined;
    const [text, token, quoted, separator] = match;
    if (token !== undefined) lexemes.push({ word: token });
    else if (separator !== undefined) lexemes.push({ separator });
    else if (quoted !== undefined) lexemes.push(unquote(quoted));
    if (text.length === 0) break;
  }
  return lexemes;
}

function unquote(quoted: string): Lexeme {
  return { word: quoted.replaceAll(/\\(.)/g, "$1"), quoted: true };
}

/** The runs of lexemes between separators of one kind. */
function divide(lexemes: readonly Lexeme[], separator: string): Lexeme[][] {
  const runs: Lexeme[][] = [[]];
  for (const lexeme of lexemes) {
    if (lexeme.separator === separator) runs.push([]);
    else runs.at(-1)!.push(lexeme);
  }
  return runs;
}

function parseExtension(lexemes: readonly Lexeme[]): Extension | undefined {
  const [[name, ...extra], ...rest] = divide(lexemes, ";");
  if (!isName(name) || extra.length > 0) return undefined;
  const parameters: ExtensionParameter[] = [];
  for (const run of rest) {
    const parameter = parseParameter(run);
    if (parameter === undefined) return undefined;
    parameters.push(parameter);
  }
  return { name: name.word, parameters };
}

function parseParameter(
  [name, equals, value, ...extra]: readonly Lexeme[],
): ExtensionParameter | undefined {
  if (!isName(name) || extra.length > 0) return undefined;
  if (equals === undefined) return [name.word, true];
  if (equals.separator !== "=" || value?.word === undefined) return undefined;
  return TOKEN.test(value.word) ? [name.word, value.word] : undefined;
}

function isName(lexeme: Lexeme | undefined): lexeme is { word: string } {
  return lexeme?.word !== undefined && !lexeme.quoted;
}
