// From the values of flags to settings: what belongs together, and what excludes
// each other.

import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../src/cli/errors.ts";
import { settingsFor } from "./_settings.ts";

Deno.test("settings survive being sent to another process", () => {
  const settings = settingsFor(["main.ts", "--listen", "http://[::1]:80"]);
  assertEquals(structuredClone(settings), settings);
});

Deno.test("access lines are JSON by default where log records are", () => {
  const json = ["main.ts", "--log-format", "json"];
  assertEquals(settingsFor(json).accessLog, "json");
  assertEquals(settingsFor([...json, "--access-log", "off"]).accessLog, "off");
});

Deno.test("a flag for workers wins over a variable for reload, and back", () => {
  const reload = settingsFor(["a.ts", "--reload"], { ASGI_WORKERS: "4" });
  assertEquals([reload.reload, reload.workers], [true, 1]);
  const workers = settingsFor(["a.ts", "--workers=4"], { ASGI_RELOAD: "1" });
  assertEquals([workers.reload, workers.workers], [false, 4]);
  const off = settingsFor(["a.ts", "--no-reload", "--workers=4"]);
  assertEquals([off.reload, off.workers], [false, 4]);
});

Deno.test("an unknown atom of an access log is named", () => {
  const error = assertThrows(
    () => settingsFor(["a.ts", "--access-log", "%h %Q"]),
    UsageError,
    'unknown atom "%Q"',
  );
  assertEquals(error.message.startsWith("--access-log: "), true);
});
