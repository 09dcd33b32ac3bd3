// What the command says of an application, and of its failure. That it serves is
// tested with processes.

import { assert, assertEquals } from "@std/assert";
import { appName, failureRecord } from "../../src/cli/run.ts";

Deno.test("appName() is the reference as it was given", () => {
  const app = { module: "main.ts", name: "default", factory: false };
  assertEquals(appName(app), "main.ts");
  assertEquals(appName({ ...app, name: "app" }), "main.ts:app");
  assertEquals(appName({ ...app, factory: true }), "what main.ts returns");
});

Deno.test("failureRecord() has one line, and the error for debugging only", () => {
  const error = new Error("Cannot start:\n  the reason");
  const message = "Cannot start:; the reason";
  const level = "error";
  const record = failureRecord(error, { logLevel: "info" });
  assertEquals(record, { level, message });
  const detailed = failureRecord(error, { logLevel: "debug" });
  assert(detailed.error === error);
  assertEquals(detailed.message, message);
});

Deno.test("failureRecord() shows what is no error as text", () => {
  assertEquals(failureRecord("odd", { logLevel: "info" }).message, "odd");
});
