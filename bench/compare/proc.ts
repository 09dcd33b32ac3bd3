/**
 * What Linux says of processes in `/proc`: processor time, resident memory, and
 * which process started which. A server may be several processes: figures are of a process
 * and all that descend from it.
 *
 * @module
 */

/** Ticks of the clock that `/proc/PID/stat` counts in; the same on all of Linux. */
const TICKS_PER_SECOND = 100;

/** The positions of fields after the name of the program, which ends in ")". */
const USER = 11;
const SYSTEM = 12;
const CHILDREN_USER = 13;
const CHILDREN_SYSTEM = 14;

/** A process, and all processes that descend from it. */
export function processTree(pid: number): number[] {
  const pids = [pid];
  for (const parent of pids) pids.push(...childrenOf(parent));
  return pids;
}

function childrenOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name }) =>
      Deno.readTextFileSync(`${folder}/${name}/children`)
        .split(" ").filter((text) => text !== "").map(Number)
    );
  } catch {
    return []; // It has ended.
  }
}

/**
 * The processor time that the threads of a tree of processes have used, in
 * seconds. The scheduler counts in nanoseconds; a kernel without its figures
 * gives ticks of 10 ms.
 */
export function cpuSeconds(pid: number): number {
  return processTree(pid)
    .reduce((sum, member) => sum + memberSeconds(member), 0);
}

function memberSeconds(pid: number): number {
  const folder = `/proc/${pid}/task`;
  try {
    let nanoseconds = 0;
    for (const { name } of Deno.readDirSync(folder)) {
      const text = Deno.readTextFileSync(`${folder}/${name}/schedstat`);
      nanoseconds += Number(text.split(" ")[0]);
    }
    return nanoseconds / 1e9;
  } catch {
    const fields = statFields(pid);
    return (Number(fields[USER]) + Number(fields[SYSTEM])) / TICKS_PER_SECOND;
  }
}

/** The processor time of the children of this process that have ended, in seconds. */
export function endedChildrenSeconds(): number {
  const fields = statFields("self");
  const ticks = Number(fields[CHILDREN_USER]) + Number(fields[CHILDREN_SYSTEM]);
  return ticks / TICKS_PER_SECOND;
}

function statFields(pid: number | "self"): string[] {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** The memory that a tree of processes holds, in bytes. */
export function residentBytes(pid: number): number {
  let kibibytes = 0;
  for (const member of processTree(pid)) {
    const status = Deno.readTextFileSync(`/proc/${member}/status`);
    kibibytes += Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  }
  return kibibytes * 1024;
}

/** Kills a tree of processes, by the ids of its members. */
export function killTree(pid: number): void {
  for (const member of processTree(pid)) {
    try {
      Deno.kill(member, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}
