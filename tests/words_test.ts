// Words that a reader would have to learn first stay out of code, comments, test
// names and pages: each has a plain technical term in its place.

import { assertEquals } from "@std/assert";
import { granted } from "./e2e/_testing.ts";

const ROOT = new URL("..", import.meta.url);
/** This test itself has to name them. */
const OWN = "tests/words_test.ts";
const PLACES = [
  "README.md",
  "CHANGELOG.md",
  "bench",
  "docs",
  "examples",
  "mod.ts",
  "src",
  "tests",
  "tools",
];

/** Each pattern, and what to write in its place. */
const WORDS: [pattern: RegExp, instead: string][] = [
  // A server is behind a proxy; in time, one thing is after another.
  [/\bbehind\b(?!.{0,60}\b(?:prox|nginx|haproxy))(?!_proxy)/gi, "after"],
  [/\b(?:told|tells)\b/gi, "is called with, gets, reports, shows"],
  [/\b(?:whoever|of whom|to whom)\b/gi, "the caller, the owner, the client"],
  [/\b(?:departed|departures?)\b/gi, "disconnected, disconnect"],
  [/\binform(?:s|ed|ing)?\b/gi, "report, sendInformational"],
  [/\bgraver\b/gi, "and above"],
  [/\bset up wrong\b/gi, "misconfigured"],
  [/\bwhat is ours\b/gi, "set by the server"],
];

Deno.test({
  name: "words: plain technical terms are used",
  ignore: !granted("read"),
  fn() {
    const found = PLACES.flatMap(filesIn).flatMap((path) => {
      const text = textOf(path);
      return WORDS.flatMap(([pattern, instead]) =>
        [...text.matchAll(pattern)].map(({ 0: word, index }) =>
          `${path}: "…${
            text.slice(Math.max(0, index - 20), index)
          }${word}": ${instead}`
        )
      );
    });
    assertEquals(found, []);
  },
});

/** The files below a place that people read, or the place itself. */
function filesIn(place: string): string[] {
  if (/\.(?:ts|md|html)$/.test(place)) return place === OWN ? [] : [place];
  if (/\.\w+$/.test(place)) return [];
  const entries = [...Deno.readDirSync(new URL(place, ROOT))];
  return entries
    .filter(({ name }) => name !== "node_modules" && name !== "jsr")
    .flatMap(({ name }) => filesIn(`${place}/${name}`)).sort();
}

/** A file as running text: comments that go on in the next line are joined. */
function textOf(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT))
    .replaceAll(/\s*\n\s*(?:\*|\/\/|>)?\s*/g, " ");
}
