/**
 * A plugin's configuration as its own schema wants it. Pure but for what the schema itself does.
 * Knows the forms that a schema may have; not where the configuration comes from.
 */
import { BobbinError, messageOf } from "../../errors.ts";
import type { PluginDefinition, StandardSchema } from "../define-plugin.ts";

/** What the schema makes of the value. Throws PLUGIN_INVALID with all that is wrong with it. */
export async function checkConfiguration(
  schema: PluginDefinition["config"],
  value: unknown,
  file: string,
): Promise<unknown> {
  if (schema === undefined) return value;
  const problem = (text: string) =>
    new BobbinError("PLUGIN_INVALID", `${file}: the configuration is refused: ${text}`, {
      place: { file },
      step: "config",
    });
  let result: Awaited<ReturnType<StandardSchema["~standard"]["validate"]>>;
  try {
    if (typeof schema === "function" && !("~standard" in schema)) return await schema(value);
    result = await (schema as StandardSchema)["~standard"].validate(value);
  } catch (error) {
    throw problem(messageOf(error));
  }
  if (!result.issues) return result.value;
  throw problem(result.issues.map(({ message, path }) => [pathOf(path), message].join("")).join("; "));
}

function pathOf(path: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined): string {
  if (!path?.length) return "";
  return `${path.map((part) => String(typeof part === "object" ? part.key : part)).join(".")}: `;
}
