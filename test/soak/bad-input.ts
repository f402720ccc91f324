/** Requests that have to be refused, each with the status that it is refused with; and readings of long answers. */
import type { Activity } from "./activity.ts";
import type { Client } from "./client.ts";
import type { Stage } from "./stage.ts";

export function badInput({ bobbin }: Stage, client: Client): Activity[] {
  const { gateway, registry, core } = bobbin.urls;
  const json = { "content-type": "application/json" };
  const wrong: readonly (() => Promise<unknown>)[] = [
    () => client.text(`${registry}/nothing-${Math.random()}`, [404]),
    () => client.text(`${gateway}/plugins/none-${Math.random()}/x`, [404]),
    () => client.text(`${registry}/services/unknown-${Math.random()}`, [404]),
    () => client.post(`${registry}/register`, `{"serviceName": "x${Math.random()}"`, [400]),
    () =>
      client.post(`${registry}/register`, { serviceName: `UPPER${Math.random()}`, url: "http://a" }, [422]),
    () => client.post(`${registry}/register`, { serviceName: "core", url: "http://127.0.0.1:9" }, [409]),
    () => client.post(`${registry}/register`, "x".repeat(1_100_000), [413]),
    () => client.text(`${registry}/register`, [415], { method: "POST", body: "a=b" }),
    () => client.text(`${registry}/register`, [405], { method: "PUT", headers: json, body: "{}" }),
    () =>
      client.text(`${registry}/register`, [403], {
        method: "POST",
        headers: { ...json, origin: "http://elsewhere.example" },
        body: "{}",
      }),
    () =>
      client.post(
        `${gateway}/graphql`,
        { query: `{ unknown${Math.random().toString(36).slice(2)} }` },
        [200, 400],
      ),
    () => client.post(`${gateway}/graphql`, { query: `{ ${"{".repeat(50)}` }, [200, 400]),
    () => client.post(`${gateway}/graphql`, { nothing: Math.random() }, [400]),
    () =>
      client.post(`${core}/graphql`, { query: 'mutation { unregisterService(name: "none") { id } }' }, [200]),
  ];
  const long = [
    `${registry}/services`,
    `${gateway}/gateway/services`,
    `${gateway}/gateway/schema`,
    `${gateway}/metrics`,
  ];
  let [next, read] = [0, 0];
  return [
    { name: "bad input", everyMs: 200, act: () => wrong[next++ % wrong.length]!() },
    { name: "reading", everyMs: 500, act: () => client.text(long[read++ % long.length]!, [200]) },
    { name: "health", everyMs: 2_000, act: () => client.text(`${gateway}/gateway/health`, [200, 503]) },
  ];
}
