/**
 * What the comparison ran on: figures mean little without it.
 *
 * @module
 */

/** A machine, as far as it matters to speed. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** In GiB. */
  readonly memory: number;
  readonly system: string;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  const info = Deno.readTextFileSync("/proc/cpuinfo");
  const { total } = Deno.systemMemoryInfo();
  return {
    processor: /^model name\s*: (.+)$/m.exec(info)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memory: Math.round(total / 2 ** 30),
    system: `${Deno.build.os} ${Deno.osRelease()}`,
  };
}

/** The first line of what a program prints; `undefined` if it is not there. */
export async function firstLine(
  program: string,
  ...args: string[]
): Promise<string | undefined> {
  const text = await outputOf(program, ...args);
  return text?.trim().split("\n")[0];
}

/**
 * What a program prints, whatever its exit code; `undefined` if it cannot be
 * run, or takes longer than a minute.
 */
export async function outputOf(
  program: string,
  ...args: string[]
): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, {
      args,
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(60_000),
    }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return undefined;
  }
}
