// The PROXY protocol on a listener: the client that an application sees is the
// one that a trusted proxy names; headers from other peers do not count.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type ListenOptions,
  type LogRecord,
  respond,
  serve,
  type ServeOptions,
  type UnixAddress,
} from "../../mod.ts";
import { readProxyHeader } from "../../src/net/proxy_protocol.ts";
import { bytes, everyFeeding } from "../_feeding.ts";
import { countApp, http } from "./_apps.ts";
import { createCertificate } from "./_certificates.ts";
import { post, RawClient } from "./_raw_client.ts";
import {
  bounded,
  netTest,
  pause,
  start,
  type TestServer,
  until,
} from "./_testing.ts";

const HEADER = "PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n";
const BINARY = "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0f" +
  "\xc0\x00\x02\x01" + "\xcb\x00\x71\x09" + "\xdc\x04" + "\x01\xbb" +
  "\x04\x00\x00";
/** With more than addresses: it is long enough to be read in several pieces. */
const LONG = "\r\n\r\n\0\r\nQUIT\n\x21\x11\x04\x4c" +
  "\xc0\x00\x02\x01" + "\xcb\x00\x71\x09" + "\xdc\x04" + "\x01\xbb" +
  "\0".repeat(0x44c - 12);
const LOCAL = "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
const REQUEST = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const SEEN = JSON.stringify({
  client: ["192.0.2.1", 56324],
  server: ["203.0.113.9", 443],
  scheme: "http",
});

/** Answers with the ends of the connection, as the scope has them. */
const whoApp = http(async (scope, _receive, send) => {
  const { client, server, scheme } = scope;
  await respond(send, 200, {
    body: JSON.stringify({ client, server, scheme }),
  });
});

function startWith(
  proxyProtocol: string[],
  options: ServeOptions = {},
): TestServer {
  return start(whoApp, { proxyProtocol, ...options });
}

/** What the server says of a connection that it has lost. */
async function lost({ records }: TestServer): Promise<LogRecord> {
  const find = (): LogRecord | undefined =>
    records.find(({ message }) => message === "Connection lost");
  await until(() => find() !== undefined);
  return find()!;
}

for (const [version, header] of [["1", HEADER], ["2", BINARY]]) {
  netTest(
    `A header of version ${version} names the client, in whatever pieces it comes`,
    async () => {
      await using server = startWith(["127.0.0.0/8"]);
      for (const { chunks, name } of everyFeeding(header + REQUEST)) {
        using client = await server.connect();
        for (const chunk of chunks) {
          await client.send(bytes(chunk));
          // So that the next piece is not read together with this one.
          await pause(0);
        }
        assertEquals((await client.readResponse()).body, SEEN, name);
      }
    },
  );
}

netTest(
  "A header goes before the first request of a connection only",
  async () => {
    await using server = startWith(["127.0.0.1"]);
    using client = await server.connect();
    await client.send(HEADER + REQUEST + REQUEST + HEADER + REQUEST);
    assertEquals((await client.readResponse()).body, SEEN);
    assertEquals((await client.readResponse()).body, SEEN);
    assertEquals((await client.readResponse()).status, 400);
  },
);

netTest(
  "What comes with the header may be a body larger than what is read at once",
  async () => {
    const options = { proxyProtocol: ["127.0.0.1"], bodyTimeout: 2000 };
    await using server = start(countApp, options);
    const body = "x".repeat(200_000);
    for (const header of [HEADER, LONG]) {
      using client = await server.connect();
      await client.send(bytes(header + post("/", body)));
      const response = await client.readResponse();
      assertEquals(response.body, String(body.length));
    }
  },
);

netTest("A proxy that speaks for itself is the client", async () => {
  await using server = startWith(["127.0.0.1"]);
  for (const header of [LOCAL, "PROXY UNKNOWN\r\n"]) {
    using client = await server.connect();
    await client.send(bytes(header + REQUEST));
    const { client: seen } = JSON.parse((await client.readResponse()).body);
    assertEquals(seen, ["127.0.0.1", client.port]);
  }
});

netTest(
  "A header from a peer that is not trusted is a bad request",
  async () => {
    await using server = startWith(["192.0.2.0/24", "unix"]);
    for (const header of [HEADER, BINARY]) {
      using client = await server.connect();
      await client.send(bytes(header + REQUEST));
      assertEquals((await client.readResponse()).status, 400);
    }
    using client = await server.connect();
    await client.send(REQUEST);
    const { client: seen } = JSON.parse((await client.readResponse()).body);
    assertEquals(seen, ["127.0.0.1", client.port]);
  },
);

netTest(
  "A trusted proxy that sends no header is cut, and that is logged",
  async () => {
    await using server = startWith(["127.0.0.1"]);
    using client = await server.connect();
    await client.send(REQUEST);
    assertEquals(await client.readToEnd().catch(() => ""), "");
    const { level, error } = await lost(server);
    assertEquals(level, "warn");
    assert(error instanceof Error);
    assertEquals(
      error.message,
      "Cannot read PROXY protocol header: there is none",
    );
  },
);

