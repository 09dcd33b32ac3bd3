// What a connection of a client may be amid, as data: how it is brought there,
// what a client of good will would send next, and what it is answered then.

import { request, webSocketRequest } from "../e2e/_raw_client.ts";
import {
  BINARY,
  clientFrame,
  CLOSE,
  closeFrame,
  CONTINUATION,
  TEXT,
} from "../websocket/_frames.ts";

type Bytes = string | Uint8Array;

/** One thing that a connection may be amid. */
export interface State {
  /** The listener: one in clear or over TLS, or one for a single purpose. */
  readonly listener?: "TLS, in clear" | "PROXY";
  /** What the client sends, and what it waits for each time. */
  readonly steps: readonly (readonly [sent: Bytes, awaited?: string])[];
  /** What completes what was begun. */
  readonly rest: Bytes;
  /** What then comes; nothing where the application has more to say. */
  readonly answer?: string;
  /** What a client may send after the first steps again and again. */
  readonly flood: Bytes;
  /** Whether it is tried over TLS as well. */
  readonly overTls?: boolean;
  /** Whether only the application or the client can end it. */
  readonly openEnded?: boolean;
}

const GET = request("GET", "/");
const GET_LARGE = request("GET", "/large");
const HALF = "GET / HTTP/1.1\r\nhost: te";
const OTHER_HALF = "st\r\n\r\n";
const SERVED = "served";
const UPGRADED = "\r\n\r\n";

/** A request for a body in chunks, the first of which is cut. */
function chunked(path: string): string {
  return request("POST", path, "transfer-encoding: chunked") + "5\r\nhel";
}

const LAST_CHUNK = "lo\r\n0\r\n\r\n";
const SMALL_CHUNKS = `lo\r\n100\r\n${"x".repeat(0x100)}\r\n5\r\nhel`;
const LARGE_CHUNKS = `lo\r\n8000\r\n${"x".repeat(0x8000)}\r\n5\r\nhel`;

/** The beginning of a ClientHello that says it is 512 bytes long. */
const CLIENT_HELLO = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
const PROXY = "PROXY TCP4 192.0.2.1 ";

const MESSAGE = clientFrame(TEXT, "hello");
const LARGE_MESSAGE = clientFrame(BINARY, new Uint8Array(60_000));
const FRAGMENT = clientFrame(TEXT, "he", { fin: false });
const LAST_FRAGMENT = clientFrame(CONTINUATION, "llo");
const CLOSE_FRAME = closeFrame(1000);

/** Every state, by its name. */
export const STATES: Record<string, State> = {
  "fresh": {
    overTls: true,
    steps: [],
    rest: GET,
    answer: SERVED,
    flood: GET_LARGE,
  },
  "amid a head": {
    steps: [[HALF]],
    rest: OTHER_HALF,
    answer: SERVED,
    flood: `\r\nx: ${"y".repeat(1000)}`,
  },
  "amid content with a length": {
    steps: [[request("POST", "/count", "content-length: 8") + "half"]],
    rest: "more",
    answer: "8 bytes",
    flood: "x",
  },
  "amid long content": {
    steps: [[request("POST", "/count", "content-length: 1000000000")]],
    rest: "x",
    flood: "x",
  },
  "amid content in chunks": {
    overTls: true,
    steps: [[chunked("/count")]],
    rest: LAST_CHUNK,
    answer: "5 bytes",
    flood: SMALL_CHUNKS,
  },
  "amid content that is read slowly": {
    steps: [[chunked("/slow")]],
    rest: LAST_CHUNK,
    answer: "5 bytes",
    flood: LARGE_CHUNKS,
  },
  "amid content that nobody reads": {
    steps: [[request("POST", "/", "content-length: 8") + "half", SERVED]],
    rest: "more" + GET,
    flood: "x",
  },
  "before content that waits for 100": {
    steps: [[
      request("POST", "/count", "content-length: 8", "expect: 100-continue"),
      "100 Continue\r\n\r\n",
    ]],
    rest: "complete",
    answer: "8 bytes",
    flood: "x",
  },
  "idle": {
    steps: [[GET, SERVED]],
    rest: GET,
    answer: SERVED,
    flood: GET_LARGE,
  },
  "amid a burst": {
    overTls: true,
    steps: [[GET_LARGE.repeat(50) + HALF]],
    rest: OTHER_HALF,
    answer: SERVED,
    flood: OTHER_HALF + GET_LARGE + HALF,
  },
  "amid a response": {
    steps: [[request("GET", "/begin"), "begun"]],
    rest: GET,
    flood: GET_LARGE,
    openEnded: true,
  },
  "amid an endless response": {
    overTls: true,
    steps: [[request("GET", "/endless")]],
    rest: GET,
    flood: GET_LARGE,
  },
  "after the last response": {
    overTls: true,
    steps: [[request("GET", "/", "connection: close"), SERVED]],
    rest: "",
    flood: GET_LARGE,
  },
  "after a refusal": {
    steps: [["nonsense\r\n\r\n", "400 Bad Request"]],
    rest: GET,
    flood: "nonsense\r\n\r\n",
  },
  "amid a WebSocket's handshake": {
    steps: [[webSocketRequest("/late")]],
    rest: MESSAGE,
    flood: MESSAGE,
    openEnded: true,
  },
  "an open WebSocket": {
    overTls: true,
    steps: [[webSocketRequest(), UPGRADED]],
    rest: MESSAGE,
    answer: "hello",
    flood: LARGE_MESSAGE,
  },
  "a WebSocket that sends without end": {
    overTls: true,
    steps: [[webSocketRequest("/endless"), UPGRADED]],
    rest: MESSAGE,
    flood: MESSAGE,
  },
  "a WebSocket whose messages are taken slowly": {
    steps: [[webSocketRequest("/slow"), UPGRADED]],
    rest: MESSAGE,
    flood: LARGE_MESSAGE,
  },
  "amid a WebSocket's message": {
    steps: [
      [webSocketRequest(), UPGRADED],
      [FRAGMENT],
      [LAST_FRAGMENT.subarray(0, 8)],
    ],
    rest: LAST_FRAGMENT.subarray(8),
    answer: "hello",
    flood: new Uint8Array(1000),
  },
  "amid a message of many fragments": {
    steps: [[webSocketRequest(), UPGRADED], [FRAGMENT]],
    rest: LAST_FRAGMENT,
    answer: "hello",
    flood: clientFrame(CONTINUATION, "x".repeat(1000), { fin: false }),
  },
  "before the answer to a WebSocket's close": {
    steps: [[webSocketRequest("/close"), `${UPGRADED}\x88`]],
    rest: CLOSE_FRAME,
    flood: MESSAGE,
  },
  "amid a WebSocket's close": {
    steps: [[webSocketRequest(), UPGRADED], [CLOSE_FRAME.subarray(0, 3)]],
    rest: CLOSE_FRAME.subarray(3),
    answer: "\x88",
    flood: clientFrame(CLOSE),
  },
  "amid a handshake of TLS": {
    listener: "TLS, in clear",
    overTls: true,
    steps: [[CLIENT_HELLO]],
    rest: "x".repeat(506),
    flood: "x",
  },
  "before a PROXY header": {
    listener: "PROXY",
    steps: [],
    rest: `${PROXY}192.0.2.2 1 2\r\n${GET}`,
    answer: SERVED,
    flood: GET_LARGE,
  },
  "amid a PROXY header": {
    listener: "PROXY",
    steps: [[PROXY]],
    rest: `192.0.2.2 1 2\r\n${GET}`,
    answer: SERVED,
    flood: "1",
  },
};
