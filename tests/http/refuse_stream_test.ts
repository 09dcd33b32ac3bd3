import { assertEquals } from "@std/assert";
import { FieldCollector, FieldEntry } from "../../src/http/field_list.ts";
import type { Field } from "../../src/http/fields.ts";
import { refuseStream } from "../../src/http/refuse_stream.ts";

/** What is sent in answer to a request of `method`, if its fields were read. */
function refuse(method: string | undefined) {
  const list = new FieldCollector({ maxListSize: 1000, maxFields: 10 });
  list.add(new FieldEntry(":method", method ?? "", () => 0));
  const sent: unknown[] = [];
  const bytes = refuseStream({
    sendHeaders(fields: readonly Field[], last: boolean) {
      sent.push(fields.map(([name]) => name), last);
    },
    sendData(content: Uint8Array, last: boolean) {
      sent.push(new TextDecoder().decode(content), last);
      return Promise.reject(new Error("The client is lost"));
    },
  }, {
    status: 503,
    headers: [["retry-after", "1"]],
    list: method === undefined ? undefined : list,
    defaults: { dateHeader: false, serverHeader: null },
  });
  return { sent, bytes };
}

const FIELDS = [":status", "retry-after", "content-type", "content-length"];

Deno.test("A request is answered with a page, whether or not it was read", () => {
  const page = "Service Unavailable\n";
  for (const method of ["GET", undefined]) {
    const { sent, bytes } = refuse(method);
    assertEquals(sent, [FIELDS, false, page, true]);
    assertEquals(bytes, page.length);
  }
});

Deno.test("HEAD is answered with the head of the page", () => {
  assertEquals(refuse("HEAD"), { sent: [FIELDS, true], bytes: 0 });
});
