/** Metric families of the feed, [service, name]: shaped like what Magma's access gateways report. */

/** Upper bounds of every histogram's buckets, in seconds; +Inf comes on top. */
export const histogramBounds: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

type Families = readonly (readonly [service: string, family: string])[];

export const counterFamilies: Families = [
  ["mme", "ue_attach_total"],
  ["mme", "ue_detach_total"],
  ["mme", "s1_setup_total"],
  ["mme", "initial_context_setup_failure_total"],
  ["sessiond", "session_create_total"],
  ["sessiond", "session_terminate_total"],
  ["sessiond", "ue_reported_usage_bytes_total"],
  ["pipelined", "dp_send_msg_total"],
  ["pipelined", "arp_default_gw_mac_error_total"],
  ["subscriberdb", "s6a_auth_success_total"],
  ["subscriberdb", "s6a_auth_failure_total"],
  ["magmad", "checkin_success_total"],
  ["magmad", "checkin_failure_total"],
  ["enodebd", "enodeb_rpc_total"],
  ["mobilityd", "ip_address_allocated_total"],
  ["eventd", "event_published_total"],
];

export const gaugeFamilies: Families = [
  ["magmad", "cpu_percent"],
  ["magmad", "mem_available_bytes"],
  ["magmad", "disk_percent"],
  ["magmad", "temperature_celsius"],
  ["mme", "ue_registered"],
  ["mme", "enb_connected"],
  ["sessiond", "active_sessions"],
  ["enodebd", "enodeb_gps_connected"],
  ["enodebd", "enodeb_reference_signal_power_dbm"],
  ["mobilityd", "ip_pool_free"],
  ["pipelined", "flow_table_entries"],
];

export const histogramFamilies: Families = [
  ["mme", "attach_duration_seconds"],
  ["sessiond", "create_session_latency_seconds"],
  ["magmad", "checkin_duration_seconds"],
  ["subscriberdb", "auth_latency_seconds"],
];
