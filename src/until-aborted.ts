/**
 * An end for a stream that may wait for ever. Knows nothing of what the stream carries.
 */

/**
 * What `source` yields until `signal` aborts; then it is done, even while its source waits for an event that never
 * comes. `last` is yielded at the signal, before the end. Leaving it aborts nothing but itself.
 */
export function untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
  last?: T,
): AsyncIterableIterator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const done = { done: true, value: undefined } as const;
  const nobody = () => {};
  let answer: (result: IteratorResult<T>) => void = nobody;
  let isLastDue = last !== undefined;
  const atSignal = (): IteratorResult<T> => {
    if (!isLastDue) return done;
    isLastDue = false;
    return { done: false, value: last as T };
  };
  const leave = () => {
    signal.removeEventListener("abort", abort);
    return iterator.return?.() ?? Promise.resolve(done);
  };
  const abort = () => {
    // Only who waits at this moment is answered by it.
    const waiting = answer;
    answer = nobody;
    if (waiting !== nobody) waiting(atSignal());
    void leave();
  };
  signal.addEventListener("abort", abort);
  return {
    next: () =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return resolve(atSignal());
        answer = resolve;
        iterator.next().then((result) => {
          if (answer === resolve) answer = nobody;
          resolve(result);
        }, reject);
      }),
    return() {
      isLastDue = false;
      answer(done);
      return leave();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
