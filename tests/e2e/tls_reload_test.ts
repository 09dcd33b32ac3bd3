// Certificates that change while a server serves with them.

import { assertEquals, assertRejects } from "@std/assert";
import { pathApp } from "./_apps.ts";
import { connectTls, TestFolder } from "./_other_clients.ts";
import { netTest, start, type TestServer } from "./_testing.ts";
import {
  assertServes,
  ONE,
  startTls,
  tlsTest,
  type TlsWay,
  TWO,
} from "./_tls.ts";

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
