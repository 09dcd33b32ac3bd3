// haproxy with a back end over HTTP/2 in clear (`proto h2`), which it speaks by
// prior knowledge.

import { assert, assertEquals } from "@std/assert";
import { netTest } from "../e2e/_testing.ts";
import { LARGE, type SeenRequest, withServer } from "./_http2_server.ts";
import { lacksProgram } from "./_program.ts";
import { ProxyProcess } from "./_proxy_process.ts";

const OPTIONS = {
  permissions: ["read", "write", "run"] as const,
  lacks: lacksProgram("haproxy"),
};

/** Declares a test of requests through haproxy. */
function haproxyTest(
  name: string,
  fn: (origin: string, client: Deno.HttpClient) => Promise<void>,
): void {
  netTest(`haproxy with proto h2: ${name}`, async () => {
    await withServer(false, {}, async ({ port }) => {
      await using proxy = await startHaproxy(port);
      using client = Deno.createHttpClient({});
      await fn(`http://127.0.0.1:${proxy.port}`, client);
    });
  }, OPTIONS);
}

haproxyTest("requests become HTTP/2", async (origin, client) => {
  const response = await fetch(`${origin}/seen?a=b`, { client });
  const seen: SeenRequest = await response.json();
  assertEquals(seen.version, "2");
  assertEquals(seen.scheme, "http");
  assertEquals([seen.path, seen.query], ["/seen", "a=b"]);
  assertEquals(`http://${seen.host}`, origin);
});

haproxyTest("many requests share few connections", async (origin, client) => {
  const ports = new Set<number | undefined>();
  for (let round = 0; round < 5; round++) {
    const all = Array.from({ length: 50 }, async () => {
      const response = await fetch(`${origin}/seen`, { client });
      const seen: SeenRequest = await response.json();
      ports.add(seen.port);
    });
    await Promise.all(all);
  }
  assert(ports.size < 50, `There were ${ports.size} connections`);
});

haproxyTest("uploads and downloads pass", async (origin, client) => {
  const body = new Uint8Array(LARGE);
  const init = { method: "POST", body, client };
  const counted = await fetch(`${origin}/count`, init);
  assertEquals(await counted.text(), String(LARGE));
  const large = await fetch(`${origin}/large`, { client });
  assertEquals((await large.bytes()).length, LARGE);
});

haproxyTest("a response that is cut is cut", async (origin, client) => {
  const response = await fetch(`${origin}/cut`, { client });
  const error = await response.text().then(() => undefined, (error) => error);
  assert(error instanceof TypeError, "The response seems to be complete");
  const next = await fetch(`${origin}/hello`, { client });
  assertEquals(await next.text(), "Hello");
});

function startHaproxy(appPort: number): Promise<ProxyProcess> {
  return ProxyProcess.start({
    name: "haproxy",
    config: ({ port }) => `
global
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen app
    http-reuse always
    bind 127.0.0.1:${port}
    server app 127.0.0.1:${appPort} proto h2
`,
    args: (folder) => ["-db", "-q", "-f", `${folder}/config`],
  });
}
