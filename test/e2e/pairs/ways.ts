import { NAMES, PORTS } from "../../../model/names";
import { PortForward } from "../../../tools/port-forward";
import { PrometheusApi, type PrometheusApiOptions } from "../../../tools/prometheus-api";
import { stack } from "./world";

/** What asks: through the frontend, and a root beside it. */
export interface Ways {
  readonly frontend: PrometheusApi;
  readonly root: PrometheusApi;
}

/** Opens both ways for as long as `use` takes. */
export async function withWays<T>(use: (ways: Ways) => Promise<T>, options: PrometheusApiOptions = {}): Promise<T> {
  const open = (resource: string, remotePort: number) =>
    PortForward.open({ target: { namespace: stack }, resource, remotePort });
  const [query, root] = [
    await open(`service/${NAMES.query}`, PORTS.query),
    await open(`deployment/${NAMES.querier}`, PORTS.thanosHttp),
  ];
  try {
    return await use({ frontend: new PrometheusApi(query.url, options), root: new PrometheusApi(root.url, options) });
  } finally {
    await query.close();
    await root.close();
  }
}
