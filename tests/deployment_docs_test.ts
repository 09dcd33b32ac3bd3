// The deployment guide shows the files of `deploy/` as they are, and the
// timeouts in them fit the defaults of the server and each other.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { DEFAULT_OPTIONS } from "../src/server/options.ts";
import { granted } from "./e2e/_testing.ts";

const ROOT = new URL("..", import.meta.url);
/** What a supervisor grants its workers beyond their shutdown timeouts. */
const SUPERVISOR_MARGIN_S = 2;

/** Declares a test that reads the repository. */
function docsTest(name: string, fn: () => void): void {
  Deno.test({
    name: `deployment guide: ${name}`,
    ignore: !granted("read"),
    fn,
  });
}

docsTest("shows and links every file of deploy/, as it is", () => {
  const page = read("docs/deployment.md");
  const blocks = [...page.matchAll(/^```\w+\n([^]*?)^```$/gm)]
    .map(([, text]) => text);
  const names = [...Deno.readDirSync(new URL("deploy/", ROOT))]
    .map(({ name }) => name);
  assert(names.length > 0);
  for (const name of names) {
    assert(page.includes(`](../deploy/${name})`), `${name} is not linked`);
    const text = read(`deploy/${name}`);
    assert(blocks.includes(text), `${name} is not shown as it is`);
  }
});

docsTest("its links within the repository lead somewhere", () => {
  const page = read("docs/deployment.md");
  const links = [...page.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
    .map(([, link]) => link);
  assert(links.length > 0);
  for (const link of links) Deno.statSync(new URL(link, `${ROOT}docs/`));
});

docsTest(
  "whatever starts the server makes Deno poll sockets in each turn",
  () => {
    const places: [string, RegExp][] = [
      ["Dockerfile", /^ENV DENO_TOKIO_EVENT_INTERVAL=1$/m],
      ["app@.service", /^Environment=DENO_TOKIO_EVENT_INTERVAL=1$/m],
      ["kubernetes.yaml", /name: DENO_TOKIO_EVENT_INTERVAL\n +value: "1"$/m],
    ];
    for (const [name, line] of places) {
      assertMatch(
        read(`deploy/${name}`),
        line,
      );
    }
  },
);

docsTest("proxies close idle connections before the server does", () => {
  const nginx = seconds("nginx.conf", /^ {4}keepalive_timeout (\d+)s;$/m);
  assert(nginx < DEFAULT_OPTIONS.keepAliveTimeout / 1000);
});

docsTest("proxies wait for WebSockets until the server has pinged", () => {
  const { pingInterval, pingTimeout } = DEFAULT_OPTIONS;
  const silence = (pingInterval + pingTimeout) / 1000;
  assert(seconds("nginx.conf", /proxy_read_timeout (\d+)s;/) > silence);
  assert(seconds("haproxy.cfg", /timeout tunnel (\d+)s/) > silence);
});

docsTest("what stops the server waits until it must have stopped", () => {
  const stop = 2 * DEFAULT_OPTIONS.shutdownTimeout / 1000 +
    SUPERVISOR_MARGIN_S;
  assert(seconds("app@.service", /^TimeoutStopSec=(\d+)$/m) > stop);
  const preStop = seconds("kubernetes.yaml", /sleep:\s+seconds: (\d+)/);
  const grace = seconds(
    "kubernetes.yaml",
    /terminationGracePeriodSeconds: (\d+)/,
  );
  assert(grace > preStop + stop);
  const [, docker] = /--stop-timeout (\d+)/.exec(read("docs/deployment.md"))!;
  assert(Number(docker) > stop);
});

docsTest("Kubernetes waits until the application must have started", () => {
  const period = seconds(
    "kubernetes.yaml",
    /startupProbe:[^]*?periodSeconds: (\d+)/,
  );
  const count = seconds(
    "kubernetes.yaml",
    /startupProbe:[^]*?failureThreshold: (\d+)/,
  );
  assert(period * count > DEFAULT_OPTIONS.startupTimeout / 1000);
});

docsTest("the image is that of the Deno that the README names", () => {
  const [, image] = /^FROM denoland\/deno:(\S+)$/m
    .exec(read("deploy/Dockerfile"))!;
  const [, version] = /npx -y deno@(\S+)/.exec(read("README.md"))!;
  assertEquals(image, version);
});

function seconds(file: string, pattern: RegExp): number {
  const match = pattern.exec(read(`deploy/${file}`));
  assert(match !== null, `${file} has no ${pattern}`);
  return Number(match[1]);
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}
