/**
 * The few statistics that the comparison needs.
 *
 * @module
 */

/**
 * The value in the middle; the mean of the two in the middle if there are two.
 *
 * @throws {RangeError} If there is no value.
 */
export function median(values: readonly number[]): number {
  if (values.length === 0) {
    throw new RangeError("Cannot take median of nothing");
  }
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The smallest value that at least the share `share` (0–1) of all values do not
 * exceed; `sorted` is in ascending order.
 *
 * @throws {RangeError} If there is no value.
 */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) {
    throw new RangeError("Cannot take percentile of nothing");
  }
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
