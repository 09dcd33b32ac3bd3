// gRPC, which is nothing but HTTP/2 with trailers: from @grpc/grpc-js, and through
// nginx's grpc_pass.

import { assertEquals } from "@std/assert";
import { netTest } from "../e2e/_testing.ts";
import { SocketClient } from "../http2/_sockets.ts";
import { grpcApp } from "./_grpc_app.ts";
import { http2Test, withServer } from "./_http2_server.ts";
import { benchmarkPackages, peerPath, runWell, succeeds } from "./_peer.ts";
import { lacksProgram } from "./_program.ts";
import { ProxyProcess } from "./_proxy_process.ts";

const PACKAGES = `${benchmarkPackages()}/node`;
const REQUIRE = `require("module").createRequire("${PACKAGES}/")` +
  `("@grpc/grpc-js")`;

http2Test("grpc-js calls a method", async (server) => {
  const output = await runWell("node", [
    ...[peerPath("grpc_unary.mjs"), PACKAGES, `127.0.0.1:${server.port}`],
    ...server.secure ? [server.certificate] : [],
  ]);
  assertEquals(JSON.parse(output), {
    lengths: [3, 100_000, 0],
    failed: { code: 12, details: "said so" },
  });
}, {
  app: grpcApp,
  permissions: ["run", "read", "write", "env"],
  lacks: succeeds("node", "-e", REQUIRE)
    ? undefined
    : `there is no Node, or no @grpc/grpc-js in ${PACKAGES}`,
});

netTest("nginx passes gRPC on, with its trailers", async () => {
  await withServer(false, { app: grpcApp }, async ({ port }) => {
    await using proxy = await startNginx(port);
    await using client = await SocketClient.connect(proxy.port);
    const message = Uint8Array.of(0, 0, 0, 0, 3, 1, 2, 3);
    const response = await client.request({
      method: "POST",
      path: "/echo.Echo/Unary",
      headers: [["content-type", "application/grpc"], ["te", "trailers"]],
      content: message,
    });
    assertEquals(response.status, 200);
    assertEquals(response.content, String.fromCharCode(...message));
    assertEquals(response.trailers, [
      ["grpc-status", "0"],
      ["grpc-message", "said%20so"],
    ]);
  });
}, {
  permissions: ["read", "write", "run"],
  lacks: lacksProgram("nginx"),
});

/** HTTP/2 in clear on both sides. */
function startNginx(appPort: number): Promise<ProxyProcess> {
  return ProxyProcess.start({
    name: "nginx",
    config: ({ folder, port }) => `
daemon off;
master_process off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream app {
    server 127.0.0.1:${appPort};
    keepalive 4;
  }
  server {
    listen 127.0.0.1:${port} http2;
    location / { grpc_pass grpc://app; }
  }
}`,
    args: (folder) => [
      ...["-p", folder, "-e", `${folder}/error.log`, "-c", `${folder}/config`],
    ],
  });
}
