/**
 * Composing federated services in a thread of its own: the thread's entry. SDLs in, a supergraph's definitions or a
 * reason out. Knows messages; composing is compose-supergraph.ts's.
 */
import { type DocumentNode, parse } from "graphql";
import { toBobbinError } from "../../errors.ts";
import { composeSupergraph } from "./compose-supergraph.ts";
import type { Answer, Job } from "./composing-thread.ts";
import { textsOf } from "./definitions.ts";

declare const self: Worker;

/** The documents of the last job, by service: most of them come again. */
let documents = new Map<string, { sdl: string; document: DocumentNode }>();

self.onmessage = ({ data }: MessageEvent<Job>) => {
  self.postMessage(answer(data));
};

function answer({ id, services }: Job): Answer {
  try {
    const known = documents;
    documents = new Map(
      services.map(({ name, sdl }) => {
        const before = known.get(name);
        return [name, before?.sdl === sdl ? before : { sdl, document: parse(sdl, { noLocation: true }) }];
      }),
    );
    const named = services.map(({ name }) => ({
      name,
      document: (documents.get(name) as { document: DocumentNode }).document,
    }));
    const { supergraph, open } = composeSupergraph(named);
    return { id, supergraph: textsOf(supergraph), open: textsOf(open) };
  } catch (error) {
    const { code, message } = toBobbinError(error);
    return { id, code, message };
  }
}
