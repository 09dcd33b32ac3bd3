// A real framework behaves the same through `fromFetch` on this server as on
// Deno's own: Hono, from npm. The test is ignored where npm does not answer.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFetch } from "../../src/fetch/mod.ts";
import { post, RawClient, request } from "../e2e/_raw_client.ts";
import { bounded, granted, netTest } from "../e2e/_testing.ts";
import { ask, type Listening, serveAsgi, serveFetch } from "./_servers.ts";

/** What is used of Hono's context. */
interface Context {
  readonly req: {
    readonly raw: Request;
    readonly url: string;
    readonly path: string;
    readonly method: string;
    header(): Record<string, string>;
    param(name: string): string;
    query(): Record<string, string>;
    parseBody(): Promise<Record<string, unknown>>;
  };
  body(content: string | null, status?: number): Response;
  header(name: string, value: string, options?: { append: boolean }): void;
  html(content: string): Response;
  json(content: unknown, status?: number): Response;
  redirect(location: string, status?: number): Response;
  text(content: string, status?: number): Response;
}

type Route = (
  path: string,
  handler: (c: Context) => Response | Promise<Response>,
) => void;

/** What is used of Hono. */
interface Hono {
  readonly get: Route;
  readonly post: Route;
  readonly all: Route;
  onError(handler: (error: Error, c: Context) => Response): void;
  fetch(request: Request): Response | Promise<Response>;
}

const LOAD_TIMEOUT_MS = 15_000;

const loaded = await loadHono();

/** Loads Hono, or says why not. The checker must not look for it. */
async function loadHono(): Promise<(new () => Hono) | string> {
  if (!granted("net")) return "no permission to use the net";
  const specifier = ["npm:hono", "@^4"].join("");
  try {
    const { Hono } = await bounded(import(specifier), "npm", LOAD_TIMEOUT_MS);
    return Hono;
  } catch (error) {
    return `Hono cannot be loaded from npm: ${error}`.split("\n")[0];
  }
}

/** Declares a test of Hono on both servers. */
function honoTest(
  name: string,
  fn: (servers: readonly [asgi: Listening, fetch: Listening]) => Promise<void>,
): void {
  netTest(`Hono ${name}`, async () => {
    const hono = createApp(loaded as new () => Hono);
    await using asgi = serveAsgi(fromFetch((request) => hono.fetch(request)));
    await using fetch = serveFetch((request) => hono.fetch(request));
    await fn([asgi, fetch]);
  }, { lacks: typeof loaded === "string" ? loaded : undefined });
}

function createApp(Hono: new () => Hono): Hono {
  const app = new Hono();
  app.onError((error, c) => c.text(`Caught: ${error.message}`, 500));
  app.get("/json", (c) => c.json({ greeting: "Grüße", list: [1, 2, 3] }, 201));
  app.get("/html/:name", (c) => c.html(`<p>${c.req.param("name")}</p>`));
  app.get("/stream", () => new Response(piecesOf("one ", "two ", "three")));
  app.get(
    "/broken",
    () => new Response(piecesOf("begun", new Error("broken"))),
  );
  app.get("/cookies", (c) => {
    c.header("set-cookie", "a=1; Path=/", { append: true });
    c.header("set-cookie", "b=2; HttpOnly", { append: true });
    return c.text(c.req.header().cookie ?? "none");
  });
  app.get("/redirect", (c) => c.redirect("/json", 307));
  app.get("/error", () => {
    throw new Error("It broke");
  });
  app.get("/nothing", (c) => c.body(null, 204));
  app.get(
    "/cached",
    () => new Response(null, { status: 304, headers: { etag: '"1"' } }),
  );
  app.get(
    "/sized",
    () =>
      new Response(piecesOf("12", "345"), {
        headers: { "content-length": "5" },
      }),
  );
  app.post("/echo", (c) => new Response(c.req.raw.body));
  app.post("/form", async (c) => c.json(await c.req.parseBody()));
  app.post("/upload", async (c) => c.json(await digestOf(c.req.raw)));
  app.all("/about/*", (c) => {
    const { url, path, method } = c.req;
    const { "x-repeated": repeated } = c.req.header();
    const where = url.slice(url.indexOf("/about"));
    const query = c.req.query();
    return c.json({ where, path, method, query, repeated });
  });
  return app;
}

