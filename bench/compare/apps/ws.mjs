// The WebSocket echo of the comparison on the npm package `ws`, which is in
// `WS_FOLDER`. Text becomes a string, as an application that asks for text
// wants it. `/` is answered over HTTP as well.

import http from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const { PORT, WS_FOLDER } = process.env;
const { WebSocketServer } = createRequire(`${WS_FOLDER}/`)("ws");

const server = http.createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/plain" });
  response.end("Hello, World!");
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    socket.send(isBinary ? data : data.toString());
  });
  socket.on("error", () => socket.terminate());
});
server.listen(Number(PORT), "127.0.0.1");
