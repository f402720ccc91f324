/** The directives that a plugin need not define are those that the gateway reads. */
import { expect, test } from "bun:test";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { type DirectiveDefinitionNode, parse, print } from "graphql";
import { MERGE_DIRECTIVES } from "../../src/plugins/runner/merge-directives.ts";

/** Name → arguments and places, whatever their order. */
function shapesOf(sdl: string) {
  const nodes = parse(sdl).definitions as DirectiveDefinitionNode[];
  return Object.fromEntries(
    nodes.map(({ name, arguments: args = [], locations }) => [
      name.value,
      [...args.map((arg) => print(arg)), ...locations.map(({ value }) => value)].sort(),
    ]),
  );
}

test("a plugin's merge directives are defined as graphql-tools defines them", () => {
  const { stitchingDirectivesTypeDefs } = stitchingDirectives();
  expect(shapesOf(Object.values(MERGE_DIRECTIVES).join("\n"))).toEqual(shapesOf(stitchingDirectivesTypeDefs));
});