/** A body of pieces, each given when it is asked for; an error ends it. */
function piecesOf(...pieces: (string | Error)[]): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    async pull(controller) {
      const piece = left.shift();
      if (piece === undefined) return controller.close();
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (piece instanceof Error) controller.error(piece);
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  }, { highWaterMark: 0 });
}

/** The length of a request's content, and a sum that depends on its order. */
async function digestOf(request: Request) {
  let [bytes, sum] = [0, 0];
  for await (const chunk of request.body!) {
    for (let i = 0; i < chunk.length; i++) {
      sum = (Math.imul(sum, 31) + chunk[i]) | 0;
    }
    bytes += chunk.length;
  }
  return { bytes, sum };
}

const FORM = "name=J%C3%BCrgen&age=42";

const REQUESTS: Record<string, readonly string[]> = {
  "JSON": [request("GET", "/json")],
  "a parameter": [request("GET", "/html/caf%C3%A9%20au%20lait")],
  "a streamed answer": [request("GET", "/stream")],
  "an answer of a declared length": [request("GET", "/sized")],
  "cookies, in both directions": [
    request("GET", "/cookies", "cookie: x=1", "cookie: y=2"),
  ],
  "a redirect": [request("GET", "/redirect")],
  "an error": [request("GET", "/error")],
  "HEAD": [request("HEAD", "/json")],
  "HEAD of a stream": [request("HEAD", "/stream")],
  "a path that is not there": [request("GET", "/missing")],
  "a method that is not there": [request("DELETE", "/json")],
  "204": [request("GET", "/nothing")],
  "304": [request("GET", "/cached")],
  "a form": [
    post("/form", FORM, "content-type: application/x-www-form-urlencoded"),
  ],
  "content sent back": [post("/echo", "Hello")],
  "chunked content sent back": [
    request("POST", "/echo", "transfer-encoding: chunked"),
    "5\r\nfirst\r\n",
    "6\r\nsecond\r\n0\r\n\r\n",
  ],
  "no content sent back": [request("POST", "/echo", "content-length: 0")],
  "a large upload": [post("/upload", "0123456789abcdef".repeat(1 << 18))],
  "content that nobody reads": [post("/json", "x".repeat(1000))],
  "a path and a query": [
    request("GET", "/about//a%2Fb/c%20d?q=1&r=%C3%A9&empty="),
  ],
  "a path with dots": [request("GET", "/about/../b/./%2e%2e/c")],
  "repeated fields": [
    request("GET", "/about/me", "x-repeated: 1", "x-repeated: 2"),
  ],
  "PATCH": [request("PATCH", "/about/me", "content-length: 0")],
  "OPTIONS": [request("OPTIONS", "/about/me")],
};

for (const [what, pieces] of Object.entries(REQUESTS)) {
  honoTest(
    `gives the same answer on both servers: ${what}`,
    async (servers) => {
      const [asgi, fetch] = await Promise.all(
        servers.map((server) => ask(server, pieces)),
      );
      assertEquals(asgi, fetch);
      assert(asgi.status < 600 && fetch.status >= 200);
    },
  );
}

honoTest("answers before the request has ended, on both", async (servers) => {
  for (const { port } of servers) {
    using client = await RawClient.connect(port);
    await client.send(
      request("POST", "/echo", "transfer-encoding: chunked"),
      "5\r\nfirst\r\n",
    );
    assertEquals((await client.readHead()).status, 200);
    assertEquals(await client.readChunk(), "first");
    await client.send("6\r\nsecond\r\n");
    assertEquals(await client.readChunk(), "second");
    await client.send("0\r\n\r\n");
    assertEquals(await client.readChunk(), "");
  }
});

honoTest("cuts a body that fails in the middle, on both", async (servers) => {
  for (const server of servers) {
    await assertRejects(
      () => ask(server, [request("GET", "/broken")]),
      Error,
      "truncated",
    );
  }
});
