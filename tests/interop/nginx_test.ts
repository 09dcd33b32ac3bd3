// Behind a real nginx: the application sees what nginx says of its clients, by
// fields and, with its stream module, by the PROXY protocol.

import { assertEquals } from "@std/assert";
import { granted, netTest, start } from "../e2e/_testing.ts";
import { lacksProgram } from "./_program.ts";
import { ProxyProcess } from "./_proxy_process.ts";
import { ask, askSecurely, PROXY_ADDRESS, seenApp } from "./_seen.ts";

const STREAM_MODULES = [
  "/usr/lib/nginx/modules/ngx_stream_module.so",
  "/usr/lib64/nginx/modules/ngx_stream_module.so",
];

const PERMISSIONS = ["read", "write", "run"] as const;
const HTTP = { permissions: PERMISSIONS, lacks: lacksProgram("nginx") };
const STREAM = {
  permissions: PERMISSIONS,
  lacks: lacksProgram("nginx") ?? lacksStream(),
};

/** Starts nginx with a block of its configuration. */
function startNginx(
  block: (port: number, folder: string) => string,
  module = "",
): Promise<ProxyProcess> {
  return ProxyProcess.start({
    name: "nginx",
    config: ({ folder, port }) => `
${module}
daemon off;
master_process off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events {}
${block(port, folder)}
`,
    args: (folder) => [
      ...["-p", folder, "-e", `${folder}/error.log`, "-c", `${folder}/config`],
    ],
  });
}

/** As an HTTP proxy, with TLS towards its clients or without. */
function startHttp(appPort: number, secure: boolean): Promise<ProxyProcess> {
  return startNginx((port, folder) => `
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port}${secure ? " ssl" : ""};
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    location / {
      proxy_pass http://127.0.0.1:${appPort};
      proxy_bind ${PROXY_ADDRESS};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}`);
}

netTest(
  "nginx: with X-Forwarded-For and -Proto, client and scheme are the client's",
  async () => {
    await using server = start(seenApp, { trustedProxies: [PROXY_ADDRESS] });
    await using proxy = await startHttp(server.port, true);
    const { seen } = await askSecurely(proxy);
    assertEquals(seen.client[0], "127.0.0.1");
    assertEquals(seen.scheme, "https");
  },
  HTTP,
);

netTest(
  "nginx: what a client forges, the address that it came from wins over",
  async () => {
    await using server = start(seenApp, { trustedProxies: [PROXY_ADDRESS] });
    await using proxy = await startHttp(server.port, false);
    const forged = ["x-forwarded-for: 192.0.2.7", "x-forwarded-proto: https"];
    const { seen } = await ask(proxy, ...forged);
    assertEquals(seen.client[0], "127.0.0.1");
    assertEquals(seen.scheme, "http");
  },
  HTTP,
);

netTest("nginx: untrusted, its fields change nothing", async () => {
  await using server = start(seenApp);
  await using proxy = await startHttp(server.port, true);
  const { seen } = await askSecurely(proxy);
  assertEquals(seen.client[0], PROXY_ADDRESS);
  assertEquals(seen.scheme, "http");
}, HTTP);

netTest(
  "nginx: with proxy_protocol, the client is the one that connected to it",
  async () => {
    await using server = start(seenApp, { proxyProtocol: [PROXY_ADDRESS] });
    await using proxy = await startNginx(
      (port) => `
stream {
  server {
    listen 127.0.0.1:${port};
    proxy_pass 127.0.0.1:${server.port};
    proxy_bind ${PROXY_ADDRESS};
    proxy_protocol on;
  }
}`,
      `load_module ${streamModule()};`,
    );
    const { ownPort, seen } = await ask(proxy);
    assertEquals(seen, {
      client: ["127.0.0.1", ownPort],
      server: ["127.0.0.1", proxy.port],
      scheme: "http",
    });
  },
  STREAM,
);

function lacksStream(): string | undefined {
  if (!granted("read")) return undefined; // Ignored for that.
  return streamModule() === undefined
    ? "nginx has no stream module here"
    : undefined;
}

function streamModule(): string | undefined {
  return STREAM_MODULES.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
