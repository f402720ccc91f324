/**
 * Asks both of the gateway's roads random operations over random services and compares the answers:
 * `bun test/fuzz/roads.ts [cases] [seed]`. Prints which road was taken how often, and each difference with all that is
 * needed to see it again. Ends with 1 where there is one.
 */
import { type Finding, MODES, type Mode, RandomGraph } from "../support/random-graph/case.ts";
import { smaller } from "../support/random-graph/rewriting.ts";
import { Roads } from "../support/random-graph/roads.ts";

const [cases = "2000", firstSeed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const PER_GRAPH = 12;
const MOST_SHOWN = 10;
/** A smaller operation that shows a difference is looked for in so many steps. */
const MOST_STEPS = 60;

const modes = Object.keys(MODES) as Mode[];
const counts = new Map<string, Map<string, number>>();
let asked = 0;
let uncomposed = 0;
let differing = 0;

using roads = new Roads();
for (let g = 0; asked < Number(cases); g++) {
  const mode = modes[g % modes.length] as Mode;
  const graph = new RandomGraph(roads, `${Number(firstSeed) + g}`, mode);
  const problem = await graph.serve();
  if (problem !== undefined) {
    uncomposed += 1;
    console.log(`${Number(firstSeed) + g} is no graph: ${problem}`);
    continue;
  }
  for (let i = 0; i < PER_GRAPH && asked < Number(cases); i++) {
    const finding = await graph.ask(i);
    asked += 1;
    const { road } = finding.outcome;
    const byMode = counts.get(road) ?? new Map<string, number>();
    counts.set(road, byMode.set(mode, (byMode.get(mode) ?? 0) + 1));
    if (finding.problems.length === 0) continue;
    differing += 1;
    if (differing <= MOST_SHOWN) show(await minimised(graph, finding));
  }
}

console.table(Object.fromEntries([...counts].map(([road, byMode]) => [road, Object.fromEntries(byMode)])));
console.log({ seed: firstSeed, asked, uncomposed, differing });
process.exit(differing > 0 ? 1 : 0);

async function minimised(graph: RandomGraph, finding: Finding): Promise<Finding> {
  let best = finding;
  for (let step = 0; step < MOST_STEPS; step++) {
    let found: Finding | undefined;
    for (const operation of smaller(roads.snapshot.schema, best.operation)) {
      const checked = await graph.check(operation);
      if (checked.problems.length === 0) continue;
      found = { ...best, operation, ...checked };
      break;
    }
    if (!found) break;
    best = found;
  }
  return best;
}

function show({ seed, mode, services, operation, outcome, problems }: Finding): void {
  const { road, quick, reference } = outcome;
  console.log(`\n=== ${seed} (${mode}, ${road})\n${operation.query}\n${JSON.stringify(operation.variables)}`);
  for (const problem of problems) console.log(`- ${problem}`);
  console.log(`quick:     ${quick.text}\nreference: ${reference.text}`);
  for (const { service, body } of quick.requests) console.log(`quick > ${service} ${body}`);
  for (const { service, body } of reference.requests) console.log(`reference > ${service} ${body}`);
  for (const { name, sdl } of services) console.log(`# ${name}\n${sdl.replace(/\n/g, "\n  ")}`);
}
