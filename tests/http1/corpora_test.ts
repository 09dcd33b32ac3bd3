// The request corpora of other projects, each case through a connection in
// memory: whole, byte by byte, and split at a sample of offsets. What must be
// refused is refused, and nothing after it is served; what must be accepted is
// accepted, and the connection stays in step: a request after it is the next
// one that is served. Where our rules differ from a source's, `DIFFERENCES`
// lists the case with the rule that makes us differ.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Http1Exchange } from "../../src/http1/exchange.ts";
import {
  type Corpus,
  type CorpusCase,
  type Expectation,
  readRequestCorpus,
} from "../_corpora.ts";
import {
  coarseFeedings,
  type Feeding,
  someFeedings,
  whole,
} from "../_feeding.ts";
import {
  readContent,
  respond,
  serveInMemory,
  within,
} from "./_memory_transport.ts";
import { parseResponses } from "./_responses.ts";
import { settledSoon as settled } from "../_turns.ts";

/** Sent after a case, to see whether it is served. */
const MARKER = "GET /after-the-case HTTP/1.1\r\nHost: marker\r\n\r\n";
const MARKER_SERVED = "GET /after-the-case ";

type Verdict = Exclude<Expectation, "either">;

const BARE_FRAGMENT = "Rule 2: no # in a target";
const METHOD = "Rule 2: a method is any token of up to 32 bytes, in any case";
const VERSION = "Rule 2: the version is HTTP/1.0 or HTTP/1.1";
const HOST = "Rule 4: each request on HTTP/1.1 has a Host, the second too";
const CODINGS = "Rule 6: chunked is the only transfer coding, and stands alone";
const TRAILERS =
  "Rule 7: trailers are parsed as fields and never merged, so none can frame";
const UPGRADE =
  "Rule 9: without a 101, what follows is the start of the next request";
const LIMITS = "Our default limits are wider than the source's";
const USERINFO = "RFC 9110, section 4.2.4: user information is an error";
const DAMAGED =
  "Rule 2: the Host that was added stands where the request line belongs";

/** What becomes of a case instead of what its source makes of it, and why. */
const DIFFERENCES: Record<string, Record<string, [Verdict, string]>> = {
  gunicorn: {
    "valid/005": ["reject", BARE_FRAGMENT],
    "valid/009": ["reject", CODINGS],
    "valid/018": ["reject", HOST],
    "valid/022": ["reject", HOST],
    "valid/023": ["reject", HOST],
    "valid/025": ["reject", CODINGS],
    "valid/025_line": ["reject", CODINGS],
    "valid/027": ["reject", "Rule 2: no raw byte above 0x7E in a target"],
    "valid/029": ["reject", CODINGS],
    "valid/030": ["reject", CODINGS],
    "valid/rfc9112_smuggle_gzip_chunked_01": ["reject", CODINGS],
    "valid/rfc9112_smuggle_te_identity_chunked_01": ["reject", CODINGS],
    "valid/rfc9112_target_absolute_userinfo_01": ["reject", USERINFO],
    "invalid/003c": ["accept", METHOD],
    "invalid/006": ["accept", LIMITS],
    "invalid/007": ["accept", LIMITS],
    "invalid/008": ["accept", LIMITS],
    "invalid/009": ["accept", LIMITS],
    "invalid/017": ["accept", LIMITS],
    "invalid/041": [
      "accept",
      "A repeated Content-Type frames nothing; fields are handed on as they came",
    ],
    "invalid/rfc9110_trailer_forbidden_cl_01": ["accept", TRAILERS],
    "invalid/rfc9110_trailer_forbidden_host_01": ["accept", TRAILERS],
    "invalid/rfc9110_trailer_forbidden_te_01": ["accept", TRAILERS],
  },
  llhttp: {
    "connection/Restarting when keep-alive is explicitly": ["reject", HOST],
    "connection/No restart when keep-alive is off (1.0)": [
      "accept",
      "RFC 9112, section 9.6: what follows the last request is not served",
    ],
    "connection/Multiple tokens with folding and LWS": ["incomplete", UPGRADE],
    "connection/Emitting part of body and pausing": ["incomplete", UPGRADE],
    "connection/Upgrade GET request": ["incomplete", UPGRADE],
    "connection/Upgrade POST request": ["incomplete", UPGRADE],
    "invalid/HTTP protocol and ANNOUNCE method": ["accept", METHOD],
    "invalid/Invalid method": ["accept", METHOD],
    "invalid/Headers separated by LF": ["reject", "Rule 1: no bare LF"],
    "method/M-SEARCH request": ["reject", "Rule 2: * is for OPTIONS only"],
    "method/PRI request HTTP2": ["reject", "Rule 2: * is for OPTIONS only"],
    "method/SOURCE request with ICE": ["reject", VERSION],
    "method/OPTIONS request with RTSP": ["reject", VERSION],
    "method/ANNOUNCE request with RTSP": ["reject", VERSION],
    "pipelining/Should parse multiple events": ["reject", HOST],
    "sample/Prefix newline": ["reject", DAMAGED],
    "sample/Request starting with CRLF": ["reject", DAMAGED],
    "sample/No HTTP version": ["reject", VERSION],
    "transfer-encoding/POST with `chunked` as last transfer-encoding": [
      "reject",
      CODINGS,
    ],
    "transfer-encoding/POST with `chunked` as last transfer-encoding (multiple headers)":
      ["reject", CODINGS],
    "uri/Fragment in URI": ["reject", BARE_FRAGMENT],
    "uri/`host:port` and basic auth": ["reject", USERINFO],
  },
  desync_guardian: {
    "more-compliant-tests/Correct TE OK": ["reject", CODINGS],
    "more-compliant-tests/Transfer-Encoding: identity and chunked OK": [
      "reject",
      CODINGS,
    ],
    "more-compliant-tests/Multiple transfer encoding headers in a single request OK":
      ["reject", CODINGS],
    "more-compliant-tests/TE with custom parameters OK": ["reject", CODINGS],
    "rfc-compliant/Different Transfer-Encoding headers": ["reject", CODINGS],
    "rfc-compliant/Different Transfer-Encoding headers combined": [
      "reject",
      CODINGS,
    ],
    "rfc-compliant/Transfer-Encoding with a param: chunked;custom_param": [
      "reject",
      CODINGS,
    ],
    "rfc-compliant/Compliant URL": ["reject", BARE_FRAGMENT],
    "rfc-compliant/Empty URI": ["reject", "Rule 2: a target is not empty"],
  },
};

