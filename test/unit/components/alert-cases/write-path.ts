import { hub, prometheus, SHARD, shard, type AlertCase } from "./alert-case";

const pushes = (code: string) => `exporter_pushes_total{job="exporter",instance="e1",code="${code}"}`;

/** Pushes, hubs, and the ring. */
export const WRITE_PATH_CASES: readonly AlertCase[] = [
  {
    alert: "PushesFailing",
    when: "2 of 100 pushes are answered with 503",
    series: { [pushes("200")]: "0+98x20", [pushes("503")]: "0+2x20" },
    minute: 15,
    fires: [{}],
    part: "exporter",
  },
  {
    alert: "PushesFailing",
    when: "nothing is pushed, after failures",
    series: { [pushes("200")]: "98x40", [pushes("503")]: "0+2x4 10x40" },
    minute: 30,
    fires: [],
  },
  {
    alert: "PushesRefused",
    when: "2 of 100 pushes are answered with 400",
    series: { [pushes("200")]: "0+98x60", [pushes("400")]: "0+2x60" },
    minute: 45,
    fires: [{}],
    part: "exporter",
  },
  {
    alert: "PushesRefused",
    when: "1 of 1000 pushes is answered with 400",
    series: { [pushes("200")]: "0+999x60", [pushes("400")]: "0+1x60" },
    minute: 45,
    fires: [],
  },
  {
    alert: "HubUnreachable",
    when: "one of two exporters leaves a hub alone",
    series: {
      [`exporter_hub_up{job="exporter",instance="e1",${SHARD}}`]: "1x10",
      [`exporter_hub_up{job="exporter",instance="e2",${SHARD}}`]: "0x10",
    },
    minute: 5,
    fires: [shard],
    part: "hub",
  },
  {
    alert: "HubUnreachable",
    when: "a hub is back after a minute",
    series: { [`exporter_hub_up{job="exporter",instance="e1",${SHARD}}`]: "1x2 0 1x10" },
    minute: 5,
    fires: [],
  },
  {
    alert: "SamplesFailedOver",
    when: "samples go to other shards for ten minutes",
    series: { [`exporter_failover_samples_total{job="exporter",instance="e1",shard="0"}`]: "0x5 0+100x20" },
    minute: 15,
    fires: [{ shard: "0" }],
    part: "exporter",
  },
  {
    alert: "SamplesFailedOver",
    when: "none do",
    series: { [`exporter_failover_samples_total{job="exporter",instance="e1",shard="0"}`]: "70x30" },
    minute: 15,
    fires: [],
  },
  {
    alert: "HubFilling",
    when: "a hub reaches 90% between scrapes",
    series: { [`hub_size{${hub}}`]: "900 0 0 900 0 0 900 0 0 900 0 0 900 0 0 900", [`hub_limit{${hub}}`]: "1000x20" },
    minute: 12,
    fires: [{ job: "hub", instance: "hub-shard-0-a", ...shard }],
    part: "hub",
  },
  {
    alert: "HubFilling",
    when: "a hub reaches half",
    series: { [`hub_size{${hub}}`]: "500x20", [`hub_limit{${hub}}`]: "1000x20" },
    minute: 12,
    fires: [],
  },
  {
    alert: "HubSamplesLost",
    when: "a second scraper takes half of what the hubs get",
    series: {
      [`exporter_hub_samples_total{job="exporter",instance="e1",${SHARD}}`]: "0+600x60",
      [`exporter_hub_samples_total{job="exporter",instance="e2",${SHARD}}`]: "0+400x60",
      [`prometheus_tsdb_head_samples_appended_total{${prometheus},type="float"}`]: "0+500x60",
    },
    minute: 30,
    fires: [shard],
    part: "hub",
  },
  {
    alert: "HubSamplesLost",
    when: "Prometheus stores what the hub gets, and its own metrics",
    series: {
      [`exporter_hub_samples_total{job="exporter",instance="e1",${SHARD}}`]: "0+1000x60",
      [`prometheus_tsdb_head_samples_appended_total{${prometheus},type="float"}`]: "0+1100x60",
    },
    minute: 30,
    fires: [],
  },
  {
    alert: "RingDisagreement",
    when: "an exporter uses an old ring",
    series: {
      'exporter_ring_info{instance="e1",version="current"}': "1x20",
      'exporter_ring_info{instance="e2",version="old"}': "1x20",
      'exporter_ring_shards{instance="e1"}': "2x20",
      'exporter_ring_shards{instance="e2"}': "1x20",
    },
    minute: 12,
    fires: [{}],
    part: "exporter",
  },
  {
    alert: "RingDisagreement",
    when: "all exporters use the same ring, an old one",
    series: {
      'exporter_ring_info{instance="e1",version="old"}': "1x20",
      'exporter_ring_shards{instance="e1"}': "2x20",
    },
    minute: 12,
    fires: [{}],
    part: "exporter",
  },
  {
    alert: "RingDisagreement",
    when: "a rollout takes 5 minutes",
    series: {
      'exporter_ring_info{instance="e1",version="current"}': "1x20",
      'exporter_ring_info{instance="e2",version="old"}': "1x5 stale",
      'exporter_ring_shards{instance="e1"}': "2x20",
    },
    minute: 15,
    fires: [],
  },
];
