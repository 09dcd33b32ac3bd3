// The table of a response, entry by entry, and what is counted of its content.

import { assertEquals, assertThrows } from "@std/assert";
import {
  type ContentStep,
  hasContent,
  isOver,
  RESPONSE_TABLE,
  ResponseProgress,
  type ResponseState,
  type ResponseStep,
} from "../../src/http/response_state.ts";

class Progress extends ResponseProgress {
  protected override outOfOrder(step: ResponseStep, state: ResponseState) {
    return new Error(`${step} in ${state}`);
  }

  protected override wrongLength(sent: number, declared: number) {
    return new RangeError(`${sent} of ${declared}`);
  }
}

/** How a response gets into each state. */
const PATHS: Record<ResponseState, readonly ResponseStep[]> = {
  start: [],
  head: ["head"],
  content: ["head", "data"],
  trailers: ["head", "data before trailers"],
  complete: ["head", "last data"],
  cut: ["cut"],
  broken: ["head", "last data"],
};

/** Every step, and from where it may be taken to where. */
const STEPS: Record<ResponseStep, Partial<Record<ResponseState, string>>> = {
  "informational": { start: "start" },
  "upgrade": { start: "complete" },
  "head": { start: "head" },
  "data": { head: "content", content: "content" },
  "last data": { head: "complete", content: "complete" },
  "data before trailers": { head: "trailers", content: "trailers" },
  "trailers": { trailers: "trailers" },
  "last trailers": { trailers: "complete" },
  "cut": { start: "cut", head: "cut", content: "cut", trailers: "cut" },
};

const STATES = Object.keys(RESPONSE_TABLE) as ResponseState[];

function take(progress: ResponseProgress, step: ResponseStep): void {
  if (step === "head") progress.begin(undefined);
  else if (isContent(step)) progress.content(1, step);
  else progress.advance(step);
}

function isContent(step: ResponseStep): step is ContentStep {
  return step.includes("data");
}

/** A response in a state. */
function inState(state: ResponseState): ResponseProgress {
  const progress = new Progress();
  if (state === "broken") {
    progress.begin(5);
    assertThrows(() => progress.content(6, "data"));
  } else {
    for (const step of PATHS[state]) take(progress, step);
  }
  assertEquals(progress.state, state);
  return progress;
}

for (const state of STATES) {
  for (const step of Object.keys(STEPS) as ResponseStep[]) {
    const next = STEPS[step][state];
    const what = next === undefined ? "is refused" : `leads to ${next}`;
    Deno.test(`In state ${state} of a response, ${step} ${what}`, () => {
      const progress = inState(state);
      if (next === undefined) {
        assertThrows(() => take(progress, step), Error, `${step} in ${state}`);
        assertEquals(progress.state, state);
      } else {
        take(progress, step);
        assertEquals(progress.state, next);
      }
    });
  }
}

Deno.test("Content that has its declared length completes a response", () => {
  for (const pieces of [[5], [2, 3], [5, 0], [0, 5]]) {
    for (const last of ["last data", "data before trailers"] as const) {
      const progress = new Progress();
      progress.begin(5);
      for (const [i, bytes] of pieces.entries()) {
        progress.content(bytes, i === pieces.length - 1 ? last : "data");
      }
      assertEquals(isOver(progress.state), last === "last data");
    }
  }
});

Deno.test("Content that misses its declared length breaks a response", () => {
  const cases: [number[], string][] = [
    [[6], "6 of 5"],
    [[5, 1], "6 of 5"],
    [[4], "4 of 5"],
    [[1, 0], "1 of 5"],
    [[0], "0 of 5"],
  ];
  for (const [pieces, message] of cases) {
    const progress = new Progress();
    progress.begin(5);
    const sendAll = (): void => {
      for (const [i, bytes] of pieces.entries()) {
        progress.content(bytes, i === pieces.length - 1 ? "last data" : "data");
      }
    };
    assertThrows(sendAll, RangeError, message);
    assertEquals(progress.state, "broken");
  }
});

Deno.test("A response is over once nothing can be sent", () => {
  assertEquals(STATES.filter(isOver), ["complete", "cut", "broken"]);
});

Deno.test("Responses to HEAD, and of some statuses, have no content", () => {
  assertEquals(hasContent("GET", 200), true);
  assertEquals(hasContent("HEAD", 200), false);
  for (const status of [204, 205, 304]) {
    assertEquals(hasContent("GET", status), false);
  }
});
