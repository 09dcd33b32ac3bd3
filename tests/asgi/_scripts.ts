// Scripts in processes of their own: whether a rejection ends the process shows
// in no other way.

/** Runs a script to its end. */
export async function runScript(
  script: string,
): Promise<{ code: number; output: string }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", script],
    stdin: "null",
    stderr: "null",
    signal: AbortSignal.timeout(30_000),
  }).output();
  return { code, output: new TextDecoder().decode(stdout).trim() };
}
