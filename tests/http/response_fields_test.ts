import { assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  checkFinalStatus,
  checkInterimStatus,
  isEmptyStatus,
  readDeclaredLength,
} from "../../src/http/response_fields.ts";

Deno.test("A final status is a whole number from 200 to 999", () => {
  for (const status of [200, 404, 999]) checkFinalStatus(status);
  for (const status of [199, 1000, 200.5, NaN]) {
    assertThrows(() => checkFinalStatus(status), RangeError, "200 to 999");
  }
});

Deno.test("An interim status is a whole number from 100 to 199, and not 101", () => {
  for (const status of [100, 102, 103, 199]) checkInterimStatus(status);
  for (const status of [99, 101, 200, 100.5, NaN]) {
    assertThrows(() => checkInterimStatus(status), RangeError, "100 to 199");
  }
});

Deno.test("A declared length is one number", () => {
  assertEquals(readDeclaredLength(undefined, "12"), 12);
  for (const value of ["", "-1", "1.5", "0x1", "1e3", "1,1"]) {
    assertThrows(() => readDeclaredLength(undefined, value), RangeError);
  }
  assertThrows(() => readDeclaredLength(12, "12"), RangeError, "one number");
});

Deno.test("Responses with 204 and 205 have no length of the application", () => {
  assertEquals([204, 205].map(isEmptyStatus), [true, true]);
  for (const status of [200, 206, 304]) assertFalse(isEmptyStatus(status));
});
