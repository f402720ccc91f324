/**
 * A service as JSON, under REST's names. Services and instances are never changed but replaced, so each is written
 * once, however often it is asked for. Knows views; nothing of who asks.
 */
import type { Instance, Service } from "../registry/service.ts";
import { instanceView, restView } from "./views.ts";

const services = new WeakMap<Service, string>();
const instances = new WeakMap<Instance, string>();

export function serviceText(service: Service): string {
  return kept(services, service, () => {
    const begin = JSON.stringify(restView(service)).slice(0, -1);
    return `${begin},"instances":[${service.instances.map(instanceText).join()}]}`;
  });
}

function instanceText(instance: Instance): string {
  return kept(instances, instance, () => JSON.stringify(instanceView(instance)));
}

function kept<T extends object>(texts: WeakMap<T, string>, key: T, write: () => string): string {
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = write();
  texts.set(key, text);
  return text;
}
