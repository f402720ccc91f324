/**
 * JSON as it was written, with line ends and indentation: numbers stay as they are, however long. Pure.
 * Knows the form of JSON; nothing of what it says.
 */

const INDENT = "  ";

/** `json` has to be well-formed. */
export function formatted(json: string): string {
  let depth = 0;
  let out = "";
  const line = () => `\n${INDENT.repeat(depth)}`;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\]:,]|[^\s{}[\]:,"]+/g)) {
    if (token === "{" || token === "[") {
      depth += 1;
      out += token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      out += line() + token;
    } else if (token === ",") out += token + line();
    else if (token === ":") out += ": ";
    else out += /^[{[]/.test(token) ? token.replace(/\s+/g, "") : token;
  }
  return out;
}
