// What needs no sockets works on Node as well, which loads TypeScript by
// erasing the types: an application is called by the test client, and answers
// as a handler of `fetch`.

import { assertEquals } from "@std/assert";
import { granted } from "./e2e/_testing.ts";

const ROOT = new URL("..", import.meta.url);
/** The first that both erases types and knows `using`. */
const OLDEST_NODE = 24;

/** Prints what the test client, a call of `toFetch`, and `serve` come to. */
const PROGRAM = `
  import { allowedOrigins, requestBody, respond, serve } from "${ROOT}mod.ts";
  import { toFetch } from "${ROOT}src/fetch/mod.ts";
  import { mount } from "${ROOT}src/middleware/mod.ts";
  import { TestClient } from "${ROOT}src/testing/mod.ts";

  const app = mount({ "/app": async (scope, receive, send) => {
    const body = new Response(requestBody(receive));
    const text = scope.root_path + " " + await body.text();
    await respond(send, 200, { body: text });
  } });
  const guarded = allowedOrigins(app, ["http://example.com"]);

  await using client = await TestClient.start(guarded, { lifespan: "off" });
  const called = await client.fetch("/app/", { method: "POST", body: "a" });
  const answered = await toFetch(guarded)(
    new Request("http://localhost/app/", { method: "POST", body: "b" }),
  );
  const texts = [await called.text(), await answered.text()];
  try {
    serve(app);
  } catch (error) {
    texts.push(error.message);
  }
  console.log(JSON.stringify([called.status, answered.status, ...texts]));
`;

const lacks = await lackOfNode();

Deno.test({
  name: lacks === undefined
    ? "on Node, an application is called, and answers fetch"
    : `on Node, an application answers (not run: ${lacks})`,
  ignore: lacks !== undefined,
  async fn() {
    const args = ["--no-warnings", "--input-type=module", "--eval", PROGRAM];
    const { success, stdout, stderr } = await run(args);
    assertEquals([stderr, success], ["", true]);
    const [called, answered, ...texts] = JSON.parse(stdout);
    assertEquals([called, answered], [200, 200]);
    assertEquals(texts, [
      "/app a",
      "/app b",
      "Cannot serve: listening needs Deno; elsewhere, use toFetch of @x/asgi/fetch",
    ]);
  },
});

/** Why there is no Node here that the test could run on. */
async function lackOfNode(): Promise<string | undefined> {
  if (!granted("run")) return "it needs --allow-run";
  const { stdout } = await run(["--version"]).catch(() => ({ stdout: "" }));
  const [, major] = /^v(\d+)\./.exec(stdout) ?? [];
  if (major === undefined) return "there is no node on the PATH";
  if (Number(major) >= OLDEST_NODE) return undefined;
  return `node ${major} is too old, it takes ${OLDEST_NODE}`;
}

async function run(
  args: string[],
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const command = new Deno.Command("node", { args, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  const [output, errors] = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes));
  return { success, stdout: output, stderr: errors };
}
