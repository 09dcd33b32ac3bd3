// A gRPC service without protocol buffers: it answers each message with the same
// message, and ends with the trailers that gRPC is named by.

import { type AsgiApp, requestBody, type Send } from "../../mod.ts";
import { http } from "../e2e/_apps.ts";

const OK = "0";
const UNIMPLEMENTED = "12";

/** The application. */
export const grpcApp: AsgiApp = http(async (scope, receive, send) => {
  const isKnown = scope.path === "/echo.Echo/Unary";
  await send({
    type: "http.response.start",
    status: 200,
    headers: [["content-type", "application/grpc"]],
    trailers: true,
  });
  if (isKnown) {
    for await (const body of requestBody(receive)) {
      await send({ type: "http.response.body", body, more_body: true });
    }
  }
  await send({ type: "http.response.body" });
  await sendStatus(send, isKnown ? OK : UNIMPLEMENTED);
});

async function sendStatus(send: Send, status: string): Promise<void> {
  await send({
    type: "http.response.trailers",
    headers: [["grpc-status", status], ["grpc-message", "said%20so"]],
  });
}
