// A strict reader of what the server wrote: it takes the bytes apart as a
// client would, and fails on anything that is no well-formed response.

/** A response as a client sees it. */
export interface Response {
  readonly status: number;
  readonly reason: string;
  /** Names in lowercase, as they were sent. */
  readonly headers: readonly (readonly [string, string])[];
  /** The content, out of its framing. */
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

/** The first value of a header. */
export function header(
  { headers }: Response,
  name: string,
): string | undefined {
  return headers.find(([other]) => other === name)?.[1];
}

/**
 * Reads all responses; interim ones too. `methods` are those of the requests
 * (GET where there is none): a response to HEAD has no content.
 */
export function parseResponses(
  wire: string,
  methods: readonly string[] = [],
): Response[] {
  const responses: Response[] = [];
  let answered = 0;
  for (let at = 0; at < wire.length;) {
    const { response, end } = parseResponse(wire, at, methods[answered]);
    responses.push(response);
    if (response.status >= 200) answered++;
    at = end;
  }
  return responses;
}

/** The statuses of all responses. */
export function statuses(wire: string, methods?: readonly string[]): number[] {
  return parseResponses(wire, methods).map(({ status }) => status);
}

function parseResponse(
  wire: string,
  start: number,
  method = "GET",
): { response: Response; end: number } {
  const headEnd = wire.indexOf("\r\n\r\n", start);
  const head = wire.slice(start, headEnd);
  const [, status, reason] =
    /^HTTP\/1\.1 ([1-9][0-9]{2}) ([ -~]*)(?=\r\n|$)/.exec(head) ?? [];
  if (headEnd === -1 || status === undefined) {
    throw new Error(`No response: ${JSON.stringify(wire.slice(start))}`);
  }
  const headers = parseFields(head.split("\r\n").slice(1));
  const partial = { status: Number(status), reason, headers };
  const { body, trailers = [], end } = hasContent(partial.status, method)
    ? parseContent(wire, headEnd + 4, headers)
    : { body: "", end: headEnd + 4 };
  return { response: { ...partial, body, trailers }, end };
}

function hasContent(status: number, method: string): boolean {
  return method !== "HEAD" && status >= 200 && status !== 204 && status !== 304;
}

function parseContent(
  wire: string,
  start: number,
  headers: Response["headers"],
): { body: string; trailers?: Response["trailers"]; end: number } {
  const fields = new Map(headers);
  if (fields.get("transfer-encoding") === "chunked") {
    return parseChunks(wire, start);
  }
  const length = fields.get("content-length");
  if (length === undefined) {
    return { body: wire.slice(start), end: wire.length };
  }
  const end = start + Number(length);
  if (end > wire.length) throw new Error("Response is cut short");
  return { body: wire.slice(start, end), end };
}

function parseChunks(
  wire: string,
  start: number,
): { body: string; trailers: Response["trailers"]; end: number } {
  let body = "";
  for (let at = start;;) {
    const [line, digits] = /^([0-9a-f]+)\r\n/.exec(wire.slice(at, at + 20)) ??
      [];
    if (line === undefined) throw new Error("Response has a bad chunk size");
    at += line.length;
    const size = parseInt(digits, 16);
    if (size === 0) {
      const last = wire.startsWith("\r\n", at);
      const end = last ? at : wire.indexOf("\r\n\r\n", at) + 2;
      if (end === 1) throw new Error("Response has no end");
      const lines = wire.slice(at, end).split("\r\n").slice(0, -1);
      return { body, trailers: parseFields(lines), end: end + 2 };
    }
    body += wire.slice(at, at + size);
    at += size + 2;
    if (wire.slice(at - 2, at) !== "\r\n") {
      throw new Error("Response has a chunk that does not end in CRLF");
    }
  }
}

function parseFields(lines: readonly string[]): [string, string][] {
  return lines.map((line) => {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9a-z]+): ([\t -~\x80-\xff]*)$/
      .exec(line) ?? [];
    if (name === undefined) throw new Error(`No field: ${line}`);
    return [name, value];
  });
}
