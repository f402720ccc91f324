/**
 * Which subgraph is asked where several could be: the one that has most of what is wanted, so that few are asked.
 * Knows what can be had from where; plans nothing.
 */
import { namedTypeOf } from "./join-directives.ts";
import type { Jump, Origin, Reach, View } from "./reach.ts";
import { type Context, requirementOf, type Spot } from "./spot.ts";
import type { Want, Wants } from "./wants.ts";

export class Preference {
  readonly #reach: Reach;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  /** Those first that are had from the subgraph that most of them are had from, so that the others find it asked. */
  byCoverage(spot: Spot, wants: readonly Want[]): readonly Want[] {
    if (wants.length < 2) return wants;
    const covered = new Map<string, number>();
    const view = viewOf(spot);
    const graphs = wants.map((want) => this.#reach.jumps(view, want.name).map(({ graph }) => graph));
    for (const names of graphs)
      for (const graph of new Set(names)) covered.set(graph, (covered.get(graph) ?? 0) + 1);
    const score = (names: readonly string[]) => Math.max(0, ...names.map((name) => covered.get(name) ?? 0));
    return wants
      .map((want, i) => ({ want, score: score(graphs[i] ?? []), choices: graphs[i]?.length ?? 0 }))
      .sort((a, b) => a.choices - b.choices || b.score - a.score)
      .map(({ want }) => want);
  }

  /** The context that has the field and most of what is wanted right below it. */
  local(spot: Spot, want: Want, asked?: ReadonlySet<Context>): Context | undefined {
    let best: { context: Context; score: number } | undefined;
    for (const context of spot.contexts) {
      if (asked?.has(context)) continue;
      const score = this.#score(context, want);
      if (score !== undefined && score > (best?.score ?? -1)) best = { context, score };
    }
    return best?.context;
  }

  /** How many of the fields wanted below are had there too; undefined where the field itself is not. */
  #score(origin: Origin, { name, below }: Want): number | undefined {
    const source = this.#reach.local(origin, name);
    if (!source) return undefined;
    if (!below) return 0;
    const { graph } = origin;
    const provided = this.#reach.providedBelow(origin, name, source);
    let score = 0;
    for (const branch of this.#reach.typesBelow(graph, namedTypeOf(source.type))) {
      for (const want of below.of(branch).values()) {
        const deeper = this.#score({ graph, branch, provided, requires: "" }, want);
        if (deeper !== undefined) score += 1 + deeper;
      }
    }
    return score;
  }

  /** The cheapest way to a further subgraph that has the field; of several the one that has most of what is below. */
  jump(spot: Spot, want: Want, asked: ReadonlySet<Context>): Jump | undefined {
    const tried = new Set([...asked].map(({ graph, requires }) => `${graph} ${requires}`));
    const jumps = this.#reach
      .jumps(viewOf(spot), want.name)
      .filter(({ graph, source }) => !tried.has(`${graph} ${requirementOf(source.requires)}`))
      // Root fields are had at the root only.
      .filter(({ key }) => key !== undefined || spot.path.length === 0);
    const [cheapest] = jumps;
    if (!cheapest) return undefined;
    const even = jumps.filter(({ cost }) => cost === cheapest.cost);
    const score = ({ graph, typename, source }: Jump) => {
      const origin = { graph, branch: typename, provided: [], requires: requirementOf(source.requires) };
      return this.#score(origin, want) ?? 0;
    };
    return even.reduce((a, b) => (score(b) > score(a) ? b : a));
  }

  /** What was asked of an abstract type and cannot be had for all its types from here: the subgraph is no way to it. */
  barred(
    branches: readonly string[],
    below: Wants,
    originOf: (branch: string) => Origin,
  ): ReadonlySet<string> {
    const barred = new Set<string>();
    for (const type of branches) {
      const origin = originOf(type);
      for (const { key, name, isOfAbstract } of below.of(type).values()) {
        if (!isOfAbstract || name === "__typename" || this.#reach.local(origin, name)) continue;
        if (this.#reach.jumps({ type, origins: [origin] }, name).length === 0) barred.add(key);
      }
    }
    return barred;
  }
}

/** The spot's objects, and who has been asked for them. */
export function viewOf({ type, contexts }: Spot): View {
  return { type, origins: contexts };
}
