// What a process holds over time, as the system reports it: memory and descriptors.
// `growthOf` judges whether that is flat.

/** What a process held at a moment. */
export interface Sample {
  /** Resident memory, in bytes. */
  readonly memory: number;
  /** Open file descriptors. */
  readonly descriptors: number;
}

/** Measures a process; there must be a /proc. */
export async function sampleOf(pid: number): Promise<Sample> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, kibibytes] = /^VmRSS:\s*([0-9]+) kB$/m.exec(status) ?? [];
  let descriptors = 0;
  for await (const _entry of Deno.readDir(`/proc/${pid}/fd`)) descriptors++;
  return { memory: Number(kibibytes) * 1024, descriptors };
}

/** What may be added on top of a quarter, before something counts as growing. */
const SLACK: Sample = { memory: 24 * 1024 * 1024, descriptors: 40 };

/**
 * Says what has grown between the first third of the samples and the last: the
 * medians may differ by a quarter and some slack. `undefined` if nothing has.
 *
 * @throws {RangeError} If there are fewer than six samples.
 */
export function growthOf(samples: readonly Sample[]): string | undefined {
  if (samples.length < 6) {
    throw new RangeError("Cannot judge growth by fewer than six samples");
  }
  const third = Math.floor(samples.length / 3);
  const first = samples.slice(0, third);
  const last = samples.slice(-third);
  const grown = (["memory", "descriptors"] as const).flatMap((what) => {
    const before = median(first.map((sample) => sample[what]));
    const after = median(last.map((sample) => sample[what]));
    const isFlat = after <= 1.25 * before + SLACK[what];
    return isFlat ? [] : [`${what} from ${before} to ${after}`];
  });
  return grown.length === 0 ? undefined : grown.join(", ");
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
