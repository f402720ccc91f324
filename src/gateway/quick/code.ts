/**
 * JavaScript that is being written: declarations in their order, each made once. Knows nothing of what they are for.
 */

/** A property's access; GraphQL's names are all names of JavaScript's too. */
export const member = (object: string, name: string) => `${object}.${name}`;
export const literal = (value: string) => JSON.stringify(value);

export class Code {
  readonly #declarations: string[] = [];
  readonly #known = new Map<string, string>();
  readonly #constants: unknown[] = [];
  #names = 0;
  #length = 0;

  /** Declares a function, of which `text` is the parameters and the body; the same text is declared once. */
  declare(text: string): string {
    const known = this.#known.get(text);
    if (known) return known;
    const name = this.name("f");
    this.#known.set(text, name);
    this.#declarations.push(`function ${name}${text}`);
    this.#length += text.length;
    return name;
  }

  /** Of what was declared. */
  get length(): number {
    return this.#length;
  }

  /** Declares a regular expression that is tried where its `lastIndex` is. */
  pattern(source: string): string {
    const known = this.#known.get(source);
    if (known) return known;
    const name = this.name("R");
    this.#known.set(source, name);
    this.#declarations.push(`const ${name}=/${source}/y;`);
    this.#length += source.length;
    return name;
  }

  /** Declares a variable that functions share while they run. */
  variable(name: string): void {
    if (this.#known.has(name)) return;
    this.#known.set(name, name);
    this.#declarations.push(`let ${name};`);
  }

  /** A value that the code is given. */
  constant(value: unknown): string {
    const at = this.#constants.push(value) - 1;
    return `C[${at}]`;
  }

  name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  /** Evaluates `result` after the declarations, with `given` in scope. */
  evaluate<T>(result: string, given: Readonly<Record<string, unknown>>): T {
    const names = [...Object.keys(given), "C"];
    const text = `"use strict";\n${this.#declarations.join("\n")}\nreturn ${result};`;
    return new Function(...names, text)(...Object.values(given), this.#constants) as T;
  }
}
