// What gets into a table: what repeats, never a secret.

import { assertEquals } from "@std/assert";
import {
  chooseIndexing,
  findStatic,
  lookUpName,
} from "../../../src/http2/hpack/indexing_policy.ts";
import { fieldSize } from "../../../src/http/field_list.ts";

function choose(name: string, value: string, capacity = 4096): string {
  const size = fieldSize(name, value);
  return chooseIndexing(lookUpName(name), value, { size, capacity });
}

Deno.test("credentials are never indexed", () => {
  const names = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-xsrf-token",
  ];
  for (const name of names) {
    assertEquals(choose(name, "secret"), "never");
    assertEquals(choose(name, "secret".repeat(50)), "never");
  }
});

Deno.test("cookies are not indexed, and short ones must not be by others", () => {
  for (const name of ["cookie", "set-cookie"]) {
    assertEquals(choose(name, "a".repeat(23)), "never");
    assertEquals(choose(name, "a".repeat(24)), "literal");
  }
});

Deno.test("what changes with each message is not indexed", () => {
  for (const name of ["content-length", "etag", "location", ":path", "age"]) {
    assertEquals(choose(name, "x"), "literal");
  }
});

Deno.test("all else is indexed", () => {
  const names = [
    "date",
    "server",
    "content-type",
    "user-agent",
    "x-own",
    ":status",
  ];
  for (const name of names) assertEquals(choose(name, "x"), "index");
});

Deno.test("a field of more than three quarters of the table is not indexed", () => {
  const value = "x".repeat(75 - fieldSize("name", ""));
  assertEquals(choose("name", value, 100), "index");
  assertEquals(choose("name", value + "x", 100), "literal");
  assertEquals(choose("name", "", 0), "literal");
});

Deno.test("lookUpName() knows the first index of a name, findStatic() that of a field", () => {
  const facts = lookUpName(":status");
  assertEquals(facts.index, 8);
  assertEquals(["200", "500", "201"].map((v) => findStatic(facts, v)), [
    8,
    14,
    0,
  ]);
  assertEquals(lookUpName("x-own").index, 0);
  assertEquals(findStatic(lookUpName("x-own"), ""), 0);
  assertEquals(findStatic(lookUpName("accept"), ""), 19);
});
