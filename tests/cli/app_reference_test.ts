// How applications are named: which colon is the one before an export's name.

import { assertEquals } from "@std/assert";
import { isUrl, splitAppReference } from "../../src/cli/app_reference.ts";

const REFERENCES: [text: string, module: string, name: string][] = [
  ["main.ts", "main.ts", "default"],
  ["main.ts:app", "main.ts", "app"],
  ["./src/main.ts:$app_2", "./src/main.ts", "$app_2"],
  ["/srv/app/main.ts:größe", "/srv/app/main.ts", "größe"],
  ["main:app", "main", "app"],
  ["odd:folder/main.ts", "odd:folder/main.ts", "default"],
  ["odd:folder/main.ts:app", "odd:folder/main.ts", "app"],
  ["C:\\srv\\main.ts", "C:\\srv\\main.ts", "default"],
  ["C:\\srv\\main.ts:app", "C:\\srv\\main.ts", "app"],
  ["c:/srv/main.ts:app", "c:/srv/main.ts", "app"],
  ["file:///srv/main.ts", "file:///srv/main.ts", "default"],
  ["file:///C:/srv/main.ts", "file:///C:/srv/main.ts", "default"],
  ["file:///C:/srv/main.ts:app", "file:///C:/srv/main.ts", "app"],
  ["https://example.com/a.ts", "https://example.com/a.ts", "default"],
  ["https://example.com/a.ts:app", "https://example.com/a.ts", "app"],
  ["https://[::1]:8000/a.ts", "https://[::1]:8000/a.ts", "default"],
  ["https://[::1]:8000/a.ts:app", "https://[::1]:8000/a.ts", "app"],
  ["jsr:@a/b", "jsr:@a/b", "default"],
  ["jsr:@a/b@1.2/c:app", "jsr:@a/b@1.2/c", "app"],
  ["npm:pkg", "npm:pkg", "default"],
  ["npm:pkg@1:app", "npm:pkg@1", "app"],
];

for (const [text, module, name] of REFERENCES) {
  Deno.test(`"${text}" is the export "${name}" of "${module}"`, () => {
    assertEquals(splitAppReference(text), { module, name });
  });
}

Deno.test("URLs are distinguished from paths, also from those with a drive", () => {
  const urls = ["https://a/b.ts", "file:///a.ts", "jsr:@a/b", "npm:a"];
  const paths = ["a.ts", "./a.ts", "/a.ts", "C:\\a.ts", "main:app", "a:b/c.ts"];
  assertEquals(urls.filter((text) => !isUrl(text)), []);
  assertEquals(paths.filter(isUrl), []);
});
