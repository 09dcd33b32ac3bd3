// The application of the soak: its answers follow from the requests, so that
// clients can check each of them.

import type {
  AsgiApp,
  HttpScope,
  Receive,
  ReceiveEvent,
  Send,
} from "../../mod.ts";
import { respond } from "../../mod.ts";
import { Checksum, contentOf } from "./content.ts";

const PIECE_BYTES = 16 * 1024;

type Handler = (
  scope: HttpScope,
  receive: Receive,
  send: Send,
) => Promise<void>;

/** By the first segment of the path. */
const ROUTES: Record<string, Handler> = {
  content: sendContent,
  stream: sendStream,
  digest: sendDigest,
  echo: sendEcho,
  unauthorized: (_scope, _receive, send) =>
    respond(send, 401, { body: "Unauthorized" }),
  fail: () => Promise.reject(new Error("The application fails as it should")),
};

/** Serves the soak. */
const app: AsgiApp = async (scope, receive, send) => {
  if (scope.type === "lifespan") return await takePart(receive, send);
  if (scope.type === "websocket") return await echoMessages(receive, send);
  const [, name] = scope.path.split("/");
  const handler = ROUTES[name];
  if (handler === undefined) return await respond(send, 404);
  await handler(scope, receive, send);
};

export default app;

async function takePart(receive: Receive, send: Send): Promise<void> {
  await receive();
  await send({ type: "lifespan.startup.complete" });
  await receive();
  await send({ type: "lifespan.shutdown.complete" });
}

/** `/content/SEED/LENGTH`, with a content-length. */
async function sendContent(
  { path }: HttpScope,
  _receive: Receive,
  send: Send,
): Promise<void> {
  const [, , seed, length] = path.split("/");
  await respond(send, 200, { body: contentOf(Number(seed), Number(length)) });
}

/** `/stream/SEED/LENGTH`, in pieces, without a content-length. */
async function sendStream(
  { path }: HttpScope,
  _receive: Receive,
  send: Send,
): Promise<void> {
  const [, , seed, length] = path.split("/");
  const content = contentOf(Number(seed), Number(length));
  await send({ type: "http.response.start", status: 200 });
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    const body = content.subarray(at, at + PIECE_BYTES);
    await send({ type: "http.response.body", body, more_body: true });
  }
  await send({ type: "http.response.body" });
}

/** The checksum of what was uploaded. */
async function sendDigest(
  _scope: HttpScope,
  receive: Receive,
  send: Send,
): Promise<void> {
  const sum = new Checksum();
  for (let more = true; more;) {
    const event: ReceiveEvent = await receive();
    if (event.type !== "http.request") return;
    sum.add(event.body);
    more = event.more_body;
  }
  await respond(send, 200, { body: String(sum) });
}

/** What is uploaded, as it comes. */
async function sendEcho(
  _scope: HttpScope,
  receive: Receive,
  send: Send,
): Promise<void> {
  await send({ type: "http.response.start", status: 200 });
  for (let more = true; more;) {
    const event: ReceiveEvent = await receive();
    if (event.type !== "http.request") return;
    more = event.more_body;
    const { body, more_body } = event;
    await send({ type: "http.response.body", body, more_body });
  }
}

async function echoMessages(receive: Receive, send: Send): Promise<void> {
  for await (const event of receive) {
    if (event.type === "websocket.connect") {
      await send({ type: "websocket.accept" });
    } else if (event.type === "websocket.receive") {
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes });
    }
  }
}
