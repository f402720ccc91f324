/**
 * A long list as GraphQL's executor takes it without holding up other requests: promises that come true some at a
 * time, so that the executor completes some of them in each turn. Knows nothing of what they are.
 */
import { nextTurn } from "./turns.ts";

/** How much is completed in one turn. */
const WEIGHT_A_TURN = 300;

/** `weightOf`: how much there is to complete of an item; that of a short list is taken as it is. */
export function paced<T, V>(
  items: readonly T[],
  weightOf: (item: T) => number,
  viewOf: (item: T) => V,
): (V | Promise<V>)[] {
  const weight = items.reduce((sum, item) => sum + weightOf(item), 0);
  if (weight <= WEIGHT_A_TURN) return items.map(viewOf);
  const waiting = items.map((item) => ({ item, ...Promise.withResolvers<V>() }));
  void (async () => {
    let left = WEIGHT_A_TURN;
    for (const { item, resolve, reject } of waiting) {
      if (left <= 0) {
        await nextTurn();
        left = WEIGHT_A_TURN;
      }
      left -= weightOf(item);
      try {
        resolve(viewOf(item));
      } catch (error) {
        reject(error);
      }
    }
  })();
  return waiting.map(({ promise }) => promise);
}
