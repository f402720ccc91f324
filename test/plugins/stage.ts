/**
 * A bobbin with plugins whose code a test can hold up and hear of: they wait at the test's gates and leave it notes,
 * over HTTP, so that it is the same in a thread, in a process and in this one.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Isolation } from "../../src/plugins/define-plugin.ts";
import {
  type RunningBinary,
  type StartOptions,
  startApp,
  startBinary,
  type TestApp,
  tempFolder,
} from "../support/app.ts";
import { type GraphQLAnswer, get, graphql, post, type RestAnswer, until } from "../support/client.ts";
import { writeFiles } from "../support/files.ts";

export const ISOLATIONS: readonly Isolation[] = process.env.TEST_FULL
  ? ["worker", "inline", "process"]
  : ["worker"];

/** Where plugins of a test wait, and where they tell what they do. */
export interface Prompter extends AsyncDisposable {
  /** What was told so far, in order. */
  readonly notes: readonly string[];
  /** Code that a plugin's file begins with: `note(text)` and `gate(name)`. */
  readonly prelude: string;
  /** Whether somebody waits at the gate. */
  isWaiting(gate: string): boolean;
  /** Lets through who waits at the gate, and who comes later. */
  open(gate: string): void;
}

export function startPrompter(): Prompter {
  const notes: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void> & { isWaiting: boolean }>();
  const gateOf = (name: string) => {
    const gate = gates.get(name) ?? { ...Promise.withResolvers<void>(), isWaiting: false };
    gates.set(name, gate);
    return gate;
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const pathname = decodeURIComponent(new URL(request.url).pathname);
      if (pathname === "/note") notes.push(await request.text());
      else {
        const gate = gateOf(pathname);
        gate.isWaiting = true;
        await gate.promise;
      }
      return new Response("go on");
    },
  });
  return {
    notes,
    prelude: `
      import { definePlugin } from "bobbin";
      const prompter = "http://127.0.0.1:${server.port}/";
      const note = (text) => fetch(prompter + "note", { method: "POST", body: text }).then(() => {}, () => {});
      const gate = async (name) => void (await fetch(prompter + name));`,
    isWaiting: (name) => gateOf(`/${name}`).isWaiting,
    open: (name) => gateOf(`/${name}`).resolve(),
    async [Symbol.asyncDispose]() {
      for (const { resolve } of gates.values()) resolve();
      await server.stop(true);
    },
  };
}

export interface Stage extends TestApp, Prompter {
  /**
   * Writes a plugin, `<path>`: the definition's fields but `version` and `isolation`, and code before it. Inline, which
   * is the quickest, where it makes no difference.
   */
  save(path: string, fields: string, isolation?: Isolation, before?: string): Promise<void>;
  /** Writes any file of the plugin folder. */
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  ask(query: string, headers?: Record<string, string>): Promise<GraphQLAnswer>;
  /** Returns when the graph answers the query without an error, with this data. */
  untilAnswers(query: string, data: object): Promise<void>;
  /** Returns when the graph does not know the field. */
  untilUnknown(field: string): Promise<void>;
  untilNoted(...notes: string[]): Promise<void>;
  /** What GET /plugins tells of the plugin in this file. */
  view(path: string): Promise<Record<string, unknown> | undefined>;
  /** Returns the view when it is so. */
  untilView(path: string, isIt: (view: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  /** Does something with a plugin: reload, enable, disable. */
  action(name: string, what: string, headers?: Record<string, string>): Promise<RestAnswer>;
  /** What the registry tells of a service. */
  registered(name: string): Promise<RestAnswer>;
  /** Ends bobbin in order; the plugins can still leave notes. */
  endApp(): Promise<void>;
  /** What it logged so far; of the binary only. */
  readonly lines: readonly Record<string, unknown>[];
}

interface StageOptions {
  config?: StartOptions["config"];
  /** Files of the plugin folder that are there before it starts. */
  files?: (prompter: Prompter) => Readonly<Record<string, string>>;
  /** A folder that outlives the stage, to start again in. */
  folder?: string;
  /** The compiled binary, whose threads and processes start faster than those from source; `env` configures it. */
  binary?: boolean;
  env?: Record<string, string>;
}

export async function startStage({
  config = {},
  files,
  folder,
  binary,
  env,
}: StageOptions = {}): Promise<Stage> {
  const own = folder === undefined ? await tempFolder() : undefined;
  const path = folder ?? own?.path ?? "";
  const prompter = startPrompter();
  if (files) await writeFiles(join(path, "plugins"), files(prompter));
  const app = binary
    ? await startBinary({ folder: path, ...(env ? { env } : {}) })
    : await startApp({ folder: path, config });
  return stageOf(app, prompter, async () => {
    // First the gates: a plugin that waits would keep bobbin waiting.
    await prompter[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
    await own?.[Symbol.asyncDispose]();
  });
}

function stageOf(app: TestApp | RunningBinary, prompter: Prompter, dispose: () => Promise<void>): Stage {
  const { gateway, registry } = app.urls;
  const file = (path: string) => join(app.folder, "plugins", path);
  const ask: Stage["ask"] = (query, headers) => graphql(gateway, query, undefined, headers);
  const view: Stage["view"] = async (path) => {
    const { body } = await get(`${gateway}/plugins`);
    return body.plugins.find((plugin: { file: string }) => `/${plugin.file}`.endsWith(`/plugins/${path}`));
  };
  return {
    ...app,
    ...prompter,
    lines: "lines" in app ? app.lines : [],
    async endApp() {
      if ("stop" in app) await app.stop();
      else await app[Symbol.asyncDispose]();
    },
    ask,
    view,
    async save(path, fields, isolation = "inline", before = "") {
      await Bun.write(file(path), codeOf(prompter, fields, isolation, before));
    },
    async write(path, text) {
      await Bun.write(file(path), text);
    },
    remove: (path) => rm(file(path), { recursive: true }),
    async untilAnswers(query, data) {
      await until(
        () => ask(query),
        (answer) => !answer.errors && Bun.deepEquals(answer.data, data),
      );
    },
    async untilUnknown(field) {
      await until(
        () => ask(`{ ${field} }`),
        ({ errors }) => errors?.[0]?.extensions?.code === "GRAPHQL_VALIDATION_FAILED",
      );
    },
    async untilNoted(...notes) {
      await until(
        () => prompter.notes,
        (all) => notes.every((each) => all.includes(each)),
      );
    },
    async untilView(path, isIt) {
      return (await until(
        () => view(path),
        (found) => found !== undefined && isIt(found),
      ))!;
    },
    action: (name, what, headers) => post(`${gateway}/plugins/${name}/${what}`, {}, headers),
    registered: (name) => get(`${registry}/services/${name}`),
    [Symbol.asyncDispose]: dispose,
  };
}

/** A plugin's file. */
export function codeOf(
  { prelude }: Prompter,
  fields: string,
  isolation: Isolation = "inline",
  before = "",
): string {
  return `${prelude}
${before}
export default definePlugin({ version: "1.0.0", isolation: "${isolation}", ${fields} });
`;
}