/** What came of some bytes. */
interface Outcome {
  /** The statuses of all final responses. */
  readonly statuses: number[];
  /** The requests that were answered with 200: method, path, content. */
  readonly served: string[];
  /** Whether the connection is between two requests, or has said its last. */
  readonly settled: boolean;
  /** Whether it would take another request. */
  readonly open: boolean;
}

/** Feeds a connection; what came of it before, and after, the client's end. */
async function run(
  { chunks }: Feeding,
): Promise<{ before: Outcome; after: Outcome }> {
  const served: string[] = [];
  const memory = serveInMemory(async (exchange: Http1Exchange) => {
    const content = await readContent(exchange);
    if (content === undefined) return;
    const { method, target } = exchange.request;
    served.push(`${method} ${target.path} ${content}`);
    await respond(exchange, "served");
  });
  const { transport, connection } = memory;
  function outcome(): Outcome {
    const methods = memory.exchanges.map(({ request }) => request.method);
    const responses = parseResponses(transport.output, methods);
    return {
      statuses: responses.map(({ status }) => status)
        .filter((status) => status >= 200),
      served: [...served],
      settled: connection.idle || transport.writeClosed,
      open: !transport.writeClosed && !transport.closed,
    };
  }
  transport.pushAll(chunks);
  await settled();
  const before = outcome();
  transport.end();
  await within(memory.done);
  return { before, after: outcome() };
}

function refused({ statuses }: Outcome): boolean {
  return statuses.some((status) => status >= 400);
}

/**
 * Asserts a verdict on a case, and that it is the same in every feeding; also
 * that a request after the case is served if, and only if, it ought to be.
 */
async function assertVerdict(
  { id, raw }: CorpusCase,
  verdict: Verdict,
): Promise<void> {
  const wire = verdict === "accept" ? raw + missingContent(raw) : raw;
  const alone = await run(whole(wire));
  const followed = await run(whole(wire + MARKER));
  switch (verdict) {
    case "reject":
      assert(refused(alone.after), `${id} is not refused`);
      assert(refused(followed.after), `${id} is not refused`);
      assertEquals(followed.after.statuses, alone.after.statuses, id);
      assertNoMarker(followed.after, id);
      break;
    case "incomplete":
      assert(!refused(alone.before), `${id} is refused`);
      assert(!alone.before.settled, `${id} is complete`);
      assertNoMarker(followed.after, id);
      break;
    case "accept":
      assertServed(wire, alone.before, id);
      assertEquals(
        followed.before.served,
        alone.before.open
          ? [...alone.before.served, MARKER_SERVED]
          : alone.before.served,
        id,
      );
      assert(!refused(followed.before), `${id} loses the next request`);
  }
  for (const feeding of feedings(wire, 6)) {
    assertEquals(await run(feeding), alone, `${id}, ${feeding.name}`);
  }
  for (const feeding of feedings(wire + MARKER, 3)) {
    assertEquals(await run(feeding), followed, `${id}, ${feeding.name}`);
  }
}

/** Byte by byte (in larger pieces if it is large), and split here and there. */
function feedings(wire: string, count: number): Feeding[] {
  const small = wire.length < 20_000;
  const all = small ? someFeedings(wire, count) : coarseFeedings(wire, 1);
  return all.slice(1);
}

