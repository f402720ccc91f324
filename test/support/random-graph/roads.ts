/**
 * One gateway on both of its roads: the same snapshot, once with code made at the first question and once with none.
 * Asks both the same, and says where their answers differ.
 */
import { type Graph, openGraph } from "../../../src/api/graph.ts";
import { compose } from "../../../src/gateway/compose/compose.ts";
import { InFlight } from "../../../src/gateway/execute/in-flight.ts";
import { type QuickAnswer, QuickRoad } from "../../../src/gateway/quick/quick-road.ts";
import { remoteExecutor } from "../../../src/gateway/remote/remote-executor.ts";
import { Snapshot } from "../../../src/gateway/snapshot.ts";
import { buildSubgraph } from "../../../src/gateway/subgraph/subgraph.ts";
import { createLog } from "../../../src/log.ts";
import type { RandomOperation } from "./operation.ts";
import type { RandomService } from "./schema.ts";
import { type Behaviour, RandomServer, type Received } from "./serving.ts";

export interface RoadAnswer {
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: of whatever form it is
  readonly body: any;
  readonly requests: readonly Received[];
}

export interface Outcome {
  /** How it was answered: "quick", "left" where something was not as it should be, or why the reference road was taken. */
  readonly road: string;
  readonly quick: RoadAnswer;
  readonly reference: RoadAnswer;
}

const ACCEPT = "application/json";

export class Roads implements Disposable {
  readonly #server = new RandomServer();
  readonly #graphs: Record<"quick" | "reference", Graph>;
  readonly #taken = new WeakMap<object, QuickAnswer>();
  readonly #answer = QuickRoad.prototype.answer;
  #snapshot: Snapshot | undefined;
  #isWarm = false;
  #asked = 0;

  constructor() {
    const [taken, answer] = [this.#taken, this.#answer];
    // Which road a question takes is nowhere to be seen from outside.
    QuickRoad.prototype.answer = async function (this: QuickRoad, snapshot, question) {
      const found = await answer.call(this, snapshot, question);
      const { request } = question.context;
      if (request) taken.set(request, found);
      return found;
    };
    const open = (compileAfter: number) =>
      openGraph({
        snapshot: () => this.snapshot,
        inFlight: new InFlight(),
        road: new QuickRoad(compileAfter),
        log: createLog("silent", "json"),
        stopping: new AbortController().signal,
      });
    this.#graphs = { quick: open(0), reference: open(Number.POSITIVE_INFINITY) };
  }

  get snapshot(): Snapshot {
    if (!this.#snapshot) throw new Error("nothing is served yet");
    return this.#snapshot;
  }

  /** From now on it is the graph of these services. Returns why there is none of all of them, where that is so. */
  async serve(services: readonly RandomService[], behaviour: Behaviour): Promise<string | undefined> {
    const candidates = services.map(({ name, sdl, isFederated, namespace = null }) => {
      const graphqlUrl = `${this.#server.origin}/${name}`;
      const route = () => ({ origin: this.#server.origin, graphqlUrl, headers: [] });
      const executor = remoteExecutor(name, { route, onFailure: () => {} });
      const latest = buildSubgraph({ name, sdl, namespace, isFederated }, executor);
      return { latest, previous: undefined };
    });
    const composition = compose([], candidates);
    for (const [name, { message }] of composition.rejected) return `${name}: ${message}`;
    this.#snapshot = new Snapshot(1, composition);
    this.#server.serve(services, behaviour);
    if (!this.#isWarm) await this.#ask("quick", { query: "{ __typename }", variables: {} });
    this.#isWarm = true;
    return undefined;
  }

  async ask(operation: RandomOperation): Promise<Outcome> {
    const [quick, reference] = await Promise.all([
      this.#ask("quick", operation),
      this.#ask("reference", operation),
    ]);
    const taken = this.#taken.get(quick.request);
    const road = !taken ? "not asked" : "body" in taken ? "quick" : "result" in taken ? "left" : taken.reason;
    return { road, quick: quick.answer, reference: reference.answer };
  }

  async #ask(
    road: "quick" | "reference",
    operation: RandomOperation,
  ): Promise<{ request: Request; answer: RoadAnswer }> {
    const asker = `${road} ${this.#asked++}`;
    const request = new Request("http://localhost/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", accept: ACCEPT, "x-request-id": asker },
      body: JSON.stringify(operation),
    });
    const response = await this.#graphs[road].handle({ request, hops: 0, writeToken: undefined });
    const text = await response.text();
    const requests = this.#server.received.get(asker) ?? [];
    this.#server.received.delete(asker);
    return { request, answer: { text, body: JSON.parse(text), requests } };
  }

  [Symbol.dispose](): void {
    QuickRoad.prototype.answer = this.#answer;
    this.#server[Symbol.dispose]();
  }
}
