/**
 * The gateway that most would write for the market: graphql-yoga and graphql-tools' stitching, with merged types,
 * batched requests, and fetch. A process of its own, started with the services' URLs.
 */
import { stitchSchemas } from "@graphql-tools/stitch";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import type { AsyncExecutor } from "@graphql-tools/utils";
import { buildSchema, print } from "graphql";
import { createYoga } from "graphql-yoga";
import { DIRECTIVES, SDLS, type ServiceName, type Urls } from "./market.ts";

const urls = JSON.parse(process.argv[2] ?? "") as Urls;

const executorOf =
  (url: string): AsyncExecutor =>
  async ({ document, variables }) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query: print(document), variables }),
    });
    return response.json();
  };

const schema = stitchSchemas({
  subschemas: (Object.keys(SDLS) as ServiceName[]).map((name) => ({
    schema: buildSchema(`${DIRECTIVES}\n${SDLS[name]}`),
    executor: executorOf(urls[name]),
    batch: true,
  })),
  subschemaConfigTransforms: [stitchingDirectives().stitchingDirectivesTransformer],
});
const yoga = createYoga({ schema, logging: false });
const { port } = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: yoga.fetch });
process.send?.(port);
