import { spawn } from "node:child_process";

import { isErrno } from "../storage/errno.ts";
import { ReloadError } from "./errors.ts";

/** A program and its arguments. */
export type Words = readonly string[];

/** How long a command may take. */
const LIMIT_MS = 30_000;

/** So much of what a command said is told: its end, where the reason stands. */
const TOLD = 2_000;

const WORD = /(?:"[^"]*"|'[^']*'|[^\s"'])+/g;
const QUOTED = /"([^"]*)"|'([^']*)'/g;

/**
 * The words of a command line: split at blanks, quotes keep blanks together. There is no shell, and so no variables, no
 * patterns, no pipes. Undefined where a quote is not closed or there is no word.
 */
export function wordsOf(line: string): Words | undefined {
  const words = line.match(WORD);
  if (words === null || line.replaceAll(WORD, "").trim() !== "") return undefined;
  return words.map((word) =>
    word.replaceAll(QUOTED, (_, double?: string, single?: string) => double ?? single ?? ""),
  );
}

/** How long what a command said may come behind its end. */
const LAST_WORDS_MS = 500;

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

/** Runs a command and waits for its end. Throws ReloadError unless that is exit code 0 in time. */
export function runCommand([program = "", ...args]: Words, limitMs = LIMIT_MS): Promise<void> {
  return new Promise((resolve, reject) => {
    // A group of its own, so that what it started ends with it.
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(-TOLD);
      });
    }
    const timer = setTimeout(() => {
      killGroup(child.pid);
      end(`did not end within ${limitMs / 1000} s`);
    }, limitMs);
    const end = (fault: string | undefined): void => {
      clearTimeout(timer);
      // A daemon that the command leaves behind may hold the pipes for ever.
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      if (fault === undefined) return resolve();
      const quoted = said.trim() === "" ? "" : `: ${said.trim()}`;
      reject(new ReloadError("reload-failed", `"${program}" ${fault}${quoted}`));
    };
    child.once("error", (error) => end(`cannot be run: ${error.message}`));
    child.once("exit", (code, signal) => {
      const fault = code === 0 ? undefined : `ended with ${code ?? String(signal)}`;
      child.once("close", () => end(fault));
      setTimeout(end, LAST_WORDS_MS, fault).unref();
    });
  });
}
