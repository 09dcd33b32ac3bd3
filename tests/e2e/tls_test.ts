// TLS: what is served over it, what a handshake may cost the server, and how a
// certificate is changed under it.

import { createPrivateKey } from "node:crypto";
import tls from "node:tls";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type LogRecord,
  respond,
  serve,
  type ServeOptions,
  type TlsOptions,
} from "../../mod.ts";
import { http, pathApp } from "./_apps.ts";
import { createCertificate } from "./_certificates.ts";
import { connectTls, TestFolder } from "./_other_clients.ts";
import { request } from "./_raw_client.ts";
import { netTest, start, type TestServer, until } from "./_testing.ts";
import { tlsTest, type TlsWay } from "./_tls.ts";

const ONE = await createCertificate("one");
const TWO = await createCertificate("two");

function startTls(
  { noDelay }: TlsWay,
  { tls, ...options }: ServeOptions = {},
): TestServer {
  return start(pathApp, { tls: { ...ONE, ...tls, noDelay }, ...options });
}

tlsTest("a server speaks HTTP over TLS, and says so", async (way) => {
  const app = http(async ({ scheme, server }, _receive, send) => {
    await respond(send, 200, { body: JSON.stringify([scheme, server]) });
  });
  await using server = start(app, { tls: { ...ONE, noDelay: way.noDelay } });
  assertEquals(server.url, `https://127.0.0.1:${server.port}/`);
  assertEquals(server.server.addr.secure, true);
  using client = await connectTls(server.port, ONE, ["h2", "http/1.1"]);
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

tlsTest("the client is offered http/1.1, and nothing else", async (way) => {
  await using server = startTls(way);
  const { port } = server;
  const offer = { hostname: "127.0.0.1", port, caCerts: [ONE.cert] };
  using both = await Deno.connectTls({
    ...offer,
    alpnProtocols: ["h2", "http/1.1"],
  });
  assertEquals((await both.handshake()).alpnProtocol, "http/1.1");
  using other = await Deno.connectTls({ ...offer, alpnProtocols: ["h2"] });
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

/** A handshake of a client of Node, which can be told what to speak. */
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

// Changing certificates.

/** A server whose certificate is in files that can be changed. */
class Reloadable implements AsyncDisposable {
  readonly #folder = new TestFolder();
  readonly #cert = this.#folder.file("cert.pem", ONE.cert);
  readonly #key = this.#folder.file("key.pem", ONE.key);
  readonly server: TestServer;

  constructor(way: TlsWay) {
    const tls = { cert: this.#cert, key: this.#key };
    this.server = startTls(way, { tls });
  }

  replace({ cert, key }: { cert: string; key: string }): void {
    Deno.writeTextFileSync(this.#cert, cert);
    Deno.writeTextFileSync(this.#key, key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

function reloadTest(
  name: string,
  fn: (reloadable: Reloadable) => Promise<void>,
): void {
  tlsTest(name, async (way) => {
    await using reloadable = new Reloadable(way);
    await fn(reloadable);
  }, { permissions: ["read", "write"] });
}

reloadTest(
  "reloadCertificates changes the certificate for new connections",
  async (reloadable) => {
    const { server } = reloadable;
    await assertServes(server, ONE);
    reloadable.replace(TWO);
    await server.server.reloadCertificates();
    await assertServes(server, TWO);
    await assertRejects(() => connectTls(server.port, ONE));
    reloadable.replace(ONE);
    await server.server.reloadCertificates();
    await assertServes(server, ONE);
  },
);

reloadTest(
  "open connections stay open when the certificate is changed",
  async (reloadable) => {
    const { server } = reloadable;
    using before = await connectTls(server.port, ONE);
    await before.get("/1");
    await before.readResponse();
    reloadable.replace(TWO);
    await server.server.reloadCertificates();
    await before.get("/2");
    assertEquals((await before.readResponse()).body, "/2");
  },
);

reloadTest("bad files leave the certificate as it is", async (reloadable) => {
  const { server } = reloadable;
  await assertServes(server, ONE);
  reloadable.replace({ cert: TWO.cert, key: ONE.key });
  await assertRejects(
    () => server.server.reloadCertificates(),
    TypeError,
    "it does not fit the certificate",
  );
  await assertServes(server, ONE);
  reloadable.replace(TWO);
  await server.server.reloadCertificates();
  await assertServes(server, TWO);
});

reloadTest(
  "files that have not changed leave the listener alone",
  async (reloadable) => {
    const { server } = reloadable;
    await assertServes(server, ONE);
    await server.server.reloadCertificates();
    await assertServes(server, ONE);
  },
);

reloadTest(
  "clients that came before the certificate changes are served",
  async (reloadable) => {
    const { server } = reloadable;
    for (const next of [TWO, ONE, TWO]) {
      await assertServes(server, next === TWO ? ONE : TWO);
      const waiting = await Promise.all(
        Array.from(
          { length: 8 },
          () => Deno.connect({ hostname: "127.0.0.1", port: server.port }),
        ),
      );
      reloadable.replace(next);
      await server.server.reloadCertificates();
      for (const conn of waiting) {
        using secure = await Deno.startTls(conn, {
          hostname: "127.0.0.1",
          caCerts: [ONE.cert, TWO.cert],
        });
        await secure.handshake();
      }
    }
  },
);

tlsTest("a server that has stopped reloads nothing", async (way) => {
  const { server } = startTls(way);
  await server.shutdown();
  await assertRejects(
    () => server.reloadCertificates(),
    Error,
    "Cannot reload certificates",
  );
});

netTest("a server without TLS has nothing to reload", async () => {
  await using server = start(pathApp);
  using client = await server.connect();
  await client.get("/");
  await client.readResponse();
  await server.server.reloadCertificates();
});

function isLost({ level, message }: LogRecord): boolean {
  return level === "debug" && message === "Connection lost";
}

async function assertServes(
  { port }: TestServer,
  certificate: typeof ONE,
): Promise<void> {
  using client = await connectTls(port, certificate);
  await client.get("/served", "connection: close");
  assertEquals((await client.readResponse()).body, "/served");
}
