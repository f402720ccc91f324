/** Both roads tell one truth: random operations over random services, right and wrong ones, answered by each. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Finding, MODES, type Mode, RandomGraph } from "../support/random-graph/case.ts";
import { Roads } from "../support/random-graph/roads.ts";

const GRAPHS = 2;
const OPERATIONS = 14;

const LEAST_COUNTED = 9;

let roads: Roads;
beforeAll(() => {
  roads = new Roads();
});
afterAll(() => roads[Symbol.dispose]());

/** A comparison of the reference road with itself says nothing: so much has to begin on the quick one, at least … */
const LEAST_COMPILED = 0.8;
/** … and, where nothing is wrong, to end there. */
const LEAST_QUICK = 0.8;

/** Of graphs with what is not compiled: of their questions it does not count which take another road. */
const NEVER_COMPILED = new Set(["stitched services", "interface object", "one position of several services"]);

for (const mode of Object.keys(MODES) as Mode[]) {
  test(`both roads give the same answer, and code is what gives it: ${mode}`, async () => {
    const findings: Finding[] = [];
    for (let g = 0; g < GRAPHS; g++) {
      const graph = new RandomGraph(roads, `${mode} ${g}`, mode);
      expect(await graph.serve()).toBeUndefined();
      for (let i = 0; i < OPERATIONS; i++) findings.push(await graph.ask(i));
    }
    const wrong = findings.filter(({ problems }) => problems.length > 0);
    expect(wrong.map(({ seed, operation, problems }) => ({ seed, ...operation, problems }))).toEqual([]);
    const counted = findings.filter(({ outcome }) => !NEVER_COMPILED.has(outcome.road));
    expect(counted.length).toBeGreaterThan(LEAST_COUNTED);
    const share = (isIt: (road: string) => boolean) =>
      counted.filter(({ outcome }) => isIt(outcome.road)).length / counted.length;
    expect(share((road) => road === "quick" || road === "left")).toBeGreaterThan(LEAST_COMPILED);
    if (mode === "well") expect(share((road) => road === "quick")).toBeGreaterThan(LEAST_QUICK);
  });
}
