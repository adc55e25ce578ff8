/** What a process uses, from /proc. Linux only. */
import { readFile } from "node:fs/promises";

/** USER_HZ, the same on every Linux that Node runs on. */
const CLOCK_TICKS_PER_SEC = 100;

/** Resident memory. */
export async function rssBytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** User and system time so far, of all threads. */
export async function cpuSecOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field, in parentheses, may hold anything; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SEC;
}
