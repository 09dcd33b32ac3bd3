// Clients that others wrote: `curl`, `fetch`, and the client of `node:http`,
// each with what it does differently from a socket written by hand.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { toText } from "@std/streams";
import http, { type IncomingMessage, type RequestOptions } from "node:http";
import { respond } from "../../mod.ts";
import { countApp, echoApp, http as httpApp, pathApp } from "./_apps.ts";
import { bounded, granted, netTest, start } from "./_testing.ts";

/** Larger than all buffers on the way. */
const LARGE = new Uint8Array(8 * 1024 * 1024).fill(0x61);

// curl.

const CURL = {
  permissions: ["run", "read", "write"],
  lacks: hasCurl() ? undefined : "there is no curl here",
} as const;

netTest("curl -d Hello gets its content back", async () => {
  await using server = start(echoApp);
  assertEquals(await curl("-d", "Hello", server.url), "Hello");
}, CURL);

netTest("curl reuses its connection", async () => {
  const app = httpApp(async (scope, _receive, send) => {
    await respond(send, 200, { body: `${scope.client?.[1]} ` });
  });
  await using server = start(app);
  const output = await curl(server.url, server.url, server.url);
  const ports = output.trim().split(" ");
  assertEquals(ports.length, 3);
  assertEquals(new Set(ports).size, 1);
}, CURL);

netTest("curl speaks HTTP/1.0", async () => {
  await using server = start(echoApp);
  assertEquals(await curl("-0", "-d", "Hello", server.url), "Hello");
}, CURL);

netTest("curl asks for a HEAD", async () => {
  await using server = start(pathApp);
  const head = await curl("-I", `${server.url}head`);
  assert(head.startsWith("HTTP/1.1 200 OK\r\n"), head);
  assert(head.includes("\r\ncontent-length: 5\r\n"), head);
}, CURL);

for (const framing of ["content-length", "transfer-encoding: chunked"]) {
  netTest(`curl uploads after a 100 Continue (${framing})`, async () => {
    await using server = start(countApp);
    using file = temporaryFile(LARGE);
    const chunked = framing === "content-length" ? [] : ["-H", framing];
    // A wait in vain would end in the time limit, not in an upload.
    const output = await curl(
      ...["-i", "--expect100-timeout", "1000", "-H", "expect: 100-continue"],
      ...chunked,
      ...["--data-binary", `@${file.path}`, server.url],
    );
    const [interim, , body] = output.split("\r\n\r\n");
    assertEquals(interim, "HTTP/1.1 100 Continue");
    assertEquals(body, String(LARGE.length));
  }, CURL);
}

netTest("curl sees a 413 while it uploads", async () => {
  await using server = start(countApp, { maxBodyBytes: 100_000 });
  using file = temporaryFile(LARGE);
  const status = await curl(
    ...["-o", "-", "-w", "%{http_code}", "-H", "expect:"],
    ...["--data-binary", `@${file.path}`, server.url],
  );
  assertEquals(status, "Content Too Large\n413");
}, CURL);

// fetch.

netTest("fetch gets its content back, whole and streamed", async () => {
  await using server = start(echoApp);
  using client = Deno.createHttpClient({});
  const bodies = [LARGE, new Blob([LARGE]).stream()];
  for (const body of bodies) {
    const response = await fetch(server.url, { method: "PUT", body, client });
    assertEquals(response.status, 200);
    assertEquals((await response.bytes()).length, LARGE.length);
  }
});

netTest("fetch runs many requests at a time", async () => {
  await using server = start(pathApp);
  using client = Deno.createHttpClient({});
  const paths = Array.from({ length: 50 }, (_, index) => `/${index}`);
  const bodies = paths.map(async (path) => {
    return await (await fetch(new URL(path, server.url), { client })).text();
  });
  assertEquals(await Promise.all(bodies), paths);
});

netTest("fetch sees a truncated response as an error", async () => {
  const app = httpApp(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200 });
    await send({ type: "http.response.body", body: "half", more_body: true });
    throw new Error("Out of order");
  });
  await using server = start(app);
  using client = Deno.createHttpClient({});
  await assertRejects(async () => {
    await (await fetch(server.url, { client })).text();
  }, TypeError);
});

// node:http.

netTest("an agent of node:http reuses its connection", async () => {
  await using server = start(echoApp);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (const body of ["one", "two", "three"]) {
    const response = await nodeRequest(server.port, { agent, body });
    ports.add(response.socket.localPort);
    assertEquals(await readText(response), body);
  }
  agent.destroy();
  assertEquals(ports.size, 1);
});

netTest("node:http waits for a 100 Continue", async () => {
  await using server = start(countApp);
  const agent = new http.Agent();
  const response = await nodeRequest(server.port, {
    agent,
    method: "POST",
    headers: { "content-length": 5, "expect": "100-continue" },
    bodyOnContinue: "Hello",
  });
  assertEquals(await readText(response), "5");
  agent.destroy();
});

netTest("node:http gets trailers", async () => {
  const app = httpApp(async (_scope, _receive, send) => {
    await send({ type: "http.response.start", status: 200, trailers: true });
    await send({ type: "http.response.body", body: "data" });
    await send({ type: "http.response.trailers", headers: [["x-sum", "1"]] });
  });
  await using server = start(app);
  const agent = new http.Agent();
  const response = await nodeRequest(server.port, {
    agent,
    headers: { te: "trailers", connection: "te" },
  });
  assertEquals(await readText(response), "data");
  assertEquals(response.trailers, { "x-sum": "1" });
  agent.destroy();
});

/** What a request through `node:http` is made of. */
interface NodeRequest extends RequestOptions {
  /** The content. */
  readonly body?: string;
  /** The content, which waits until the server says that it wants it. */
  readonly bodyOnContinue?: string;
}

function nodeRequest(
  port: number,
  { body, bodyOnContinue, ...options }: NodeRequest,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const address = { hostname: "127.0.0.1", port };
    const request = http.request({ ...address, method, ...options }, resolve);
    request.on("error", reject);
    if (bodyOnContinue === undefined) return request.end(body);
    request.on("continue", () => request.end(bodyOnContinue));
    request.flushHeaders();
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return text;
}

/** Runs curl, and returns what it wrote to stdout; an error exit throws. */
async function curl(...args: string[]): Promise<string> {
  const process = new Deno.Command("curl", {
    args: ["-q", "--silent", "--show-error", "--max-time", "25", ...args],
    env: { no_proxy: "127.0.0.1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const [output, { success, code }] = await bounded(
    Promise.all([toText(process.stdout), process.status]),
    "curl",
  );
  assert(success, `curl exited with ${code}: ${output}`);
  return output;
}

function hasCurl(): boolean {
  if (!granted("run")) return true;
  try {
    new Deno.Command("curl", { args: ["--version"] }).outputSync();
    return true;
  } catch {
    return false;
  }
}

function temporaryFile(content: Uint8Array): Disposable & { path: string } {
  const path = Deno.makeTempFileSync();
  Deno.writeFileSync(path, content);
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}