netTest("A flood of missing headers does not flood the log", async () => {
  await using server = startWith(["127.0.0.1"]);
  const levels = (): string[] =>
    server.records.filter(({ message }) => message === "Connection lost")
      .map(({ level }) => level);
  for (let i = 0; i < 10; i++) {
    using client = await server.connect();
    await client.send(REQUEST);
    await client.waitForClose();
  }
  await until(() => levels().length === 10);
  assertEquals(levels(), ["warn", ...Array(9).fill("debug")]);
});

netTest(
  "A trusted proxy that closes without a word, as health checks do, is not worth a warning",
  async () => {
    await using server = startWith(["127.0.0.1"]);
    (await server.connect())[Symbol.dispose]();
    assertEquals((await lost(server)).level, "debug");
  },
);

netTest(
  "A header that does not come whole is waited for until handshakeTimeout",
  async () => {
    await using server = startWith(["127.0.0.1"], { handshakeTimeout: 50 });
    using client = await server.connect();
    await client.send(HEADER.slice(0, 20));
    await client.waitForClose();
    assertEquals((await lost(server)).level, "debug");
  },
);

netTest(
  "A connection that waits for its header does not hold up a shutdown",
  async () => {
    await using server = startWith(["127.0.0.1"]);
    using client = await server.connect();
    await client.send(HEADER.slice(0, 20));
    await pause(20);
    await bounded(
      server.server.shutdown({ timeout: 60_000 }),
      "the shutdown",
      5_000,
    );
    await client.waitForClose();
  },
);

netTest(
  "A listener without the PROXY protocol listens beside one with it",
  async () => {
    const listen = [{ port: 0, proxyProtocol: ["127.0.0.1"] }, { port: 0 }];
    await using server = start(whoApp, { port: undefined, listen });
    const [, plain] = server.server.addrs;
    assert(plain.transport === "tcp");
    const response = await fetch(`http://127.0.0.1:${plain.port}/`);
    assertEquals((await response.json()).client[0], "127.0.0.1");
    using client = await server.connect();
    await client.send(HEADER + REQUEST);
    assertEquals((await client.readResponse()).body, SEEN);
  },
);

netTest("A proxy on a unix socket is trusted as unix", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const listen: ListenOptions = {
      path: `${folder}/a.sock`,
      proxyProtocol: ["unix"],
    };
    await using server = serve(whoApp, { listen, onListen: () => {} });
    const { path } = server.addr as UnixAddress;
    assertEquals((await ask(path, HEADER)).includes(SEEN), true);
    const own = JSON.stringify({ client: null, server: [path, null] });
    assertEquals((await ask(path, LOCAL)).includes(own.slice(1, -1)), true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, { permissions: ["read", "write"] });

/** All that is answered to a request after a header, over a unix socket. */
async function ask(path: string, header: string): Promise<string> {
  using conn = await Deno.connect({ transport: "unix", path });
  const close = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  await conn.write(bytes(header + close));
  return await new Response(conn.readable).text();
}

netTest("a header comes before TLS without delay", async () => {
  const certificate = await createCertificate();
  await using server = startWith(["127.0.0.1"], {
    tls: { ...certificate, noDelay: true },
  });
  const { port } = server;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(bytes(HEADER));
  const secure = await Deno.startTls(conn, {
    hostname: "127.0.0.1",
    caCerts: [certificate.cert],
  });
  using client = new RawClient(secure);
  await client.get("/");
  const { body } = await client.readResponse();
  assertEquals(body, SEEN.replace('"http"', '"https"'));
});

Deno.test("serve() refuses the PROXY protocol beside TLS, and says why", () => {
  const tls = { cert: "cert.pem", key: "key.pem" };
  const proxyProtocol = ["127.0.0.1"];
  assertThrows(
    () => serve(whoApp, { port: 0, tls, proxyProtocol }),
    TypeError,
    'option "proxyProtocol" can be given beside "tls" only with',
  );
  assertThrows(
    () => serve(whoApp, { listen: [{ port: 0 }, { tls, proxyProtocol }] }),
    TypeError,
    'option "listen[1]": "proxyProtocol" can be given beside "tls" only with',
  );
});

Deno.test("serve() refuses proxies that are no addresses", () => {
  assertThrows(
    () => serve(whoApp, { port: 0, proxyProtocol: ["localhost"] }),
    TypeError,
    'Cannot serve: option "proxyProtocol": Cannot read address "localhost"',
  );
  assertThrows(
    () => serve(whoApp, { port: 0, proxyProtocol: ["10.0.0.0/33"] }),
    RangeError,
    "10.0.0.0/33",
  );
});

netTest(
  "readProxyHeader() rejects when the connection ends first",
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const client = await Deno.connect({ hostname: "127.0.0.1", port });
    using conn = await listener.accept();
    await client.write(bytes(HEADER.slice(0, -1)));
    client.close();
    await assertRejects(() => readProxyHeader(conn), Deno.errors.UnexpectedEof);
  },
);
