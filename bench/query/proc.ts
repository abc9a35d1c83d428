/** What Linux knows of a process: CPU time, memory, bytes read and written. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** Microscopic clock of /proc/<pid>/stat: ticks per second, fixed by the kernel's interface to programs. */
const TICKS = 100;

/** CPU seconds of a /proc/<pid>/stat line. The name in parentheses may hold blanks and parentheses. */
export function cpuOfStat(line: string): number {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/**
 * CPU seconds of a process since its start: the threads' own clocks (nanoseconds) where the kernel has them, else
 * ticks of 10 ms.
 */
export function cpuSeconds(pid: number): number {
  const folder = `/proc/${String(pid)}`;
  try {
    let nanoseconds = 0;
    for (const thread of readdirSync(`${folder}/task`)) {
      nanoseconds += Number(readFileSync(`${folder}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    }
    return nanoseconds / 1e9;
  } catch {
    return cpuOfStat(readFileSync(`${folder}/stat`, "utf8"));
  }
}

function numberIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
}

/** Bytes that the process took from files, pipes and sockets by read(2); Go reads its connections that way. */
export function bytesRead(pid: number): number {
  return numberIn(readFileSync(`/proc/${String(pid)}/io`, "utf8"), "rchar");
}

/** Most memory since `resetPeak`, bytes; mapped blocks count as far as they are in memory. */
export function peakMemory(pid: number): number {
  return numberIn(readFileSync(`/proc/${String(pid)}/status`, "utf8"), "VmHWM") * 1_024;
}

/** Forgets the highest memory so far; without the right to do so the peak is that since the start. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${String(pid)}/clear_refs`, "5");
  } catch {
    // Nothing depends on it but the column's meaning.
  }
}
