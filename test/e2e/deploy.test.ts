/**
 * The files in src/deploy, as far as they can be checked without the systems that they are for: the image's steps are
 * carried out by hand, the unit goes to systemd-analyze where that is, the manifest is held against what is served.
 */
import { expect, test } from "bun:test";
import { chmod, chown, cp, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { TARGETS } from "../../src/build/targets.ts";
import { BINARY, startBinary, tempFolder } from "../support/app.ts";
import { get } from "../support/client.ts";
import { toItsEnd } from "../support/command.ts";

const DEPLOY = resolve(import.meta.dir, "../../src/deploy");
/** The user "nonroot" of distroless images. */
const NONROOT = 65532;
const isRoot = process.getuid?.() === 0;

/** The instructions of the last stage, in their order. */
async function imageSteps(): Promise<{ name: string; rest: string }[]> {
  const text = await Bun.file(join(DEPLOY, "Dockerfile")).text();
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const steps = lines.map((line) => {
    const [name = "", ...rest] = line.split(" ");
    return { name, rest: rest.join(" ") };
  });
  return steps.slice(steps.findLastIndex(({ name }) => name === "FROM"));
}

test("the image's steps give a bobbin that is well, as a user with no rights and by no shell", async () => {
  const steps = await imageSteps();
  const all = (name: string) => steps.filter((step) => step.name === name).map(({ rest }) => rest);
  const [from] = all("FROM");
  expect(from).toEndWith(":nonroot");
  expect(all("USER")).toEqual(["nonroot"]);
  await using root = await tempFolder();
  const inImage = (path: string) => join(root.path, path);
  const binary = inImage((JSON.parse(all("ENTRYPOINT")[0] as string) as string[])[0] as string);
  await mkdir(inImage("usr/local/bin"), { recursive: true });
  await cp(BINARY, binary);
  await chmod(binary, 0o755);
  const [data] = all("WORKDIR");
  const folder = inImage(data as string);
  await mkdir(folder);
  await chmod(root.path, 0o755);
  if (isRoot) await chown(folder, NONROOT, NONROOT);
  const env: Record<string, string> = { JWT_SECRET: "a secret of at least thirty-two letters" };
  for (const line of all("ENV")) {
    const [name = "", value = ""] = line.split("=");
    env[name] = value.replace(data as string, folder);
  }
  const user = isRoot ? NONROOT : undefined;
  await using bobbin = await startBinary({ binary, folder, env, user });
  const [check = ""] = all("HEALTHCHECK");
  const [, ...args] = JSON.parse(check.slice(check.indexOf("["))) as string[];
  const ports = {
    GATEWAY_PORT: new URL(bobbin.urls.gateway).port,
    SERVICE_REGISTRY_PORT: new URL(bobbin.urls.registry).port,
  };
  const well = async () => {
    const { status, stderr } = await toItsEnd([binary, ...args], { folder, env: { ...env, ...ports } });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  };
  await well();
  // What a person takes out of traffic is no reason to start the container again, not even the core.
  const core = ["maintenance", "on", "core", "--core", bobbin.urls.core];
  expect((await toItsEnd([binary, ...core], { folder, env })).status).toBe(0);
  await well();
  expect(await bobbin.stop("SIGTERM")).toBe(0);
  expect(await Bun.file(join(folder, "bobbin.db")).exists()).toBe(true);
});

test("the image is made of binaries that the release has", async () => {
  const text = await Bun.file(join(DEPLOY, "Dockerfile")).text();
  const copied = [...text.matchAll(/^COPY dist\/release\/(\S+)/gm)].map(([, name]) => name);
  const released = TARGETS.map(({ name, suffix }) => `bobbin-${name}${suffix}`);
  expect(copied).toHaveLength(2);
  expect(released).toContainEqual(copied[0] as string);
  expect(released).toContainEqual(copied[1] as string);
});

test.skipIf(!Bun.which("systemd-analyze"))("systemd takes the unit and finds it well closed", async () => {
  const unit = join(DEPLOY, "bobbin.service");
  const verified = await toItsEnd(["systemd-analyze", "verify", unit]);
  const complaints = verified.stderr
    .split("\n")
    .filter((line) => line !== "" && !line.includes("/usr/local/bin/bobbin is not executable"));
  expect(complaints).toEqual([]);
  const rated = await toItsEnd(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit]);
  expect(rated.status).toBe(0);
});

test("the manifest asks for what bobbin serves, and gives it nothing that it does not need", async () => {
  // biome-ignore lint/suspicious/noExplicitAny: a manifest has no type here
  const documents = Bun.YAML.parse(await Bun.file(join(DEPLOY, "kubernetes.yaml")).text()) as any[];
  const [service, set] = documents;
  const { containers, securityContext } = set.spec.template.spec;
  const [container] = containers;
  const ports = new Map(container.ports.map((port: { name: string }) => [port.name, port]));
  for (const port of service.spec.ports)
    expect(ports.get(port.targetPort)).toEqual({ name: port.targetPort, containerPort: port.port });
  expect(service.spec.selector).toEqual(set.spec.template.metadata.labels);
  expect(set.spec.replicas).toBe(1);
  expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: NONROOT });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  await using bobbin = await startBinary();
  for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) {
    const { path, port } = container[probe].httpGet;
    expect(port).toBe("gateway");
    expect((await get(`${bobbin.urls.gateway}${path}`)).status).toBe(200);
  }
});
