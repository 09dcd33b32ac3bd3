// TLS: what is served over it, and what a handshake may cost the server.

import { createPrivateKey } from "node:crypto";
import tls from "node:tls";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type LogRecord, respond, serve, type TlsOptions } from "../../mod.ts";
import { http, pathApp } from "./_apps.ts";
import { connectTls, TestFolder } from "./_other_clients.ts";
import { request } from "./_raw_client.ts";
import { netTest, start, until } from "./_testing.ts";
import { assertServes, get, ONE, startTls, tlsTest, TWO } from "./_tls.ts";

tlsTest("a server speaks HTTP over TLS, and says so", async (way) => {
  const app = http(async ({ scheme, server }, _receive, send) => {
    await respond(send, 200, { body: JSON.stringify([scheme, server]) });
  });
  await using server = start(app, { tls: { ...ONE, noDelay: way.noDelay } });
  assertEquals(server.url, `https://127.0.0.1:${server.port}/`);
  assertEquals(server.server.addr.secure, true);
  using client = await connectTls(server.port, ONE, ["http/1.1"]);
  await client.get("/", "connection: close");
  const { status, body } = await client.readResponse();
  assertEquals(status, 200);
  assertEquals(JSON.parse(body), ["https", ["127.0.0.1", server.port]]);
});

tlsTest("fetch trusts the certificate, and gets its answer", async (way) => {
  await using server = startTls(way);
  using client = Deno.createHttpClient({ caCerts: [ONE.cert] });
  const response = await fetch(new URL("/path", server.url), { client });
  assertEquals(await response.text(), "/path");
});

tlsTest(
  "answers of all lengths about three records leave whole",
  async (way) => {
    const app = http(async ({ query_string }, _receive, send) => {
      await respond(send, 200, { body: new Uint8Array(Number(query_string)) });
    });
    await using server = start(app, { tls: { ...ONE, noDelay: way.noDelay } });
    using client = await connectTls(server.port, ONE);
    // With its head of 95 bytes, each is about 48 KiB; nothing else would push
    // out what is held back, as the connection stays open.
    for (let length = 49_050; length <= 49_130; length++) {
      await client.get(`/?${length}`);
      assertEquals((await client.readResponse()).body.length, length);
    }
  },
);

tlsTest("a WebSocket over TLS has the scheme wss", async (way) => {
  let scheme: string | undefined;
  await using server = start(async (scope, _receive, send) => {
    if (scope.type !== "websocket") throw new TypeError("Unknown scope");
    scheme = scope.scheme;
    await send({ type: "websocket.close" });
  }, { tls: { ...ONE, noDelay: way.noDelay } });
  using client = await connectTls(server.port, ONE);
  await client.send(request(
    "GET",
    "/",
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
  ));
  assertEquals((await client.readHead()).status, 403);
  assertEquals(scheme, "wss");
});

tlsTest("a client that offers other protocols is refused", async (way) => {
  await using server = startTls(way);
  const { port } = server;
  using other = await Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [ONE.cert],
    alpnProtocols: ["h3"],
  });
  await assertRejects(() => other.handshake());
});

tlsTest("certificates are read from files", async (way) => {
  using folder = new TestFolder();
  const cert = folder.file("cert.pem", ONE.cert);
  const key = folder.file("key.pem", ONE.key);
  await using server = startTls(way, { tls: { cert, key } });
  await assertServes(server, ONE);
}, { permissions: ["read", "write"] });

tlsTest(
  "a client that speaks no TLS is dropped, and others are served",
  async (way) => {
    await using server = startTls(way);
    using plain = await server.connect();
    await plain.get("/");
    await plain.waitForClose();
    await assertServes(server, ONE);
    assertEquals(server.errors, []);
    const levels = new Set(server.records.map(({ level }) => level));
    assertEquals([...levels], ["debug"]);
  },
);

tlsTest(
  "a handshake that does not go on holds up nobody, and is cut",
  async (way) => {
    await using server = startTls(way, { handshakeTimeout: 50 });
    using _silent = await server.connect();
    await assertServes(server, ONE);
    await until(() => server.records.some(isLost));
    assertEquals(server.errors, []);
  },
);

tlsTest("a handshake that is pending counts as a connection", async (way) => {
  await using server = startTls(way, {
    maxConnections: 1,
    handshakeTimeout: 100,
  });
  using _silent = await server.connect();
  // There is room for this one only when the other is gone.
  await assertServes(server, ONE);
});

tlsTest(
  "a handshake that is pending does not hold up a shutdown",
  async (way) => {
    const server = startTls(way, { handshakeTimeout: Infinity });
    using _silent = await server.connect();
    await assertServes(server, ONE);
    await server.server.shutdown({ timeout: Infinity });
  },
);

