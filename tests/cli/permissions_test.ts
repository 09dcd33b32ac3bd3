// The permissions that the command needs. That of a unix socket's mode is
// --allow-sys: it is set under a umask.

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { MissingPermissionError } from "../../src/cli/errors.ts";
import { requirePermissions, requireQuic } from "../../src/cli/permissions.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src/cli/settings.ts";
import { commandTest, folder, run } from "./_command.ts";

commandTest("names the permission that --unix-mode needs", async () => {
  await using app = await folder({ "main.ts": "export default () => {};" });
  const socket = `${app.path}/app.sock`;
  const { code, stderr } = await run(
    ["main.ts", "--unix", socket, "--unix-mode", "660"],
    {
      cwd: app.path,
      permissions: [
        `--allow-net=unix:${socket}`,
        `--allow-read=${app.path}`,
        `--allow-write=${socket}`,
      ],
    },
  );
  assertEquals(code, 1);
  assertMatch(stderr, /run again with --allow-sys\n$/);
});

function settings(more: Partial<Settings>): Settings {
  const app = { module: "main.ts", name: "default", factory: false };
  return { ...DEFAULT_SETTINGS, app, ...more };
}

Deno.test({
  name: "requirePermissions() names all flags that are missing",
  permissions: { net: false, read: false },
  fn() {
    const error = assertThrows(
      () =>
        requirePermissions(settings({
          serve: { port: 8443, tls: { cert: "a.pem", key: "b.pem" } },
          metrics: { hostname: "::1", port: 9090 },
        })),
      MissingPermissionError,
    );
    assertMatch(error.message, /--allow-net=127\.0\.0\.1:8443,\[::1\]:9090/);
    assertMatch(error.message, /--allow-read=a\.pem,b\.pem/);
  },
});

Deno.test({
  name: "requirePermissions() takes PEM text for no file",
  permissions: { net: false, read: false },
  fn() {
    const pem = "-----BEGIN CERTIFICATE-----";
    const error = assertThrows(
      () =>
        requirePermissions(
          settings({ serve: { tls: { cert: pem, key: pem } } }),
        ),
      MissingPermissionError,
    );
    assertMatch(error.message, /--allow-read/);
    assertEquals(error.message.includes("BEGIN"), false);
  },
});

Deno.test({
  name: "requirePermissions() wants more for workers",
  permissions: { run: false, env: false },
  fn() {
    const error = assertThrows(
      () => requirePermissions(settings({}), "workers"),
      MissingPermissionError,
    );
    assertMatch(error.message, /--allow-run=\S+ --allow-env$/);
  },
});

Deno.test({
  name: "requireQuic() says how HTTP/3 can be served",
  ignore: "QuicEndpoint" in Deno,
  fn() {
    const tls = { cert: "c", key: "k" };
    requireQuic({ tls });
    assertThrows(
      () => requireQuic({ tls, http3: true }),
      MissingPermissionError,
      "Cannot serve HTTP/3: run again with --unstable-net",
    );
  },
});
