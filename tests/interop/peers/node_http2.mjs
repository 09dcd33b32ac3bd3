// A client of node:http2. Runs a scenario against an origin, and prints what it
// saw as JSON:
//
//     node node_http2.mjs SCENARIO ORIGIN [CERTIFICATE]

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import process from "node:process";

const LARGE = 8 * 1024 * 1024;
const TEXT_FRAME = 0x81;
const CLOSE_FRAME = 0x88;

/** Sends a request, and collects all that comes of it. */
async function ask(session, headers, content) {
  const stream = session.request(headers, { endStream: content === undefined });
  const seen = { informational: [], trailers: {}, bytes: 0, text: "" };
  stream.on("headers", (fields) => seen.informational.push(plain(fields)));
  stream.on("trailers", (fields) => Object.assign(seen.trailers, fields));
  stream.on("continue", () => seen.informational.push({ ":status": 100 }));
  if (content !== undefined) stream.end(content);
  const [response] = await once(stream, "response");
  seen.status = response[":status"];
  for await (const chunk of stream) {
    seen.bytes += chunk.length;
    if (seen.bytes < 10_000) seen.text += chunk;
  }
  return seen;
}

function plain(fields) {
  return { ...fields };
}

const SCENARIOS = {
  /** Many requests at a time on one connection. */
  async many(session) {
    const all = Array.from({ length: 100 }, (_, i) => {
      return ask(session, { ":path": i % 2 === 0 ? "/hello" : "/slow" });
    });
    const texts = (await Promise.all(all)).map(({ text }) => text);
    return { texts: [...new Set(texts)].sort(), count: texts.length };
  },

  async upload(session) {
    const headers = { ":method": "POST", ":path": "/count" };
    return { text: (await ask(session, headers, Buffer.alloc(LARGE))).text };
  },

  async echo(session) {
    const headers = { ":method": "POST", ":path": "/echo" };
    return { bytes: (await ask(session, headers, Buffer.alloc(LARGE))).bytes };
  },

  async hints(session) {
    return await ask(session, { ":path": "/hints" });
  },

  async expects(session) {
    const headers = { ":method": "POST", ":path": "/count" };
    const stream = session.request({ ...headers, expect: "100-continue" });
    await once(stream, "continue");
    stream.end("Hello");
    let text = "";
    for await (const chunk of stream) text += chunk;
    return { text };
  },

  /** Trailers of a response, and of a request. */
  async trailers(session) {
    const { trailers } = await ask(session, { ":path": "/trailers" });
    const headers = { ":method": "POST", ":path": "/count" };
    const stream = session.request(headers, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "1" }));
    stream.end("Hello");
    let text = "";
    for await (const chunk of stream) text += chunk;
    return { trailers: plain(trailers), text };
  },

  /** Resets a response in its middle; the connection is as good as before. */
  async reset(session) {
    const stream = session.request({ ":path": "/large" });
    stream.on("error", () => {});
    await once(stream, "data");
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await once(stream, "close");
    return { text: (await ask(session, { ":path": "/hello" })).text };
  },

  /** A response that is cut ends in an error, and leaves others alone. */
  async cut(session) {
    const stream = session.request({ ":path": "/cut" });
    const [error] = await once(stream.resume(), "error");
    const { text } = await ask(session, { ":path": "/hello" });
    return { code: error.code, rst: stream.rstCode, text };
  },

  /** A WebSocket over an extended CONNECT (RFC 8441). */
  async websocket(session) {
    const stream = session.request({
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":path": "/chat",
      "sec-websocket-version": "13",
    }, { endStream: false });
    const [response] = await once(stream, "response");
    stream.write(masked(TEXT_FRAME, Buffer.from("Hello")));
    const [echo] = await once(stream, "data");
    stream.write(masked(CLOSE_FRAME, Buffer.from([0x03, 0xe8])));
    const [close] = await once(stream, "data");
    stream.end();
    await once(stream, "close");
    return {
      status: response[":status"],
      echo: [...echo],
      close: [...close],
      rst: stream.rstCode,
    };
  },
};

/** A WebSocket frame of up to 125 bytes, as clients send it. */
function masked(first, payload) {
  const key = Buffer.from([1, 2, 3, 4]);
  const content = payload.map((byte, i) => byte ^ key[i % 4]);
  return Buffer.from([first, 0x80 | payload.length, ...key, ...content]);
}

const [scenario, origin, certificate] = process.argv.slice(2);
const ca = certificate === undefined ? undefined : readFileSync(certificate);
const session = http2.connect(origin, { ca });
const [settings] = await once(session, "remoteSettings");
const seen = await SCENARIOS[scenario](session);
session.close();
await once(session, "close");
const { enableConnectProtocol } = settings;
console.log(JSON.stringify({ ...seen, enableConnectProtocol }));