tlsTest("a shutdown that cuts cuts handshakes as well", async (way) => {
  const server = startTls(way, { handshakeTimeout: Infinity });
  using _silent = await server.connect();
  await assertServes(server, ONE);
  await server.server.shutdown({ timeout: 0 });
});

netTest(
  "without delay, a handshake that is cut closes its socket",
  async () => {
    const noDelay = { name: "", noDelay: true };
    await using server = startTls(noDelay, { handshakeTimeout: 50 });
    using silent = await server.connect();
    await silent.waitForClose();
    using amid = await server.connect();
    await amid.send("\x16\x03\x01");
    await amid.waitForClose();
    await assertServes(server, ONE);
  },
);

tlsTest("a key may be encrypted", async (way) => {
  const passphrase = "secret";
  const key = createPrivateKey(ONE.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase,
  }).toString();
  await using server = startTls(way, { tls: { ...ONE, key, passphrase } });
  await assertServes(server, ONE);
});

netTest("minVersion refuses older versions of TLS", async () => {
  const { cert, key } = ONE;
  const tls = { cert, key, noDelay: true, minVersion: "TLSv1.3" } as const;
  await using server = start(pathApp, { tls });
  await assertServes(server, ONE);
  const versions = { maxVersion: "TLSv1.2", minVersion: "TLSv1.2" } as const;
  await assertRejects(() => nodeHandshake(server.port, versions));
  await using older = start(pathApp, { tls: { cert, key, noDelay: true } });
  await nodeHandshake(older.port, versions);
});

netTest(
  "without delay, the scope says what the handshake has agreed on",
  async () => {
    const app = http(async ({ extensions }, _receive, send) => {
      await respond(send, 200, {
        body: JSON.stringify(extensions.tls ?? null),
      });
    });
    const chain = `${ONE.cert}${TWO.cert}`;
    const tls = { cert: chain, key: ONE.key };
    await using server = start(app, { tls: { ...tls, noDelay: true } });
    assertEquals(JSON.parse(await get(server, ONE)), {
      server_cert: ONE.cert,
      client_cert_chain: [],
      client_cert_name: null,
      client_cert_error: null,
      tls_version: 0x0304,
      cipher_suite: 0x1302,
    });
    await using other = start(app, { tls });
    assertEquals(await get(other, ONE), "null");
  },
);

/** A handshake of a client of Node, whose versions can be chosen. */
function nodeHandshake(
  port: number,
  options: tls.ConnectionOptions,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = tls.connect({
    port,
    host: "127.0.0.1",
    ca: ONE.cert,
    ...options,
  });
  socket.once("secureConnect", () => socket.destroy());
  socket.once("error", reject);
  socket.once("close", () => resolve());
  return promise;
}

// What is no certificate.

const NO_PEM = "-----BEGIN NOTHING-----\n-----END NOTHING-----\n";
const WRONG: [string, TlsOptions, string][] = [
  [
    "a certificate in no PEM",
    { ...ONE, cert: NO_PEM },
    "Cannot use certificate: ",
  ],
  ["a key in no PEM", { ...ONE, key: NO_PEM }, "Cannot use key: "],
  [
    "a key of another certificate",
    { ...ONE, key: TWO.key },
    "Cannot use key: it does not fit the certificate",
  ],
  [
    "a certificate that is damaged",
    { ...ONE, cert: ONE.cert.replace(/\n[^-].{8}/, "\nAAAAAAAA") },
    "Cannot use certificate: ",
  ],
];

for (const [what, tls, message] of WRONG) {
  tlsTest(`serve refuses ${what}`, ({ noDelay }) => {
    assertThrows(
      () => serve(pathApp, { port: 0, tls: { ...tls, noDelay }, log() {} }),
      TypeError,
      message,
    );
  });
}

netTest("serve names the file of a certificate that it cannot use", () => {
  using folder = new TestFolder();
  const cert = folder.file("cert.pem", "nothing");
  const key = folder.file("key.pem", ONE.key);
  assertThrows(
    () => serve(pathApp, { port: 0, tls: { cert, key }, log() {} }),
    TypeError,
    `Cannot use certificate "${cert}": `,
  );
}, { permissions: ["read", "write"] });

netTest("serve names the file that it cannot read", () => {
  using folder = new TestFolder();
  const cert = folder.file("none.pem");
  const error = assertThrows(
    () => serve(pathApp, { port: 0, tls: { ...ONE, cert }, log() {} }),
    Deno.errors.NotFound,
    "Cannot read certificate file: ",
  );
  assert(error.message.includes(cert));
}, { permissions: ["read", "write"] });

function isLost({ level, message }: LogRecord): boolean {
  return level === "debug" && message === "Connection lost";
}
