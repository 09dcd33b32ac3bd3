/**
 * The word that was probably meant by a mistyped one.
 *
 * @module
 */

/** The candidate that differs from `word` in few letters, if there is one. */
export function suggest(
  word: string,
  candidates: readonly string[],
): string | undefined {
  const [nearest] = candidates
    .map((candidate) => ({ candidate, edits: editDistance(word, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  if (nearest === undefined || nearest.edits > toleratedEdits(word)) return;
  return nearest.candidate;
}

/** A short word resembles too many others. */
function toleratedEdits(word: string): number {
  return Math.min(Math.floor(word.length / 3), 3);
}

/**
 * How many letters must be added, left out or changed to get from one word to
 * the other; two that changed places count as one.
 */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const changed = from[i - 1] === to[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + changed);
      if (i > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
      }
    }
    [beforeLast, last] = [last, row];
  }
  return last[to.length];
}
