/**
 * Begins the response to `/held`, and ends it when the client has disconnected;
 * never answers `/pending`; answers all else at once.
 *
 * @module
 */

import { type AsgiApp, respond, serve } from "../mod.ts";

const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  if (scope.path === "/pending") await new Promise(() => {});
  if (scope.path !== "/held") {
    return await respond(send, 200, { body: "Hello" });
  }
  const body = Uint8Array.of(0);
  await send({ type: "http.response.start", status: 200 });
  await send({ type: "http.response.body", body, more_body: true });
  while ((await receive()).type !== "http.disconnect");
};

serve(app, { port: Number(Deno.env.get("PORT")) });
