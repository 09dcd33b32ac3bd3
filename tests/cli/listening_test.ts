// From the flags that say where to listen to the options of the server.

import { assertEquals } from "@std/assert";
import { assertRefused, optionsFor } from "./_settings.ts";

Deno.test("--listen lists addresses", () => {
  const args = [
    ...["--listen", "http://127.0.0.1:80", "--listen", "https://[::]:8443"],
    ...["--listen", "unix:/run/app.sock", "--unix-mode", "660"],
    ...["--cert", "cert.pem", "--key", "key.pem", "--alpn", "http/1.1"],
  ];
  const tls = { cert: "cert.pem", key: "key.pem", alpn: ["http/1.1"] };
  assertEquals(optionsFor(args), {
    listen: [
      { hostname: "127.0.0.1", port: 80 },
      { hostname: "::", port: 8443, tls },
      { path: "/run/app.sock", mode: 0o660 },
    ],
  });
});

Deno.test("--listen keeps a port that is its scheme's own", () => {
  const { listen } = optionsFor(["--listen", "http://localhost:80/"]);
  assertEquals(listen, [{ hostname: "localhost", port: 80 }]);
});

Deno.test("a certificate makes the one address secure", () => {
  assertEquals(optionsFor(["--port", "443", "--cert", "c", "--key", "k"]), {
    port: 443,
    tls: { cert: "c", key: "k" },
  });
});

Deno.test("--unix is listened on in place of a port, and beside --listen", () => {
  assertEquals(optionsFor(["--unix", "a.sock"]), {
    listen: [{ path: "a.sock" }],
  });
  const both = ["--unix", "a.sock", "--listen", "http://127.0.0.1:1"];
  assertEquals(optionsFor(both), {
    listen: [{ hostname: "127.0.0.1", port: 1 }, { path: "a.sock" }],
  });
});

Deno.test("a listening flag wins over the variables that it excludes", () => {
  const port = { ASGI_PORT: "80", ASGI_HOSTNAME: "::" };
  assertEquals(optionsFor(["--unix", "a"], port), { listen: [{ path: "a" }] });
  const listen = { ASGI_LISTEN: "http://[::]:80", ASGI_UNIX: "a" };
  assertEquals(optionsFor(["--port", "81"], listen), { port: 81 });
  assertEquals(optionsFor(["--port", "81"], { ASGI_HOSTNAME: "::" }), {
    port: 81,
    hostname: "::",
  });
});

Deno.test("--proxy-protocol holds for every address that is listened on", () => {
  const args = ["--proxy-protocol", "10.0.0.0/8,unix"];
  const proxyProtocol = ["10.0.0.0/8", "unix"];
  assertEquals(optionsFor(args), { proxyProtocol });
  assertEquals(optionsFor([...args, "--unix=a", "--listen=http://[::1]:1"]), {
    listen: [
      { hostname: "::1", port: 1, proxyProtocol },
      { path: "a", proxyProtocol },
    ],
  });
});

Deno.test("--proxy-protocol and TLS exclude each other, but for --tls-no-delay", () => {
  assertRefused(
    ["a.ts", "--proxy-protocol=unix", "--cert=c", "--key=k"],
    "--proxy-protocol and --cert exclude each other",
  );
  const args = ["--proxy-protocol=unix", "--cert=c", "--key=k"];
  assertEquals(optionsFor([...args, "--tls-no-delay"]), {
    tls: { cert: "c", key: "k", noDelay: true },
    proxyProtocol: ["unix"],
  });
});

Deno.test("--http3 is for every address with TLS", () => {
  const certificate = ["--cert", "c", "--key", "k"];
  const tls = { cert: "c", key: "k" };
  assertEquals(optionsFor([...certificate, "--http3"]), { tls, http3: true });
  assertEquals(optionsFor(certificate, { ASGI_HTTP3: "true" }), {
    tls,
    http3: true,
  });
  assertEquals(optionsFor([...certificate, "--no-http3"]), { tls });
  const listen = ["--listen=http://[::]:80", "--listen=https://[::]:443"];
  assertEquals(optionsFor([...certificate, ...listen, "--http3"]), {
    listen: [
      { hostname: "::", port: 80 },
      { hostname: "::", port: 443, tls, http3: true },
    ],
  });
});

Deno.test("--http3 needs a certificate, and no PROXY protocol", () => {
  assertRefused(["a.ts", "--http3"], "--http3 needs --cert");
  assertRefused(
    [
      ...["a.ts", "--http3", "--cert=c", "--key=k"],
      ...["--tls-no-delay", "--proxy-protocol=unix"],
    ],
    "--http3 and --proxy-protocol exclude each other",
  );
});
