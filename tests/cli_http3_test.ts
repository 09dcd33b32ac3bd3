// `--http3` as users of the command meet it: where it is refused, and that it ends
// without losing a request.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withUnstableNet } from "./_unstable_net.ts";
import {
  Command,
  type CommandOptions,
  commandTest,
  folder,
  LIBRARY,
  run,
} from "./cli/_command.ts";
import { ONE } from "./e2e/_tls.ts";
import { Http3Client } from "./e2e/_http3_client.ts";
import { text } from "./_feeding.ts";

const FILES = {
  "main.ts": `
import { respond } from "${LIBRARY}";
export default async (scope, receive, send) => {
  if (scope.type !== "http") throw new TypeError("No " + scope.type);
  console.error("asked for " + scope.path);
  if (scope.path === "/never") await new Promise(() => {});
  if (scope.path === "/slow") await new Promise((r) => setTimeout(r, 500));
  await respond(send, 200, { body: scope.http_version + scope.path });
};
`,
  "cert.pem": ONE.cert,
  "key.pem": ONE.key,
};
const ARGS = [
  ...["main.ts", "--port=0", "--http3"],
  ...["--cert=cert.pem", "--key=key.pem"],
];

/** Declares a test with the application's files in a folder of its own. */
function http3Test(
  name: string,
  fn: (options: CommandOptions) => Promise<void>,
): void {
  commandTest(name, async () => {
    await using files = await folder(FILES);
    await fn({ cwd: files.path, permissions: ["-A", "--unstable-net"] });
  });
}

/** The fields of a GET. */
function get(path: string) {
  return [
    [":method", "GET"],
    [":scheme", "https"],
    [":authority", "localhost"],
    [":path", path],
  ] as const;
}

http3Test("HTTP/3 without Deno's consent is refused", async ({ cwd }) => {
  const { code, stderr } = await run(ARGS, { cwd, permissions: ["-A"] });
  assertEquals(code, 1);
  assertMatch(stderr, /Cannot serve HTTP\/3: run again with --unstable-net\n$/);
});

http3Test("HTTP/3 is refused where workers share the port", async (options) => {
  const { code, stderr } = await run([...ARGS, "--workers=2"], options);
  assertEquals(code, 2);
  assertStringIncludes(
    stderr,
    "Cannot share the UDP port of HTTP/3 between workers, because one process alone can have it",
  );
});

withUnstableNet(import.meta.url, () => {
  http3Test(
    "HTTP/3 is served, and ends without losing a request",
    async (options) => {
      await using command = new Command(ARGS, options);
      const [, port] = await command.printed(/https:\/\/127\.0\.0\.1:(\d+)\//);
      using client = await Http3Client.connect(Number(port), ONE);
      const stream = await client.open(get("/slow"));
      await stream.end();
      await command.printed(/asked for \/slow/);
      command.kill("SIGTERM");
      const fields = await stream.next();
      assertEquals(fields?.type === "fields" && fields.fields[0], [
        ":status",
        "200",
      ]);
      const content = await stream.next();
      assertEquals(
        content?.type === "content" && text(content.bytes),
        "3/slow",
      );
      assertEquals(await stream.next(), undefined);
      // What says so has left the process before it ends.
      assertEquals(await client.closed, 0x100);
      assertEquals(await command.exitCode(), 0);
    },
  );

  http3Test(
    "a client learns at once that its request was cut",
    async (options) => {
      await using command = new Command(ARGS, options);
      const [, port] = await command.printed(/https:\/\/127\.0\.0\.1:(\d+)\//);
      using client = await Http3Client.connect(Number(port), ONE);
      const stream = await client.open(get("/never"));
      await stream.end();
      await command.printed(/asked for \/never/);
      command.kill("SIGTERM");
      await command.printed(/another signal cuts/);
      command.kill("SIGTERM");
      // Else it would wait for its own timeout.
      assertEquals(await client.closed, 0x102);
      await command.exitCode();
    },
  );

  http3Test("a worker that reloads takes the port over", async (options) => {
    await using command = new Command([...ARGS, "--reload"], options);
    const [, port] = await command.printed(/https:\/\/127\.0\.0\.1:(\d+)\//);
    const first = await Http3Client.connect(Number(port), ONE);
    first.close();
    await Deno.writeTextFile(
      `${options.cwd}/main.ts`,
      `${FILES["main.ts"]}console.error("changed");\n`,
    );
    await command.printed(/changed/);
    await command.printed(/serves .*https[^]*serves .*https/);
    (await Http3Client.connect(Number(port), ONE)).close();
    command.kill("SIGTERM");
    assertEquals(await command.exitCode(), 0);
  });
});
