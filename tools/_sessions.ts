// Runs `deno` in a session of its own (setsid), by which everything that it
// has started can be found when it has ended: a process that was not ended
// keeps its port, and its share of the machine. Where there is no /proc, none
// is found.

import { stripVTControlCharacters } from "node:util";

/** How long what was killed at the end may take to be gone. */
const GRACE_MS = 5_000;
const CHECK_MS = 50;

/** How `deno` is run. */
export interface RunOptions {
  /** Its working directory. */
  readonly cwd: URL;
  /** All variables of its environment. */
  readonly env: Record<string, string>;
  /** Called with each line that it prints. Default: nothing. */
  readonly onLine?: (line: string) => void;
}

/** What one run came to. */
export interface RunResult {
  /** Whether its exit code was 0. */
  readonly success: boolean;
  /** What it has printed, to stdout and to stderr, without colours. */
  readonly lines: readonly string[];
  /** The command lines of the processes that it left; they were killed. */
  readonly left: readonly string[];
}

/** Runs `deno` until it has ended, and ends what it leaves. */
export async function runDeno(
  args: readonly string[],
  { cwd, env, onLine = () => {} }: RunOptions,
): Promise<RunResult> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    clearEnv: true,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  using _signals = killOnSignals(child.pid);
  const lines: string[] = [];
  const read = Promise.all([child.stdout, child.stderr].map(async (stream) => {
    for await (const line of linesOf(stream)) {
      lines.push(line);
      onLine(line);
    }
  }));
  const { success } = await child.status;
  // A process that is left may hold the pipes open.
  const left = await endSession(child.pid);
  await read;
  return { success, lines, left };
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines.map(stripVTControlCharacters);
  }
  yield stripVTControlCharacters(rest);
}

/** A terminal's Ctrl-C does not reach another session. */
function killOnSignals(session: number): Disposable {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const end = (): void => {
    kill(-session);
    Deno.exit(1);
  };
  for (const signal of signals) Deno.addSignalListener(signal, end);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) Deno.removeSignalListener(signal, end);
    },
  };
}

/** Kills what is left in a session; its command lines. */
async function endSession(session: number): Promise<string[]> {
  const end = performance.now() + GRACE_MS;
  let left = processesOf(session);
  while (left.length > 0 && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, CHECK_MS));
    left = processesOf(session);
  }
  const commands = left.map((pid) => `${pid} ${commandLineOf(pid)}`);
  for (const pid of left) kill(pid);
  return commands;
}

/** The processes of a session, apart from those that have ended. */
function processesOf(session: number): number[] {
  if (Deno.build.os !== "linux") return [];
  return [...Deno.readDirSync("/proc")]
    .map(({ name }) => Number(name))
    .filter((pid) => pid > 0 && sessionOf(pid) === session);
}

function sessionOf(pid: number): number | undefined {
  const stat = readProcFile(pid, "stat");
  // The name of the command may hold anything; the numbers follow it.
  const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? undefined : Number(session);
}

function commandLineOf(pid: number): string {
  return readProcFile(pid, "cmdline").replaceAll("\0", " ").trimEnd();
}

/** It is empty if the process has ended by now. */
function readProcFile(pid: number, name: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${name}`);
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
