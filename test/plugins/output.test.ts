/** What a plugin writes past its log. */
import { expect, test } from "bun:test";
import { graphql, until } from "../support/client.ts";
import { plugin, startWith } from "./beside-bystander.ts";

for (const isolation of ["worker", "process"] as const) {
  test(`what is written past the console is a line with the plugin's name: ${isolation}`, async () => {
    const text = '{ "msg": "hello" }';
    const say = `String(process.stdout.write('${text}\\n'))`;
    await using bobbin = await startWith({ a: plugin("say: String", `say: () => ${say}`, isolation) });
    await graphql(bobbin.urls.gateway, "{ say }");
    const line = await until(
      () => bobbin.lines.find(({ msg }) => msg === text),
      (found) => found !== undefined,
    );
    expect(line).toMatchObject({ plugin: "a", level: "info" });
    expect(bobbin.lines).not.toContainEqual(expect.objectContaining({ msg: "hello" }));
  });
}
