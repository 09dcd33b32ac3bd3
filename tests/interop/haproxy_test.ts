// Behind a real haproxy: the application sees what haproxy says of its clients,
// by the PROXY protocol and by fields.

import { assertEquals } from "@std/assert";
import { netTest, start, until } from "../e2e/_testing.ts";
import { lacksProgram } from "./_program.ts";
import { ProxyProcess } from "./_proxy_process.ts";
import { ask, askSecurely, PROXY_ADDRESS, seenApp } from "./_seen.ts";

const OPTIONS = {
  permissions: ["read", "write", "run"] as const,
  lacks: lacksProgram("haproxy"),
};

/** Starts haproxy: how it listens, and how it talks to the server. */
function startHaproxy(
  frontend: string,
  server: string,
  check = "",
): Promise<ProxyProcess> {
  return ProxyProcess.start({
    name: "haproxy",
    config: ({ folder, port }) => `
global
    maxconn 100
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
listen app
    bind 127.0.0.1:${port} ${frontend.replace("FOLDER", folder)}
    ${check}
    source ${PROXY_ADDRESS}
    server app ${server}
`,
    args: (folder) => ["-db", "-q", "-f", `${folder}/config`],
  });
}

for (const send of ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"]) {
  netTest(
    `haproxy: with ${send}, the client is the one that connected to it`,
    async () => {
      await using server = start(seenApp, { proxyProtocol: [PROXY_ADDRESS] });
      const address = `127.0.0.1:${server.port} ${send}`;
      await using proxy = await startHaproxy("", address);
      const { ownPort, seen } = await ask(proxy);
      assertEquals(seen, {
        client: ["127.0.0.1", ownPort],
        server: ["127.0.0.1", proxy.port],
        scheme: "http",
      });
    },
    OPTIONS,
  );
}

netTest(
  "haproxy: with send-proxy-v2 and X-Forwarded-Proto, client and scheme are the client's",
  async () => {
    await using server = start(seenApp, {
      proxyProtocol: [PROXY_ADDRESS],
      // Fields count by the address from the header.
      trustedProxies: ["127.0.0.1"],
    });
    await using proxy = await startHaproxy(
      "ssl crt FOLDER/both.pem",
      `127.0.0.1:${server.port} send-proxy-v2`,
      "http-request set-header X-Forwarded-Proto https",
    );
    const { ownPort, seen } = await askSecurely(proxy);
    assertEquals(seen.client, ["127.0.0.1", ownPort]);
    assertEquals(seen.scheme, "https");
  },
  OPTIONS,
);

netTest(
  "haproxy: its health checks, which speak for themselves, are answered",
  async () => {
    let checks = 0;
    const accessLog = (): number => checks++;
    const options = { proxyProtocol: [PROXY_ADDRESS], accessLog };
    await using server = start(seenApp, options);
    await using proxy = await startHaproxy(
      "",
      `127.0.0.1:${server.port} send-proxy-v2 check inter 50ms check-send-proxy rise 1 fall 1`,
      "option httpchk GET /",
    );
    await until(() => checks >= 3);
    const { ownPort, seen } = await ask(proxy);
    assertEquals(seen.client, ["127.0.0.1", ownPort]);
    const warnings = server.records.filter(({ level }) => level === "warn");
    assertEquals(warnings, []);
  },
  OPTIONS,
);

netTest(
  "haproxy: with option forwardfor, the client is the one that connected to it",
  async () => {
    await using server = start(seenApp, { trustedProxies: [PROXY_ADDRESS] });
    await using proxy = await startHaproxy(
      "ssl crt FOLDER/both.pem",
      `127.0.0.1:${server.port}`,
      "option forwardfor\n    http-request set-header X-Forwarded-Proto https",
    );
    const forged = ["x-forwarded-for: 192.0.2.7", "x-forwarded-proto: http"];
    const { seen } = await askSecurely(proxy, ...forged);
    assertEquals(seen.client[0], "127.0.0.1");
    assertEquals(seen.scheme, "https");
  },
  OPTIONS,
);

netTest("haproxy: untrusted, its fields change nothing", async () => {
  await using server = start(seenApp);
  await using proxy = await startHaproxy(
    "",
    `127.0.0.1:${server.port}`,
    "option forwardfor\n    http-request set-header X-Forwarded-Proto https",
  );
  const { seen } = await ask(proxy);
  assertEquals(seen.client[0], PROXY_ADDRESS);
  assertEquals(seen.scheme, "http");
}, OPTIONS);
