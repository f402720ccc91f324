/**
 * An end for a stream that may wait for ever. Knows nothing of what the stream carries.
 */

/**
 * What `source` yields until `signal` aborts; then it is done, even while its source waits for an event that never
 * comes. Leaving it aborts nothing but itself.
 */
export function untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncIterableIterator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const done = { done: true, value: undefined } as const;
  let answer: (result: IteratorResult<T>) => void = () => {};
  const end = () => {
    signal.removeEventListener("abort", end);
    answer(done);
    return iterator.return?.() ?? Promise.resolve(done);
  };
  signal.addEventListener("abort", end);
  return {
    next: () =>
      new Promise((resolve, reject) => {
        answer = resolve;
        if (signal.aborted) resolve(done);
        else iterator.next().then(resolve, reject);
      }),
    return: end,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
