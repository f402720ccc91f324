/**
 * Whether what a process holds grows. Pure. The first third of a run is for caches to fill and code to be compiled;
 * of the rest the slope is the median of the slopes between any two of its minutes, which a peak does not move.
 */

export interface Minute {
  readonly residentMb: number;
  readonly heapMb: number;
  readonly files: number;
  readonly threads: number;
}

export interface Verdict {
  readonly what: keyof Minute;
  /** Median of the minutes that count. */
  readonly level: number;
  /** By how much it grew in them, as the slope has it. */
  readonly growth: number;
  readonly bound: number;
  readonly isFlat: boolean;
}

/** A run that is shorter says nothing of memory. */
export const LEAST_MINUTES = 20;

/** How much each may grow in the last two thirds: a share of its level, or a number where that is more. */
const BOUNDS: Readonly<Record<keyof Minute, readonly [share: number, number: number]>> = {
  residentMb: [0.05, 10],
  heapMb: [0.05, 5],
  files: [0, 5],
  threads: [0, 2],
};

export function verdicts(minutes: readonly Minute[]): Verdict[] {
  const counted = minutes.slice(Math.ceil(minutes.length / 3));
  const judged: (keyof Minute)[] = ["files", "threads"];
  if (minutes.length >= LEAST_MINUTES) judged.unshift("residentMb", "heapMb");
  return judged.map((what) => {
    const values = counted.map((minute) => minute[what]);
    const level = median(values);
    const growth = slope(values) * (values.length - 1);
    const [share, least] = BOUNDS[what];
    const bound = Math.max(share * level, least);
    return { what, level, growth, bound, isFlat: growth <= bound };
  });
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Of values at equal distances, for one distance. */
function slope(values: readonly number[]): number {
  return median(
    values.flatMap((later, j) => values.slice(0, j).map((earlier, i) => (later - earlier) / (j - i))),
  );
}
