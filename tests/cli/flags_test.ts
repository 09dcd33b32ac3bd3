// Options, flags, environment variables, the help and the documentation agree:
// no setting of the server is missing from any of them.

import { assert, assertEquals } from "@std/assert";
import {
  environmentVariable,
  type Flag,
  FLAG_GROUPS,
  FLAGS,
  kebabCase,
} from "../../src/cli/flags.ts";
import { usageOf } from "../../src/cli/help.ts";
import { DEFAULT_SETTINGS } from "../../src/cli/settings.ts";
import { BOOLEAN } from "../../src/cli/values.ts";
import { DEFAULT_OPTIONS, OPTION_KINDS } from "../../src/server/options.ts";
import { granted } from "../e2e/_testing.ts";
import { settingsFor } from "./_settings.ts";

const ROOT = new URL("../..", import.meta.url);

/** Options that cannot be written, and who sets them instead. */
const NOT_WRITTEN = {
  signal: "the command ends by signals",
  signals: "always on",
  onListen: "a function",
  log: "a function; there are --log-level and --log-format",
};

/** Options that are made of several flags. */
const COMPOSED: Record<string, string[]> = {
  tls: [
    "cert",
    "key",
    "key-passphrase",
    "alpn",
    "tls-no-delay",
    "tls-min-version",
  ],
  listen: ["listen", "unix", "unix-mode"],
};

/** What must stand beside some flags. */
const COMPANIONS: Record<string, string[]> = {
  http3: ["--cert=a.pem", "--key=b.pem"],
  cert: ["--key=k"],
  key: ["--cert=c"],
  alpn: ["--cert=c", "--key=k"],
  "key-passphrase": ["--cert=c", "--key=k"],
  "tls-no-delay": ["--cert=c", "--key=k"],
  "tls-min-version": ["--cert=c", "--key=k", "--tls-no-delay"],
  "unix-mode": ["--unix=a.sock"],
  "max-requests-jitter": ["--max-requests=5"],
  "reload-path": ["--reload"],
};

/** A value for each kind of flag, by its placeholder. */
const SAMPLES: Record<string, string> = {
  TIME: "1234ms",
  SIZE: "123456",
  COUNT: "1234",
  "COUNT|auto": "3",
  PORT: "1234",
  ADDRESS: "::1",
  URL: "http://[::1]:1234",
  PATH: "some/path",
  FILE: "some.pem",
  MODE: "640",
  TEXT: "some text",
  FORMAT: "%h",
  "HOST:PORT": "127.0.0.1:1234",
  ADDRESSES: "10.0.0.0/8,::1,unix",
  PREFIX: "/some/prefix",
};

function sampleOf({ form, default: preset }: Flag): string {
  const { placeholder } = form;
  if (form === BOOLEAN) return preset === "true" ? "false" : "true";
  const choices = placeholder.split("|");
  return SAMPLES[placeholder] ?? choices.find((one) => one !== preset) ??
    choices[0];
}

Deno.test("every option of the server has a flag, or a reason to have none", () => {
  const missing = Object.keys(OPTION_KINDS)
    .filter((name) => !Object.hasOwn(NOT_WRITTEN, name))
    .flatMap((name) => COMPOSED[name] ?? [kebabCase(name)])
    .filter((flag) => !FLAGS.has(flag));
  assertEquals(missing, []);
});

Deno.test("every setting of the command has a flag", () => {
  const { serve: _, reloadPaths: __, ...settings } = DEFAULT_SETTINGS;
  const flags = [...Object.keys(settings).map(kebabCase), "reload-path"];
  assertEquals(flags.filter((flag) => !FLAGS.has(flag)), []);
});

Deno.test("every flag is an option or a setting", () => {
  const options = Object.keys(OPTION_KINDS)
    .flatMap((name) => COMPOSED[name] ?? [kebabCase(name)]);
  const settings = Object.keys(DEFAULT_SETTINGS).map(kebabCase);
  const known = [...options, ...settings, "factory", "reload-path"];
  assertEquals([...FLAGS.keys()].filter((flag) => !known.includes(flag)), []);
});

Deno.test("no flag stands twice", () => {
  const names = FLAG_GROUPS.flatMap(({ flags }) =>
    flags.map((one) => one.name)
  );
  assertEquals(names, [...new Set(names)]);
});

for (const flag of FLAGS.values()) {
  const variable = environmentVariable(flag.name);

  Deno.test(`--${flag.name} and ${variable} say the same, and not nothing`, () => {
    const value = sampleOf(flag);
    const companions = COMPANIONS[flag.name] ?? [];
    const byFlag = settingsFor([
      "a.ts",
      `--${flag.name}=${value}`,
      ...companions,
    ]);
    const byVariable = settingsFor(["a.ts", ...companions], {
      [variable]: value,
    });
    assertEquals(byFlag, byVariable);
    // A certificate and its key cannot be given without each other.
    const without = ["cert", "key"].includes(flag.name) ? [] : companions;
    const isKept = JSON.stringify(byFlag) !==
      JSON.stringify(settingsFor(["a.ts", ...without]));
    assert(isKept, `"${value}" makes no difference`);
  });
}

for (const [name, value] of Object.entries(DEFAULT_OPTIONS)) {
  const flag = FLAGS.get(kebabCase(name));
  if (flag === undefined) continue;
  Deno.test(`the default of --${flag.name} is that of ${name}`, () => {
    assert(flag.default !== undefined);
    assertEquals(flag.form.parse(flag.default), value);
  });
}

Deno.test({
  name:
    "docs/command.md has every flag, its variable and its default, in order",
  ignore: !granted("read"),
  fn() {
    const page = Deno.readTextFileSync(new URL("docs/command.md", ROOT));
    const row = /^\| `(--.+?)` +\| `(ASGI_\w+)` +\| (\S*) *\| (.+?) +\|$/gm;
    const documented = [...page.matchAll(row)]
      .map((
        [, usage, variable, preset, text],
      ) => [usage.replaceAll("\\|", "|"), variable, preset, text]);
    const flags = [...FLAGS.values()].map((flag) => [
      usageOf(flag),
      environmentVariable(flag.name),
      flag.default === undefined ? "" : `\`${flag.default}\``,
      flag.text,
    ]);
    assertEquals(documented, flags);
  },
});
