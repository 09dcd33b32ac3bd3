/**
 * An application that is a `TransformStream`, from the request's events to the
 * response's: it sends text back in upper case, as the text arrives.
 *
 *     deno run -A examples/transform.ts
 *     curl -d 'hello, wörld' http://127.0.0.1:8000/
 *
 * @module
 */

import {
  type AsgiApp,
  fromTransform,
  type ReceiveEvent,
  type Scope,
  type SendEvent,
  serve,
} from "jsr:@x/asgi";

/** The transform of one request. */
function upperCase(scope: Scope): TransformStream<ReceiveEvent, SendEvent> {
  if (scope.type !== "http") throw new TypeError(`Unknown scope ${scope.type}`);
  const decoder = new TextDecoder();
  return new TransformStream({
    start(controller) {
      const headers = [["content-type", "text/plain; charset=utf-8"]] as const;
      controller.enqueue({ type: "http.response.start", status: 200, headers });
    },
    transform(event, controller) {
      if (event.type !== "http.request") return;
      const { more_body } = event;
      // A character may begin in one piece and end in the next.
      const text = decoder.decode(event.body, { stream: more_body });
      const body = text.toUpperCase();
      controller.enqueue({ type: "http.response.body", body, more_body });
    },
  });
}

/** Sends text back in upper case. */
export const app: AsgiApp = fromTransform(upperCase);

if (import.meta.main) {
  serve(app, { port: Number(Deno.env.get("PORT") || 8000), signals: true });
}
