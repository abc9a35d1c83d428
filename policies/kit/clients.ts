import { containerPort, isSelected, mountedFiles, services, type Service } from "./pipeline";
import type { Resource } from "./policy";
import { at, items, text, yaml } from "./values";
import { workloads, type Workload } from "./workloads";

/** One part that knows the address of another: found in its arguments and in the files that it mounts. */
export interface Client {
  readonly client: Workload;
  readonly service: Service;
  readonly server: Workload;
  /** Container port behind the Service's. */
  readonly port: number;
}

/** `<service>.<namespace>.svc`, with the port where there is one. */
const ADDRESS = /\b([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.[a-z0-9-]+\.svc(?:\.[a-z0-9.-]+?)?(?::(\d+))?(?![a-z0-9-])/g;

interface Address {
  readonly host: string;
  readonly port: number | undefined;
}

function addresses(content: string): readonly Address[] {
  return [...content.matchAll(ADDRESS)].map(([, host = "", port]) => ({
    host,
    port: port === undefined ? undefined : Number(port),
  }));
}

/** A DNS lookup of Prometheus writes the port apart from the name. */
function lookedUp(content: string): readonly Address[] {
  return items(at(yaml(content), "scrape_configs"))
    .flatMap((job) => items(at(job, "dns_sd_configs")))
    .flatMap((lookup) => {
      const port = at(lookup, "port");
      return items(at(lookup, "names")).flatMap((name) =>
        addresses(String(name)).map(({ host }) => ({ host, port: typeof port === "number" ? port : undefined })),
      );
    });
}

function known(resources: readonly Resource[], workload: Workload): readonly Address[] {
  const files = mountedFiles(resources, workload).filter(({ file }) => !file.endsWith(".cjs"));
  return [
    ...workload.containers.flatMap(({ args, value }) => [
      // An address that others get to see is no connection.
      ...args.filter((arg) => !/^--(web\.external-url|alert\.query-url)=/.test(arg)).flatMap(addresses),
      ...items(at(value, "env")).flatMap((variable) => addresses(text(at(variable, "value")) ?? "")),
    ]),
    ...files.flatMap(({ content }) => {
      const looked = lookedUp(content);
      // The name of a lookup stands without its port in the text.
      const isLookup = ({ host, port }: Address) => port === undefined && looked.some((each) => each.host === host);
      return [...addresses(content).filter((each) => !isLookup(each)), ...looked];
    }),
  ];
}

/** Who has the address of which Service in its configuration, and which container port is behind it. */
export function clients(resources: readonly Resource[]): readonly Client[] {
  const all = workloads(resources);
  const found = new Map<string, Client>();
  for (const client of all) {
    for (const { host, port } of known(resources, client)) {
      for (const service of services(resources).filter(({ name }) => name === host)) {
        for (const server of all.filter((each) => isSelected(each, service.selector))) {
          for (const each of service.ports.filter((one) => port === undefined || one.port === port)) {
            const target = containerPort(server, each.target);
            if (target === undefined) continue;
            const key = [client.resource.urn, service.name, server.resource.urn, target].join();
            found.set(key, { client, service, server, port: target });
          }
        }
      }
    }
  }
  return [...found.values()];
}
