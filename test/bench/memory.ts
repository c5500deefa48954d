import { readFileSync, writeFileSync } from "node:fs";

function megabytes(pid: number, what: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
}

/** Resident memory in megabytes (proc(5): VmRSS). */
export const residentMegabytes = (pid: number): number => megabytes(pid, "VmRSS");

/** The most that it was since `forgetPeak` (proc(5): VmHWM). */
export const peakMegabytes = (pid: number): number => megabytes(pid, "VmHWM");

/** Has the kernel count anew (proc(5): clear_refs). */
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, "5");
