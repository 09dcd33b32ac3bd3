// A client of @grpc/grpc-js, without protocol buffers: calls a method with each
// text, and prints what came back, and how each call ended, as JSON:
//
//     node grpc_unary.mjs FOLDER HOST:PORT [CERTIFICATE]
//
// FOLDER is where the package was installed (npm install --prefix FOLDER
// @grpc/grpc-js).

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

const [folder, address, certificate] = process.argv.slice(2);
const grpc = createRequire(`${folder}/`)("@grpc/grpc-js");
const credentials = certificate === undefined
  ? grpc.credentials.createInsecure()
  : grpc.credentials.createSsl(readFileSync(certificate));
const client = new grpc.Client(address, credentials);

function call(method, text) {
  const { promise, resolve } = Promise.withResolvers?.() ?? withResolvers();
  client.makeUnaryRequest(
    method,
    (value) => Buffer.from(value),
    (bytes) => bytes.toString(),
    text,
    (error, reply) => {
      resolve(
        error === null ? { reply } : {
          code: error.code,
          details: error.details,
        },
      );
    },
  );
  return promise;
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve) => made.resolve = resolve);
  return made;
}

const texts = ["one", "x".repeat(100_000), ""];
const calls = texts.map((text) => call("/echo.Echo/Unary", text));
const replies = await Promise.all(calls);
const failed = await call("/echo.Echo/Missing", "one");
client.close();
const lengths = replies.map(({ reply }) => reply?.length);
console.log(JSON.stringify({ lengths, failed }));
