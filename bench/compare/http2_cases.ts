/**
 * The cases over HTTP/2, in clear by prior knowledge and over TLS. This package
 * takes part over HTTP/1 too, where one request at a time is under way.
 *
 * @module
 */

import type { Case, Check } from "./case.ts";
import { type Http2Load, loadHttp2 } from "./http2_load.ts";

/** What is asked in a case, and how much at the same time. */
type Asked = Check & Omit<Http2Load, "path" | "body">;

const MEBIBYTE = 1024 * 1024;
const HELLO = { path: "/", length: 13 };
const CONNECTIONS = [1, 8, 32];
const STREAMS = [1, 10, 100];
const PEERS = [
  "node-http2",
  "node-http2-compat",
  "deno-serve",
  "go",
  "granian",
  "hypercorn",
];

/** All cases over HTTP/2. */
export const HTTP2_CASES: readonly Case[] = [false, true].flatMap((tls) => [
  ...CONNECTIONS.flatMap((connections) =>
    STREAMS.map((streams) => hello(tls, connections, streams))
  ),
  http2("down", "1 MiB down", tls, {
    ...{ path: "/1m", length: MEBIBYTE },
    ...{ connections: 1, streams: 1 },
  }),
  http2("up", "1 MiB up", tls, {
    ...{ path: "/upload", body: MEBIBYTE, length: 7 },
    ...{ connections: 1, streams: 1 },
  }),
  http2("up-64k", "64 KiB up, 8 connections of 4 streams", tls, {
    ...{ path: "/upload", body: MEBIBYTE / 16, length: 5 },
    ...{ connections: 8, streams: 4 },
  }),
]);

function hello(tls: boolean, connections: number, streams: number): Case {
  const title = `hello GET, ${connections} connections of ${streams} streams`;
  const asked = { ...HELLO, connections, streams };
  return http2(`hello-c${connections}-m${streams}`, title, tls, asked);
}

function http2(name: string, title: string, tls: boolean, asked: Asked): Case {
  const { path, body, length, connections, streams } = asked;
  const load = { path, body, connections, streams };
  return {
    name: `${tls ? "h2-tls" : "h2"}-${name}`,
    title: `${title}, over HTTP/2 ${tls ? "and TLS" : "in clear"}`,
    unit: "requests/s",
    better: "higher",
    servers: ["x-asgi", ...streams === 1 ? ["x-asgi-http1"] : [], ...PEERS],
    tls,
    http2: true,
    check: { path, length, ...body === undefined ? {} : { body } },
    measure: (server, { seconds }) => loadHttp2(server, load, seconds),
  };
}
