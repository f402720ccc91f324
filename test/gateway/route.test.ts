/** Which instance gets a service's requests, and what clients are told where none does. */
import { expect, test } from "bun:test";
import { BobbinError } from "../../src/errors.ts";
import { routeOf } from "../../src/gateway/remote/route.ts";
import { register } from "../../src/registry/registration.ts";
import type { Health, Service } from "../../src/registry/service.ts";

/** A service with one instance of each health, at http://one:1, http://two:1 and so on. */
function withInstances(...healths: Health[]): Service {
  let service: Service | undefined;
  for (const [i, health] of healths.entries()) {
    const url = `http://${["one", "two", "three"][i]}:1`;
    service = register(service, { name: "a", url, door: "GRAPHQL", source: "REMOTE", health }, 0);
  }
  return service as Service;
}

const origin = (service: Service) => {
  const route = routeOf("a", service);
  return route instanceof BobbinError ? route.code : route.origin;
};

test("requests go to the first healthy instance, and to a failing one only where none is healthy", () => {
  expect(origin(withInstances("HEALTHY", "HEALTHY"))).toBe("http://one:1");
  expect(origin(withInstances("FAILING", "UNKNOWN", "HEALTHY"))).toBe("http://three:1");
  expect(origin(withInstances("UNHEALTHY", "FAILING"))).toBe("http://two:1");
  expect(origin(withInstances("UNHEALTHY", "UNHEALTHY"))).toBe("SERVICE_UNAVAILABLE");
});

test("why a service gets no requests is not told to clients with its private URLs", () => {
  const service = withInstances("UNHEALTHY");
  const down = { ...service, statusReason: "http://private:1/health answered 500" };
  expect((routeOf("a", down) as BobbinError).message).toBe("a gets no requests, because it is INACTIVE.");
});
