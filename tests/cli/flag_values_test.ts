// The values of flags and variables, and which of them go together.

import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../src/cli/errors.ts";
import { FlagValues, type Source } from "../../src/cli/flag_values.ts";

function valuesOf(given: Record<string, Source>): FlagValues {
  const values = new FlagValues();
  for (const [flag, source] of Object.entries(given)) {
    values.set(flag, source, flag);
  }
  return values;
}

Deno.test("FlagValues keeps values until they are deleted", () => {
  const values = valuesOf({ port: "flag" });
  assertEquals([values.get("port"), values.get("unix")], ["port", undefined]);
  values.delete("port");
  assertEquals(values.get("port"), undefined);
});

Deno.test("FlagValues.nameOf() is the flag or the variable that was given", () => {
  const values = valuesOf({ port: "flag", "max-headers": "environment" });
  assertEquals(values.nameOf("port"), "--port");
  assertEquals(values.nameOf("max-headers"), "ASGI_MAX_HEADERS");
});

Deno.test("FlagValues.need() refuses a flag without the one that it needs", () => {
  const values = valuesOf({ cert: "environment" });
  values.need("key", ["cert"]);
  assertThrows(
    () => values.need("cert", ["key", "unix"]),
    UsageError,
    "ASGI_CERT needs --key or --unix",
  );
});

for (const source of ["flag", "environment"] as const) {
  Deno.test(`FlagValues.exclude() refuses two of the same source (${source})`, () => {
    const values = valuesOf({ port: source, unix: source });
    assertThrows(
      () => values.exclude(["unix"], ["port", "hostname"]),
      UsageError,
      "exclude each other",
    );
  });
}

Deno.test("FlagValues.exclude() lets a flag win over a variable", () => {
  const one = valuesOf({ unix: "flag", port: "environment" });
  one.exclude(["unix"], ["port"]);
  assertEquals([one.get("unix"), one.get("port")], ["unix", undefined]);
  const other = valuesOf({ unix: "environment", port: "flag" });
  other.exclude(["unix"], ["port"]);
  assertEquals([other.get("unix"), other.get("port")], [undefined, "port"]);
});