function assertNoMarker({ served }: Outcome, id: string): void {
  assert(!served.includes(MARKER_SERVED), `${id}: what follows it is served`);
}

/** Asserts that each request was answered, its content where framing puts it. */
function assertServed(wire: string, outcome: Outcome, id: string): void {
  assert(!refused(outcome), `${id} is refused: ${outcome.statuses}`);
  assert(outcome.settled, `${id} waits for more`);
  const expected = requestsIn(wire);
  assert(outcome.served.length > 0, `${id} is not served`);
  for (const [i, served] of outcome.served.entries()) {
    const [method, , ...content] = served.split(" ");
    assertEquals(
      { method, content: content.join(" ") },
      expected[i],
      `${id}, request ${i}`,
    );
  }
  if (outcome.open) assertEquals(outcome.served.length, expected.length, id);
}

/** A second, naive opinion on where well-formed requests begin and end. */
function requestsIn(wire: string): { method: string; content: string }[] {
  const requests: { method: string; content: string }[] = [];
  for (let rest = wire; rest.includes("\r\n\r\n");) {
    const { head, framing, body } = takeApart(rest.replace(/^\r\n/, ""));
    const method = head.split(" ", 1)[0].toUpperCase();
    if (framing === "chunked") {
      const chunks = readChunks(body);
      requests.push({ method, content: chunks.content });
      rest = chunks.rest;
    } else {
      requests.push({ method, content: body.slice(0, framing) });
      rest = body.slice(framing);
    }
  }
  return requests;
}

function takeApart(
  wire: string,
): { head: string; framing: number | "chunked"; body: string } {
  const end = wire.indexOf("\r\n\r\n");
  const head = wire.slice(0, end + 2);
  const chunked = /\r\nTransfer-Encoding:[ \t]*chunked[ \t]*\r\n/i.test(head);
  const [, length] = /\r\nContent-Length:[ \t]*(\d+)[ \t]*\r\n/i.exec(head) ??
    [];
  return {
    head,
    framing: chunked ? "chunked" : Number(length ?? 0),
    body: wire.slice(end + 4),
  };
}

function readChunks(body: string): { content: string; rest: string } {
  let content = "";
  for (let at = 0;;) {
    const lineEnd = body.indexOf("\r\n", at);
    assertNotEquals(lineEnd, -1);
    const size = parseInt(body.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) {
      const end = body.startsWith("\r\n", at)
        ? at + 2
        : body.indexOf("\r\n\r\n", at) + 4;
      return { content, rest: body.slice(end) };
    }
    content += body.slice(at, at + size);
    at += size + 2;
  }
}

/** Some cases announce more content than they carry: this is the rest. */
function missingContent(raw: string): string {
  const { framing, body } = takeApart(raw);
  if (framing === "chunked") return "";
  return "x".repeat(Math.max(0, framing - body.length));
}

/** Of two safe verdicts, the one that our rules give. */
async function chooseVerdict({ raw }: CorpusCase): Promise<Verdict> {
  const { before } = await run(whole(raw));
  return refused(before) ? "reject" : "accept";
}

for (const name of ["gunicorn", "llhttp", "desync_guardian"]) {
  const corpus = readRequestCorpus(name);
  declareVerdicts(name, corpus, "what must be refused is refused", "reject");
  declareVerdicts(name, corpus, "what must be accepted is accepted", "accept");
  declareVerdicts(name, corpus, "what is cut short is awaited", "incomplete");
  declareVerdicts(name, corpus, "what may be served stays in step", "either");
  declareDifferences(name, corpus);
}

/** Declares a test of all cases of which their source expects the same. */
function declareVerdicts(
  name: string,
  { cases, absent }: Corpus,
  what: string,
  expect: Expectation,
): void {
  const concerned = cases.filter((one) => one.expect === expect);
  if (absent === undefined && concerned.length === 0) return;
  Deno.test({
    name: testName(name, what, absent),
    ignore: absent !== undefined,
    async fn() {
      for (const one of concerned) {
        const [verdict] = DIFFERENCES[name][one.id] ??
          [expect === "either" ? await chooseVerdict(one) : expect];
        await assertVerdict(one, verdict);
      }
    },
  });
}

/** Declares a test that `DIFFERENCES` lists nothing that is no difference. */
function declareDifferences(name: string, { cases, absent }: Corpus): void {
  Deno.test({
    name: testName(name, "each difference that is listed is one", absent),
    ignore: absent !== undefined,
    fn() {
      for (const [id, [verdict]] of Object.entries(DIFFERENCES[name])) {
        const one = cases.find((one) => one.id === id);
        assert(one !== undefined, `There is no ${id}`);
        assertNotEquals(one.expect, verdict, id);
      }
    },
  });
}

function testName(name: string, what: string, absent?: string): string {
  return `${name} corpus: ${what}` +
    (absent === undefined ? "" : ` (skipped: ${absent})`);
}
