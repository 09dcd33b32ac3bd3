// Where the `jsr:` imports of this repository come from. Deno reads `JSR_URL`,
// and child processes inherit it. If it is set, it is kept; otherwise JSR is asked
// once, and where it does not answer the stand-in beside this file is
// used. Nothing here may import anything from outside the repository.

const DEFAULT_JSR_URL = "https://jsr.io/";
const STAND_IN_URL = new URL("./jsr/", import.meta.url).href;
const ANSWER_TIMEOUT_MS = 3_000;

/**
 * Sets `JSR_URL` to the stand-in, for this process and its children, unless it
 * is set already or JSR answers. Says so in one line when it does.
 */
export async function chooseJsr(): Promise<void> {
  if (Deno.env.has("JSR_URL") || await answers(DEFAULT_JSR_URL)) return;
  Deno.env.set("JSR_URL", STAND_IN_URL);
  console.error("JSR does not answer: @std comes from tools/jsr/");
}

/** Whether the registry at `url` serves what the tests need, within a limit. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("@std/assert/meta.json", url), {
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const meta = await response.json();
    return response.ok && meta.name === "assert";
  } catch {
    return false;
  }
}
