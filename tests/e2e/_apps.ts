// Small applications that several end-to-end tests are served by.

import {
  type AsgiApp,
  type HttpScope,
  type Receive,
  requestBody,
  respond,
  type Send,
} from "../../mod.ts";

/** An application that serves HTTP only. */
export type HttpApp = (
  scope: HttpScope,
  receive: Receive,
  send: Send,
) => Promise<void> | void;

/** Makes an application of one that knows HTTP only. */
export function http(app: HttpApp): AsgiApp {
  return (scope, receive, send) => {
    if (scope.type === "http") return app(scope, receive, send);
    throw new TypeError(`Unknown scope ${scope.type}`);
  };
}

/** Answers with the path. */
export const pathApp: AsgiApp = http(async (scope, _receive, send) => {
  await respond(send, 200, { body: scope.path });
});

/** Answers with the content that it was sent, piece by piece. */
export const echoApp: AsgiApp = http(async (_scope, receive, send) => {
  await send({ type: "http.response.start", status: 200 });
  for await (const event of receive) {
    if (event.type !== "http.request") return;
    const { body, more_body } = event;
    await send({ type: "http.response.body", body, more_body });
    if (!more_body) return;
  }
});

/** Answers with the number of bytes that it was sent, once it has them all. */
export const countApp: AsgiApp = http(async (_scope, receive, send) => {
  let bytes = 0;
  for await (const chunk of requestBody(receive)) bytes += chunk.length;
  await respond(send, 200, { body: String(bytes) });
});
